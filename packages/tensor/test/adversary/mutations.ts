/** Ways to weaken the check, each one edit of its source, and cheats that then get through. */
export interface Mutation {
  readonly name: string
  /** Below `src/check`. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Each of these is taken for honest by the weakened check. */
  readonly letsThrough: readonly string[]
}

export const mutations: readonly Mutation[] = [
  {
    name: 'sums are not held against their range',
    file: 'nodeProjection.ts',
    find: 'const range = { min: result.min, max: result.max }',
    replace: 'const range = { min: -(2 ** 31), max: 2 ** 31 - 1 }',
    letsThrough: [
      'one sum raised by p, convolution',
      'one sum raised by p, first',
      'one sum raised by p, scores',
      'one sum lowered by p, second',
      'one sum of a row raised by p and another lowered',
      'every sum moved by p',
    ],
  },
  {
    name: 'the range has no lower end',
    file: 'field.ts',
    find: 'if (word < min || word > max)',
    replace: 'if (word > max)',
    letsThrough: ['one sum lowered by p, scores', 'one sum lowered by p, second'],
  },
  {
    name: 'the range has no upper end',
    file: 'field.ts',
    find: 'if (word < min || word > max)',
    replace: 'if (word < min)',
    letsThrough: ['one sum raised by p, scores', 'one sum raised by p, second'],
  },
  {
    name: 'projections are not compared: no repetition at all',
    file: 'product.ts',
    find: 'if (at === undefined) return { ok: true }',
    replace: 'if (at === undefined || at >= 0) return { ok: true }',
    letsThrough: [
      'the answer to an older input',
      'weights of the day before: one byte differs',
      'an accumulator that saturates at 16 bits',
      'requantised one too high everywhere',
      'all zeros, everywhere',
      'sums that agree with each other and with no input',
    ],
  },
  {
    name: 'only the first row or column is compared',
    file: 'product.ts',
    find: 'left.findIndex((element, index) => element !== right[index])',
    replace: 'left.findIndex((element, index) => index === 0 && element !== right[index])',
    letsThrough: [
      'one sum in the last row, all that follows computed from it',
      'the lowest bit of one sum flipped, first',
    ],
  },
  {
    name: 'every element of a vector is one',
    file: 'vectors.ts',
    find: 'stream.elements[stream.length++] = element',
    replace: 'stream.elements[stream.length++] = 1',
    letsThrough: ['two rows swapped', 'two channels of the convolution swapped'],
  },
  {
    name: 'the vectors follow from no seed',
    file: 'check.ts',
    find: 'return expandVectors(challenge.seed, repetitions, sha256)',
    replace: 'return expandVectors(new Uint8Array(32), repetitions, sha256)',
    letsThrough: ['sums that fit a challenge of zeros'],
  },
  {
    name: 'only the first product of a batch is checked',
    file: 'product.ts',
    find: 'index < batch',
    replace: 'index < 1',
    letsThrough: ['one sum in the last product of the batch, all that follows computed from it'],
  },
  {
    name: 'sums that are an output are believed',
    file: 'check.ts',
    find: 'if (!projected.ok) return',
    replace: "if (!projected.ok && treatment.source.kind === 'part') return",
    letsThrough: [
      'the lowest bit of one sum flipped, scores',
      'one sum raised by p, scores',
      'one sum in the last product of the batch, all that follows computed from it',
    ],
  },
  {
    name: 'convolutions are believed',
    file: 'nodeProjection.ts',
    find: "if (node?.op === 'conv2d') {",
    replace: "if (node?.op === 'conv2d') {\n    if (index >= 0) return { ok: true }",
    letsThrough: [
      'the answer to an older input',
      'a convolution with another padding',
      'a convolution moved by one pixel',
      'one sum at the last pixel, all that follows computed from it',
    ],
  },
  {
    name: 'the output is not compared with what is replayed',
    file: 'check.ts',
    find: 'if (offset === undefined) return undefined',
    replace: 'if (offset === undefined || offset >= 0) return undefined',
    letsThrough: [
      'one bit flipped in an output that is replayed',
      'a negative let through at the output',
      'the last step computed in floats',
      'a part of the output left as it was in memory',
    ],
  },
  {
    name: 'only the beginning of the output is compared',
    file: 'check.ts',
    find: 'at < bytes.length',
    replace: 'at < bytes.length - 8',
    letsThrough: ['one bit flipped in the last byte of the output'],
  },
  {
    name: 'the output may be longer',
    file: 'check.ts',
    find: 'output.length !== plan.outputLength',
    replace: 'output.length < plan.outputLength',
    letsThrough: ['a byte after the output'],
  },
  {
    name: 'a part may be longer',
    file: 'bits.ts',
    find: 'bytes.length !== packedBitsLength(count, width)',
    replace: 'bytes.length < packedBitsLength(count, width)',
    letsThrough: ['a byte after a part'],
  },
  {
    name: 'the padding may hold anything',
    file: 'bits.ts',
    find: 'lastBits !== 0 &&',
    replace: 'lastBits === 99 &&',
    letsThrough: ['a bit set in the padding'],
  },
  {
    name: 'the base may be lower than the least entry',
    file: 'bits.ts',
    find: 'if (least !== 0)',
    replace: 'if (least > 2 ** 32)',
    letsThrough: ['the base one lower than it needs to be', 'packed as whole words'],
  },
  {
    name: 'a part may be wider than it needs to be',
    file: 'bits.ts',
    find: 'if (bitLength(most) !== width)',
    replace: 'if (bitLength(most) > width)',
    letsThrough: ['packed one bit wider than it needs to be'],
  },
  {
    name: 'what was committed to is not looked at',
    file: 'check.ts',
    find: 'if (digest !== undefined) return',
    replace: 'if (digest?.node !== undefined) return',
    letsThrough: ['the honest answer, when a lie was committed to', 'no commitment to the transcript'],
  },
  {
    name: 'only the output is held against the commitment',
    file: 'claim.ts',
    find: ' && found.transcriptRoot === transcriptRoot',
    replace: ' && transcriptRoot !== found.outputDigest',
    letsThrough: ['the honest answer, when a lie was committed to', 'no commitment to the transcript'],
  },
]
