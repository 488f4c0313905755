/** The bounds of every shader and shader task (spec H2, H10, H30). Each lives here once; the rules and the docs cite it. */

export const sourceBytesMax = 32 * 1024
/**
 * Levels of blocks, and of parentheses, operators and templates. Compilers have bounds of their own: Tint parses 128 levels
 * of both together, and one level of indices becomes three when it is printed.
 */
export const statementNestingMax = 24
export const expressionNestingMax = 30
export const parametersMax = 32
export const nameLengthMax = 64
/**
 * Weight of the entry point with every call replaced by its body, as drivers do: what a compiler has to chew, which nobody can
 * stop once it has begun. At the limit a software device takes one to three seconds.
 */
export const weightMax = 1 << 13
/** Functions in the longest chain of calls, the entry point included. */
export const callDepthMax = 16
/** Bytes of `var` arrays with every call replaced by its body. */
export const localBytesMax = 8 * 1024
export const workgroupInvocationsMax = 256
export const workgroupZMax = 64
/** Every WebGPU device has eight storage buffers for a stage; the status flag takes one. */
export const storageBindingsMax = 7
export const uniformBindingsMax = 4
export const bindingNumberMax = 15
export const uniformBytesMax = 64 * 1024
/** Elements that one invocation may own of an output (spec H22). */
export const strideMax = 256

export const dispatchMax = 65_535
export const invocationsMax = 1 << 24
export const fuelMax = 1 << 24
/** Invocations times (fuel + 1) times nodes: an upper bound of everything that a task can execute. */
export const workMax = 2 ** 42
export const preprocessStepsMax = 16
/** A place for data in the payload begins at a multiple of this. */
export const segmentAlignmentBytes = 16
