import { describeExecutor } from './conformance.ts'
import { createReferenceExecutor } from './reference.ts'

describeExecutor('reference', {
  open: async () => createReferenceExecutor(),
  takesTurns: false,
  propertyRuns: 5,
})
