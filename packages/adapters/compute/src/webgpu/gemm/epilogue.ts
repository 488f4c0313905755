/**
 * What happens to sums between the product and the buffer: the correction for unsigned operands, bias, requantization,
 * lookup, and the write, as text that every kernel calls with four neighbouring columns of one row. Rounding is
 * `roundShift` of the tensor spec: floor((x · multiplier + 2^(shift-1)) / 2^shift) on the exact 64-bit product, here in
 * limbs of 16 and 32 bits since WGSL has no wider integers.
 */

export type Narrow = 'i8' | 'u8'
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
fn shiftNear(top: vec4i, low: vec4u, shift: vec4u) -> vec4i {
  let sum = low + select(vec4u(1u) << ((shift - vec4u(1u)) & vec4u(31u)), vec4u(0u), shift == vec4u(0u));
  let carried = top + select(vec4i(0), vec4i(1), sum < low);
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

/** Declares the bindings that the epilogue reads and writes, and `finish(batch, row, first, sums)`. */
export function epilogueText(shape: EpilogueShape): string {
  const { unsignedLeft, epilogue, wholeWords } = shape
  const { bias, requantize, lookup } = epilogue
  const kind = outputKind(epilogue)
  const isNarrow = kind !== 'i32'
  const word = isNarrow ? (wholeWords ? 'u32' : 'atomic<u32>') : wholeWords ? 'vec4i' : 'i32'
  const declared = bindingsOf(shape).flatMap((name) => {
    const type = readonlyTypes[name]
    return type === undefined ? [] : [declareBinding(name, type, 'read')]
  })
  const perColumn = (name: string) =>
    `vec4i(${[0, 1, 2, 3].map((column) => `${name}[${columnAt(column)}]`).join(', ')})`
  const columnAt = (column: number) =>
    wholeWords ? `first + ${column}u` : `min(first + ${column}u, parameters.columns - 1u)`
  const steps = [
    `var y = sums4;`,
    // (a - 128) · b was summed in the place of a · b.
    unsignedLeft ? `y += sums[(batch * parameters.sumsBatch + first) / 4u] << vec4u(7u);` : '',
    bias ? `y += ${perColumn('bias')};` : '',
    requantize === undefined ? '' : requantizeSteps(requantize, perColumn, columnAt),
    lookup === undefined ? '' : lookupSteps(lookup.to, requantize?.to === 'i8'),
    `let at = parameters.outBase + batch * parameters.outBatch + row * parameters.outPitch + first;`,
    writeText[isNarrow ? 'narrow' : 'i32'][wholeWords ? 'whole' : 'ragged'],
  ]
  return `${declared.join('\n')}
${declareBinding('output', `array<${word}>`, 'read_write')}
${requantize === undefined ? '' : requantizeText}
/** Four columns of a row, from \`first\` on, which is a multiple of four. */
fn finish(batch: u32, row: u32, first: u32, sums4: vec4i) {
  if (row >= parameters.rows || first >= parameters.columns) { return; }
  ${steps.filter((step) => step !== '').join('\n  ')}
}`
}

function requantizeSteps(
  { per, to }: Requantize,
  perColumn: (name: string) => string,
  columnAt: (column: number) => string,
): string {
  const shifts = [0, 1, 2, 3].map((column) => {
    const at = columnAt(column)
    return `(shifts[(${at}) / 4u] >> (8u * ((${at}) % 4u))) & 255u`
  })
  const [multiplier, shift] =
    per === 'tensor'
      ? ['vec4i(parameters.multiplier)', 'vec4u(parameters.shift)']
      : [perColumn('multipliers'), `vec4u(${shifts.join(', ')})`]
  const isFar = per === 'tensor' ? 'parameters.shift >= 33u' : 'all(shift > vec4u(32u))'
  const far = 'shiftFar(wide.top, shift)'
  const near = 'shiftNear(wide.top, wide.low, shift)'
  const mixed = `let isFar = shift > vec4u(32u);
      y = select(shiftNear(wide.top, wide.low, min(shift, vec4u(32u))), shiftFar(wide.top, max(shift, vec4u(33u))), isFar);`
  const clamped = {
    i8: 'y = clamp(y, vec4i(-128), vec4i(127));',
    u8: 'y = clamp(y, vec4i(0), vec4i(255));',
    i32: '',
  }
  return `{
    let shift = ${shift};
    let wide = multiplyWide(y, ${multiplier});
    if (${isFar}) { y = ${far}; } else {
      ${per === 'tensor' ? `y = ${near};` : mixed}
    }
  }
  ${clamped[to]}`
}

function lookupSteps(to: OutputKind, isSigned: boolean): string {
  const entry = (lane: string) => {
    const index = `(bitcast<u32>(y.${lane})${isSigned ? ' + 128u' : ''})`
    if (to === 'i32') return `bitcast<i32>(table[${index} & 255u])`
    const word = `table[(${index} & 255u) / 4u]`
    const bits = `8u * (${index} % 4u)`
    return to === 'i8'
      ? `extractBits(bitcast<i32>(${word}), ${bits}, 8u)`
      : `bitcast<i32>(extractBits(${word}, ${bits}, 8u))`
  }
  return `y = vec4i(${['x', 'y', 'z', 'w'].map(entry).join(', ')});`
}
