import { describeExecutor } from '../conformance.ts'
import { describeShaders } from '../shaderConformance.ts'
import { createCpuExecutor } from './executor.ts'

describeExecutor('cpu', { open: async () => createCpuExecutor(), takesTurns: true, propertyRuns: 60 })
describeExecutor('cpu with threads', {
  open: async () => createCpuExecutor({ threads: 2 }),
  takesTurns: true,
  propertyRuns: 20,
})
describeShaders('the interpreter', async () => createCpuExecutor())
