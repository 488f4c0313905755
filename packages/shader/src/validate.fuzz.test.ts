import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { validateShader } from './validate.ts'

const words = (
  '@ compute workgroup_size group binding builtin ( ) { } [ ] < > <= >= == != << >> >>= <<= + ++ += - -- -> * / % & && | || ^ ~ ! = : ; , . ' +
  '_ 0 1 2u 3i 1.5 0xff 2147483648 4294967296 fn main id out a x vec3u vec2 array u32 i32 f32 bool atomic ptr var let const struct storage read_write ' +
  'uniform if else for while loop continuing break continue return switch case default true false min select bitcast arrayLength atomicAdd ' +
  'global_invocation_id /* */ // enable override shardy_fuel __x f16 texture_2d é'
).split(' ')
const sample = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
const n = 4u;
fn f(x: u32, y: i32) -> u32 { if x > n { return x; } return u32(y) << 3u; }
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
  var t: array<vec2<u32>, 4>;
  for (var c = 0u; c < n; c++) { t[c].x = f(c, -1) / id.x; if c == 2u { continue; } }
  switch id.x { case 1u, 2u: { t[0] += vec2u(1u, 2u); } default { } }
  loop { break; continuing { break if true; } }
  out[id.x] = select(t[1].y, min(id.x, 7u), all(id.xy == id.yz));
}`
const pieces = sample.match(/\w+|[^\w\s]|\s+/g) ?? []

/** Whatever the text is, the answer is a value with a place inside the text. */
function expectAnswer(source: string): void {
  const validated = validateShader(source)
  if (validated.ok) return
  const { line, column } = validated.refusal
  const lines = source.split('\n')
  expect(line).toBeWithin(1, lines.length + 1)
  expect(column).toBeWithin(1, (lines[line - 1] ?? '').length + 2)
}

test('the sample itself is accepted', () => expect(validateShader(sample).ok).toBe(true))

test('token soup is refused, never an exception', () => {
  const soup = fc.array(fc.constantFrom(...words, '\n'), { maxLength: 120 }).map((list) => list.join(' '))
  fc.assert(fc.property(soup, expectAnswer), { numRuns: 2000 })
})

test('token soup inside the entry point too', () => {
  const soup = fc.array(fc.constantFrom(...words, '\n'), { maxLength: 40 }).map((list) => list.join(' '))
  fc.assert(
    fc.property(soup, (text) => expectAnswer(sample.replace('var t:', `${text} var t:`))),
    { numRuns: 2000 },
  )
})

test('a shader with pieces moved, lost, doubled or replaced is judged, never an exception', () => {
  const edit = fc.record({
    at: fc.nat({ max: pieces.length - 1 }),
    from: fc.nat({ max: pieces.length - 1 }),
    how: fc.constantFrom('lose', 'double', 'copy', 'word'),
    word: fc.constantFrom(...words),
  })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const edited = [...pieces]
      for (const { at, from, how, word } of edits) {
        const piece = edited[at] ?? ''
        if (how === 'lose') edited[at] = ''
        else if (how === 'double') edited[at] = `${piece} ${piece}`
        else edited[at] = how === 'copy' ? (pieces[from] ?? '') : word
      }
      expectAnswer(edited.join(''))
    }),
    { numRuns: 3000 },
  )
})

test('any text at all is judged, never an exception', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), expectAnswer))
})

test('repetition to the limit of the source is judged soon', () => {
  for (const piece of [
    '(',
    '{',
    '[',
    '<',
    'a<',
    'vec2<',
    '-',
    '!',
    '/*',
    '//',
    'fn f(){',
    'if true {',
    'a.',
    'a[',
    '1+',
    'loop{',
    'else ',
    '@x',
    'a,',
    ';',
    '>',
    '&&',
  ]) {
    const text = piece.repeat(Math.floor(32_000 / piece.length))
    expectAnswer(text)
    expectAnswer(sample.slice(0, 150) + text)
    expectAnswer(sample.replace('loop {', `loop { ${text.slice(0, 30_000)}`))
  }
})

test('what is printed is in the dialect of the host: no name of the source stands alone in it', () => {
  const validated = validateShader(sample)
  if (!validated.ok) throw new Error(validated.refusal.message)
  const { instrumented } = validated.value
  for (const name of ['out', 'main', 'f', 't', 'c', 'id', 'n']) {
    expect(instrumented).not.toMatch(new RegExp(`\\b${name}\\b(?!")`))
  }
  expect(instrumented.match(/shardy_spend\(\)\) \{ return/g)).toHaveLength(3)
})
