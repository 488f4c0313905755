export type { Sha256 } from './hash.ts'
export * from './ids.ts'
