export { blockEntries, type Commitments, type Operand } from './commitment/commitment.ts'
export { FoldEndedError, type FoldedOutput, type Folds, type OutputFold } from './field/fold.ts'
export { type Field, type OpenedField, openField } from './field/open.ts'
