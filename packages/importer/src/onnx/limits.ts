/** The bounds of a model file. They are far above real networks and far below what would exhaust a host. */

export const modelBytesMax = 512 * 2 ** 20
export const nodesMax = 16_384
/** Initializers, inputs and outputs, each. */
export const valuesMax = 65_536
export const nameBytesMax = 1024
export const operandsMax = 256
export const attributesMax = 64
/** Numbers in one attribute. */
export const attributeNumbersMax = 65_536
export const rankMax = 8
/** Entries of one tensor, stored or computed. */
export const entriesMax = 2 ** 26
/** Entries under one window of an image; exact programs take no larger one. */
export const windowEntriesMax = 65_535
/** Entries under all windows of one channel together. */
export const planeStepsMax = 2 ** 28
/** Entries of all tensors that are computed from constants, or for one sample. */
export const computedEntriesMax = 2 ** 28
