export * from './limits.ts'
export {
  type AnyLiteProgram,
  decodeLite,
  describeLite,
  encodeLite,
  type LiteProgram,
  liteOutputLength,
  liteSteps,
  parseLite,
  refuseLiteInput,
  type SuperLiteProgram,
} from './program.ts'
export { beginLite, computeLite, type LiteRun } from './run.ts'
