export { type BuiltTask, buildShaderTask, type ShaderRequest } from './build.ts'
export { bufferContents } from './contents.ts'
export type { Exactness, Reason } from './exactness.ts'
export { canonicalFloats } from './floats.ts'
export { type Interpreted, type InvocationRange, interpret } from './interpret.ts'
export { canonicalOutput, findNonCanonical } from './outputs.ts'
export type { Position, SourceRefusal } from './position.ts'
export type { PreprocessStep } from './preprocess.ts'
export { entryPointName, hostGroup, limitBinding, statusBinding } from './print.ts'
export { type BindingSchema, type TaskPayloadSchema, taskPayloadSchema } from './schema.ts'
export type { Access, Buffer, Layout, Shader } from './shader.ts'
export {
  describeTaskRefusal,
  encodeShaderTask,
  type ParsedTask,
  parseShaderTask,
  refusePayload,
  type ShaderTask,
  sourceBytes,
  type TaskBinding,
  type TaskRefusal,
} from './task.ts'
export { type Validated, type ValidShader, validateShader } from './validate.ts'
