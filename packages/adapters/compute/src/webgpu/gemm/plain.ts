/** The product on single integers, for devices that have no packed dot product: bytes are spread over words on the way in. */
import { type EpilogueShape, epilogueText } from './epilogue.ts'
import type { KernelText, Layouts } from './kernel.ts'
import { type RegisterTile, registerKernel } from './registers.ts'

export function plainKernel(tile: RegisterTile, layouts: Layouts, shape: EpilogueShape): KernelText {
  return registerKernel({
    tile,
    layouts,
    unsignedLeft: shape.unsignedLeft,
    epilogue: epilogueText(shape).declarations,
    arithmetic: {
      word: 'u32',
      held: 'i32',
      sum: 'i32',
      stepBytes: 32,
      heldPerWord: 4,
      hold: (word, part) => `extractBits(bitcast<i32>(${word}), 8u * ${part}, 8u)`,
      multiplyAdd: (sum, left, right) => `${sum} += ${left} * ${right};`,
    },
  })
}
