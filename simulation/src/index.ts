export type { Plant } from './plant.ts'
export { type Failure, type Outcome, simulate } from './simulate.ts'
