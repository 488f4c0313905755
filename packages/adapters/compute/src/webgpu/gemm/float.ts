/** The product of f32 matrices. INEXACT: devices differ in fusion and in denormal numbers; nothing checks it digit by digit. */
import { declareBinding } from './epilogue.ts'
import type { KernelText, Layouts } from './kernel.ts'
import { type RegisterTile, registerKernel } from './registers.ts'

export function floatKernel(tile: RegisterTile, layouts: Layouts, wholeWords: boolean): KernelText {
  const write = wholeWords
    ? 'output[at / 4u] = sums4;'
    : `for (var column = 0u; column < 4u; column++) {
    if (first + column < parameters.columns) { output[at + column] = sums4[column]; }
  }`
  return registerKernel({
    tile,
    layouts,
    unsignedLeft: false,
    epilogue: `${declareBinding('output', `array<${wholeWords ? 'vec4f' : 'f32'}>`, 'read_write')}
fn channelsAt(batch: u32, first: u32) -> bool {
  return true;
}

fn scale(channels: bool, sums4: vec4f) -> vec4f {
  return sums4;
}

fn write(batch: u32, row: u32, first: u32, sums4: vec4f) {
  if (row >= parameters.rows || first >= parameters.columns) { return; }
  let at = parameters.outBase + batch * parameters.outBatch + row * parameters.outPitch + first;
  ${write}
}`,
    arithmetic: {
      word: 'f32',
      held: 'f32',
      sum: 'f32',
      stepBytes: 64,
      heldPerWord: 1,
      hold: (word) => word,
      multiplyAdd: (sum, left, right) => `${sum} = fma(vec4f(${left}), ${right}, ${sum});`,
    },
  })
}
