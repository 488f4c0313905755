export { measureOpsPerSecond } from './benchmark.ts'
export {
  type ChainOptions,
  checkOpenings,
  type OpeningsCheck,
  type OpeningsVerdict,
  runBenchmark,
} from './chain/chain.ts'
export { createComputeNode, openCheckTools } from './checkTools.ts'
export { type CpuOptions, createCpuExecutor } from './cpu/executor.ts'
export { executeQuestion, outlineOf, tracedValues, traceOf } from './disputes.ts'
export {
  ComputeError,
  type ComputeErrorKind,
  type ExecuteOptions,
  type Execution,
  type Executor,
  type ShaderOptions,
} from './executor.ts'
export { executeLite, type LiteOptions } from './lite.ts'
export {
  type MemoryStability,
  type MemoryStabilityOptions,
  type MemoryStep,
  measureMemoryStability,
} from './memoryStability.ts'
export { createReferenceExecutor } from './reference.ts'
export { runSmallWork, runWork } from './runWork.ts'
export { createSelfCheckingExecutor, type SelfCheckAdapters } from './selfChecking.ts'
export { createSmallBeside } from './smallBeside.ts'
export { openTurns, type Turns } from './turns.ts'
export { type Kernels, type OpenedKernels, openKernels } from './wasm/kernels.ts'
export { createWebGpuExecutor } from './webgpu/executor.ts'
export { type Opened, type OpenOptions, type OpenRefusal, openWebGpu } from './webgpu/open.ts'
export { type DecodedWork, decodeWork, factsOf, type Work, type WorkFacts } from './work.ts'
