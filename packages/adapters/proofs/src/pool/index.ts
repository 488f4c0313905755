export { type OpenThread, openHostThread, type Thread, type ThreadEvents } from './openThread.ts'
export {
  openVerifierPool,
  queuedMaxDefault,
  type VerifierPool,
  VerifierPoolError,
  type VerifierPoolParts,
} from './pool.ts'
