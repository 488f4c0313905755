import { describeExecutor } from './conformance.ts'
import { createCpuExecutor } from './cpu.ts'

describeExecutor('cpu', { open: async () => createCpuExecutor(), takesTurns: true, propertyRuns: 60 })
