export { measureOpsPerSecond } from './benchmark.ts'
export { createCpuExecutor } from './cpu.ts'
export {
  ComputeError,
  type ComputeErrorKind,
  type ExecuteOptions,
  type Execution,
  type Executor,
} from './executor.ts'
export { createReferenceExecutor } from './reference.ts'
export { createWebGpuExecutor } from './webgpu/executor.ts'
export { type Opened, type OpenOptions, type OpenRefusal, openWebGpu } from './webgpu/open.ts'
