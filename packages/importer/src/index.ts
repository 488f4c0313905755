export { type CalibrationMethod, calibrationMethods } from './calibrate.ts'
export { evaluateModel } from './evaluateModel.ts'
export { type ImportedProgram, type ImportOptions, importModel, type Port } from './importModel.ts'
export { modelBytesMax } from './onnx/limits.ts'
export type { Attribute, Dimension, OnnxModel, OnnxNode, ValueInfo } from './onnx/model.ts'
export { readModel } from './onnx/readModel.ts'
export { type OnnxDtype, type OnnxTensor, tensorOf } from './onnx/tensor.ts'
export { writeModel } from './onnx/writeModel.ts'
export { operatorNames } from './operators/index.ts'
export {
  describeImportRefusal,
  type Imported,
  type ImportRefusal,
  type ImportRefusalKind,
} from './refusal.ts'
