export * from './block/index.ts'
export { buildProgram, type ProgramBuilder } from './builder/buildProgram.ts'
export { type MatmulShape, matmulProgram, plainProduct } from './builder/matmulProgram.ts'
export { ProgramError } from './builder/programError.ts'
export { type FixedPoint, requantizeScale, requantizeScales } from './builder/requantizeScale.ts'
export type { Conv2dOptions, Operand, PoolingOptions, RequantizeOptions, Term } from './builder/term.ts'
export { checkModulus } from './modulus.ts'
export { valuesMax } from './operation.ts'
export { broadcastStrides } from './operations/arithmetic.ts'
export { type Conv2dLayout, conv2dLayout } from './operations/conv2d.ts'
export {
  heavyOperations,
  type Node,
  type NodeFor,
  type OperationName,
  operandsOf,
  operationNames,
} from './operations/index.ts'
export { lookupOffset } from './operations/lookup.ts'
export { type MatmulLayout, matmulLayout } from './operations/matmul.ts'
export { describeProgram } from './program/description.ts'
export {
  decodeProgram,
  encodeProgram,
  programId,
  programMessage,
  programMessages,
} from './program/encoding.ts'
export {
  type Blobs,
  evaluate,
  evaluateNode,
  evaluateValues,
  joinOutputs,
  noBlobs,
  readConstants,
  readInputs,
} from './program/evaluate.ts'
export {
  entryOutside,
  type Inference,
  type Inferred,
  inferProgram,
  inputBytesMax,
  nodePath,
  outputBytesMax,
  tryInferProgram,
} from './program/inference.ts'
export { parseProgram } from './program/parse.ts'
export { type Constant, type Program, type TensorType, tensorType } from './program/program.ts'
export { complexity, constantDigests, inputLength, outputLength, refuseInput } from './program/size.ts'
export { integerSquareRoot, roundDivide, roundShift } from './rounding.ts'
export { stridesOf, type View, walk } from './strides.ts'
export {
  gelu,
  lookupTable,
  type Quantization,
  type RotaryTables,
  rotaryTables,
  sigmoid,
  silu,
  softmaxTable,
} from './tables.ts'
export {
  byteLengthOf,
  createEntries,
  type Dtype,
  dtypeFacts,
  dtypes,
  type Entries,
  entryAt,
  type Shape,
  sizeOf,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from './tensor.ts'
export { describeType, type Range, type Value } from './value.ts'
