/**
 * What happens to sums between the product and the buffer: the correction for unsigned operands, bias, requantization,
 * lookup, and the write, as text that every kernel calls with four neighbouring columns of one row. Rounding is
 * `roundShift` of the tensor spec: floor((x · multiplier + 2^(shift-1)) / 2^shift) on the exact 64-bit product, here in
 * limbs of 16 and 32 bits since WGSL has no wider integers.
 */

type Narrow = 'i8' | 'u8'
export type OutputKind = Narrow | 'i32'

export type Requantize =
  | {
      readonly per: 'tensor'
      readonly multiplier: number
      readonly shift: number
      readonly zeroPoint: number
      readonly to: OutputKind
    }
  | { readonly per: 'channel'; readonly zeroPoint: number; readonly to: OutputKind }

export interface Epilogue {
  /** One i32 for each column. */
  readonly bias?: true
  readonly requantize?: Requantize
  /** 256 entries of this kind, read at the requantized byte. */
  readonly lookup?: { readonly to: OutputKind }
}

const tableEntries = 256

/** What the text of an epilogue depends on; constants come in with the parameters. */
export interface EpilogueShape {
  readonly unsignedLeft: boolean
  readonly epilogue: Epilogue
  /** Columns come in fours, so that four entries fill whole words. */
  readonly wholeWords: boolean
}

export function outputKind({ requantize, lookup }: Epilogue): OutputKind {
  return lookup?.to ?? requantize?.to ?? 'i32'
}

export function refuseEpilogue({ requantize, lookup }: Epilogue): string | undefined {
  if (requantize?.per === 'tensor' && (requantize.shift < 0 || requantize.shift > 62))
    return `a shift of ${requantize.shift}, allowed is 0 to 62`
  if (lookup !== undefined && (requantize === undefined || requantize.to === 'i32'))
    return 'a lookup without a requantization to i8 or u8 before it'
  return undefined
}

const requantizeText = `
struct Wide {
  top: vec4i,
  low: vec4u,
}

/** The 64-bit products of signed words. */
fn multiplyWide(x: vec4i, multiplier: vec4i) -> Wide {
  let xLow = x & vec4i(0xffff);
  let xHigh = x >> vec4u(16u);
  let low = multiplier & vec4i(0xffff);
  let high = multiplier >> vec4u(16u);
  let lowest = bitcast<vec4u>(xLow * low);
  let middle = xLow * high + bitcast<vec4i>(lowest >> vec4u(16u));
  let crossed = xHigh * low + (middle & vec4i(0xffff));
  let top = xHigh * high + (middle >> vec4u(16u)) + (crossed >> vec4u(16u));
  return Wide(top, (bitcast<vec4u>(crossed) << vec4u(16u)) | (lowest & vec4u(0xffffu)));
}

/** Shifts of 33 and more: the rounding term is a multiple of 2^32, so the low word cannot carry. */
fn shiftFar(top: vec4i, shift: vec4u) -> vec4i {
  let shifted = (top + (vec4i(1) << (shift - vec4u(33u)))) >> (shift - vec4u(32u));
  return shifted + vec4i(parameters.zeroPoint);
}

/** Shifts of 0 to 32: what is left may have more than 32 bits, and is saturated to i32 after the zero point. */
fn shiftNear(wide: Wide, shift: vec4u) -> vec4i {
  let sum = wide.low + select(vec4u(1u) << ((shift - vec4u(1u)) & vec4u(31u)), vec4u(0u), shift == vec4u(0u));
  let carried = wide.top + select(vec4i(0), vec4i(1), sum < wide.low);
  let part = shift & vec4u(31u);
  let whole = shift == vec4u(32u);
  let lowest = (sum >> part) | ((bitcast<vec4u>(carried) << vec4u(1u)) << (vec4u(31u) - part));
  let shiftedLow = select(bitcast<vec4i>(lowest), carried, whole);
  let shiftedTop = carried >> select(part, vec4u(31u), whole);
  let zeroPoint = vec4i(parameters.zeroPoint);
  let moved = shiftedLow + zeroPoint;
  let carry = select(vec4i(0), vec4i(1), bitcast<vec4u>(moved) < bitcast<vec4u>(shiftedLow));
  let movedTop = shiftedTop + (zeroPoint >> vec4u(31u)) + carry;
  let limit = select(vec4i(0x7fffffff), vec4i(-0x7fffffff - 1), movedTop < vec4i(0));
  return select(limit, moved, movedTop == (moved >> vec4u(31u)));
}`

const writeText: Record<'i32' | 'narrow', Record<'whole' | 'ragged', string>> = {
  i32: {
    whole: `output[at / 4u] = y;`,
    ragged: `for (var column = 0u; column < 4u; column++) {
    if (first + column < parameters.columns) { output[at + column] = y[column]; }
  }`,
  },
  narrow: {
    whole: `let packed = bitcast<vec4u>(y) & vec4u(255u);
  output[at / 4u] = packed.x | (packed.y << 8u) | (packed.z << 16u) | (packed.w << 24u);`,
    // Rows begin at any byte: a word may be shared by two rows, and is put together from zero.
    ragged: `let packed = bitcast<vec4u>(y) & vec4u(255u);
  for (var column = 0u; column < 4u; column++) {
    if (first + column < parameters.columns) {
      let byte = at + column;
      atomicOr(&output[byte / 4u], packed[column] << (8u * (byte % 4u)));
    }
  }`,
  },
}

/** The bindings by number; operands come at 1 and 2, parameters at 0. */
export const bindings = {
  parameters: 0,
  left: 1,
  right: 2,
  output: 3,
  sums: 4,
  bias: 5,
  multipliers: 6,
  shifts: 7,
  table: 8,
} as const

export type BindingName = keyof typeof bindings

/** The bindings that a kernel with this epilogue has. */
export function bindingsOf({ unsignedLeft, epilogue }: EpilogueShape): readonly BindingName[] {
  return [
    'parameters',
    'left',
    'right',
    'output',
    ...(unsignedLeft ? (['sums'] as const) : []),
    ...(epilogue.bias ? (['bias'] as const) : []),
    ...(epilogue.requantize?.per === 'channel' ? (['multipliers', 'shifts'] as const) : []),
    ...(epilogue.lookup === undefined ? [] : (['table'] as const)),
  ]
}

const readonlyTypes: Partial<Record<BindingName, string>> = {
  sums: 'array<vec4i>',
  bias: 'array<i32>',
  multipliers: 'array<i32>',
  shifts: 'array<u32>',
  table: 'array<u32>',
}

export function declareBinding(name: BindingName, type: string, access: 'read' | 'read_write'): string {
  return `@group(0) @binding(${bindings[name]}) var<storage, ${access}> ${name}: ${type};`
}

/** Workgroup memory that the table takes, where a kernel keeps it there: a word for each entry. */
export function tableBytes({ lookup }: Epilogue): number {
  return lookup === undefined ? 0 : 4 * tableEntries
}

interface EpilogueText {
  /** Bindings and three functions: `channelsAt(batch, first)`, `scale(channels, sums4)`, `write(batch, row, first, y)`. */
  readonly declarations: string
  /** Runs first in a kernel, before any barrier. */
  readonly setup: string
}

/**
 * A kernel asks once for the constants of the four columns from `first` on, scales what it has of them, and then writes:
 * the arithmetic of several rows stays free of branches and stores, so that a compiler can overlap it. `keptBy` is the
 * number of invocations that bring the table to workgroup memory, for kernels that have room for it.
 */
export function epilogueText(shape: EpilogueShape, keptBy?: number): EpilogueText {
  const { unsignedLeft, epilogue, wholeWords } = shape
  const { bias, requantize, lookup } = epilogue
  const isNarrow = outputKind(epilogue) !== 'i32'
  const word = isNarrow ? (wholeWords ? 'u32' : 'atomic<u32>') : wholeWords ? 'vec4i' : 'i32'
  const declared = bindingsOf(shape).flatMap((name) => {
    const type = readonlyTypes[name]
    return type === undefined ? [] : [declareBinding(name, type, 'read')]
  })
  const isPerChannel = requantize?.per === 'channel'
  const isKept = keptBy !== undefined && lookup !== undefined
  const added = [
    // (a - 128) · b was summed in the place of a · b.
    ...(unsignedLeft ? ['(sums[(batch * parameters.sumsBatch + first) / 4u] << vec4u(7u))'] : []),
    ...(bias ? [fourOf('vec4i', (column) => `bias[${column}]`)] : []),
  ]
  const channels = [
    added.length === 0 ? 'vec4i(0)' : added.join(' + '),
    ...(isPerChannel
      ? [fourOf('vec4i', (column) => `multipliers[${column}]`), fourOf('vec4u', shiftAt)]
      : []),
  ]
  return {
    // By the bits of the byte that is looked up, so that the index is the byte and nothing else.
    setup: isKept
      ? `for (var entry = thread; entry < ${tableEntries}u; entry += ${keptBy}u) {
    keptTable[entry] = ${tableEntry(lookup.to, requantize?.to === 'i8' ? '(entry ^ 128u)' : 'entry')};
  }`
      : '',
    declarations: `${declared.join('\n')}
${declareBinding('output', `array<${word}>`, 'read_write')}
${isKept ? `var<workgroup> keptTable: array<i32, ${tableEntries}>;` : ''}
struct Channels {
  added: vec4i,
  ${isPerChannel ? 'multiplier: vec4i,\n  shift: vec4u,' : ''}
}

fn channelsAt(batch: u32, first: u32) -> Channels {
  let at = min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(parameters.columns - 1u));
  return Channels(${channels.join(', ')});
}
${requantize === undefined ? '' : requantizeText}
fn scale(channels: Channels, sums4: vec4i) -> vec4i {
  var y = sums4${added.length === 0 ? '' : ' + channels.added'};
  ${requantize === undefined ? '' : requantizeSteps(requantize)}
  ${lookup === undefined ? '' : lookupSteps(lookup.to, requantize?.to === 'i8', isKept)}
  return y;
}

/** Four columns of a row, from \`first\` on, which is a multiple of four. */
fn write(batch: u32, row: u32, first: u32, y: vec4i) {
  if (row >= parameters.rows || first >= parameters.columns) { return; }
  let at = parameters.outBase + batch * parameters.outBatch + row * parameters.outPitch + first;
  ${writeText[isNarrow ? 'narrow' : 'i32'][wholeWords ? 'whole' : 'ragged']}
}`,
  }
}

function fourOf(type: string, entry: (column: string) => string): string {
  return `${type}(${['at.x', 'at.y', 'at.z', 'at.w'].map(entry).join(', ')})`
}

function shiftAt(column: string): string {
  return `(shifts[${column} / 4u] >> (8u * (${column} % 4u))) & 255u`
}

function requantizeSteps(requantize: Requantize): string {
  const far = 'shiftFar(multiplyWide(y, multiplier).top, shift)'
  const clamped = {
    i8: 'y = clamp(y, vec4i(-128), vec4i(127));',
    u8: 'y = clamp(y, vec4i(0), vec4i(255));',
    i32: '',
  }
  if (requantize.per === 'tensor') {
    // Which of the two it is goes into the text: a shift below 33 is rare, and another kernel.
    return `let multiplier = vec4i(parameters.multiplier);
  let shift = vec4u(parameters.shift);
  y = ${requantize.shift > 32 ? far : 'shiftNear(multiplyWide(y, multiplier), shift)'};
  ${clamped[requantize.to]}`
  }
  return `let multiplier = channels.multiplier;
  let shift = channels.shift;
  if (all(shift > vec4u(32u))) {
    y = ${far};
  } else {
    let wide = multiplyWide(y, multiplier);
    let near = shiftNear(wide, min(shift, vec4u(32u)));
    y = select(near, shiftFar(wide.top, max(shift, vec4u(33u))), shift > vec4u(32u));
  }
  ${clamped[requantize.to]}`
}

/** The entry of the table in its buffer. */
function tableEntry(to: OutputKind, index: string): string {
  if (to === 'i32') return `bitcast<i32>(table[${index}])`
  const [word, bit] = [`table[${index} / 4u]`, `8u * (${index} % 4u)`]
  return to === 'i8'
    ? `extractBits(bitcast<i32>(${word}), ${bit}, 8u)`
    : `bitcast<i32>(extractBits(${word}, ${bit}, 8u))`
}

function lookupSteps(to: OutputKind, isSigned: boolean, isKept: boolean): string {
  const entry = (lane: string) => {
    const byte = `(bitcast<u32>(y.${lane}) & 255u)`
    return isKept ? `keptTable[${byte}]` : tableEntry(to, isSigned ? `(${byte} ^ 128u)` : byte)
  }
  return `y = vec4i(${['x', 'y', 'z', 'w'].map(entry).join(', ')});`
}
