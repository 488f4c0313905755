export { type Exit, exits } from './exit.ts'
export { run } from './run.ts'
export type { World } from './world.ts'
