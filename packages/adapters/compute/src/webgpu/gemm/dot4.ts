/** The product on packed bytes: `dot4I8Packed` multiplies four at once where the device can, and is exact everywhere. */
import { type EpilogueShape, epilogueText } from './epilogue.ts'
import type { KernelText, Layouts } from './kernel.ts'
import { type RegisterTile, registerKernel } from './registers.ts'

export const dot4LanguageFeature = 'packed_4x8_integer_dot_product'

export function dot4Kernel(tile: RegisterTile, layouts: Layouts, shape: EpilogueShape): KernelText {
  return registerKernel({
    tile,
    layouts,
    unsignedLeft: shape.unsignedLeft,
    epilogue: epilogueText(shape).declarations,
    arithmetic: {
      word: 'u32',
      held: 'u32',
      sum: 'i32',
      stepBytes: 64,
      heldPerWord: 1,
      hold: (word) => word,
      multiplyAdd(sum, left, right) {
        const products = ['x', 'y', 'z', 'w'].map((lane) => `dot4I8Packed(${left}, ${right}.${lane})`)
        return `${sum} += vec4i(${products.join(', ')});`
      },
    },
  })
}
