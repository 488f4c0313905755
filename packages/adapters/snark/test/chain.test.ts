/** Contributions forged with a known secret, each wrong in one way only, so that each check is seen to be needed. */
import { beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkChain, checkPoints, uncompressed } from '../src/ceremony/chain.ts'
import { fieldModulus, readKey } from '../src/ceremony/key.ts'
import { initCeremony } from '../src/index.ts'
import { type Snarkjs, withSnarkjs } from '../src/snarkjs.ts'
import { compileCircuit } from './circuits.ts'
import { editContributions, editSection, flip } from './keyEditor.ts'

// Every step makes or follows keys; a busy machine takes its time.
setDefaultTimeout(60_000)

interface Defects {
  /** The proof of knowledge is of another secret than the one applied. */
  readonly proof?: boolean
  /** Another secret is applied to delta than the one proved. */
  readonly delta?: boolean
  /** The challenge is chosen, not hashed. */
  readonly challenge?: boolean
  /** The secret is said to come from this beacon. */
  readonly beacon?: boolean
  readonly header?: 'unchanged' | 'differing groups'
}

let first: Uint8Array
beforeAll(async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'shardy-chain-'))
  await writeFile(path.join(home, 'v2.r1cs'), (await compileCircuit('taskProofV2')).r1cs)
  const folder = path.join(home, 'ceremony')
  await initCeremony({ r1cs: path.join(home, 'v2.r1cs'), phase1: { kind: 'development', power: 3 }, folder })
  first = new Uint8Array(await readFile(path.join(folder, 'key-0000.zkey')))
  await rm(home, { recursive: true })
})

const seedOf = (text: string): number[] => [...createHash('sha256').update(text).digest().subarray(0, 8)]
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)

/** One contribution on the first key. Sections 8 and 9 stay as they are: the chain says nothing about them. */
function forge({ curve, createRandom }: Snarkjs, defects: Defects): Uint8Array {
  const { G1, G2, Fr } = curve
  const affine = (group: typeof G1, point: Uint8Array) => group.toAffine(point)
  const [secret, other] = [Fr.fromRng(createRandom(seedOf('a'))), Fr.fromRng(createRandom(seedOf('b')))]
  const g1s = affine(G1, G1.fromRng(createRandom(seedOf('s'))))
  const g1sx = affine(G1, G1.timesFr(g1s, defects.proof === true ? other : secret))
  const key = readKey(first, 'first')
  if (!key.ok) throw new Error(key.refusal.detail)
  const challenge =
    defects.challenge === true
      ? createHash('blake2b512').update('chosen').digest()
      : createHash('blake2b512')
          .update(key.value.circuitHash)
          .update(uncompressed(G1, g1s))
          .update(uncompressed(G1, g1sx))
          .digest()
  const view = new DataView(challenge.buffer, challenge.byteOffset, 32)
  const g2sp = G2.fromRng(createRandom(Array.from({ length: 8 }, (_, index) => view.getUint32(4 * index))))
  const applied = defects.delta === true ? other : secret
  const deltaAfter = affine(G1, G1.timesFr(G1.g, applied))
  const g2spx = affine(G2, G2.timesFr(g2sp, secret))
  const delta2 = affine(G2, G2.timesFr(G2.g, defects.header === 'differing groups' ? other : applied))
  const beacon = defects.beacon === true ? [2, 10, 3, 16, ...new Uint8Array(16)] : []
  const parameters = Uint8Array.of(1, 3, ...Buffer.from('Eve'), ...beacon)
  const contribution = Buffer.concat([
    ...[deltaAfter, g1s, g1sx, g2spx, challenge],
    ...[u32(beacon.length === 0 ? 0 : 1), u32(parameters.length), parameters],
  ])
  const contributed = editContributions(first, () => [contribution])
  if (defects.header === 'unchanged') return contributed
  return editSection(contributed, 'zkey', 2, (header) =>
    Buffer.concat([header.subarray(0, header.length - 192), deltaAfter, delta2]),
  )
}

const stories: readonly (readonly [string, Defects, string])[] = [
  ['nothing is wrong', {}, 'holds'],
  ['the proof is of another secret', { proof: true }, 'does not show that its contributor knew the secret'],
  ['another secret was applied', { delta: true }, 'was not applied to the key that the one before it left'],
  ['the challenge was chosen', { challenge: true }, 'does not follow from this circuit'],
  [
    'a person’s secret is given out as a beacon',
    { beacon: true },
    'does not follow from the value of its beacon',
  ],
  ['the header has the delta of before', { header: 'unchanged' }, 'is not what the contributions make of it'],
  ['the header has two deltas', { header: 'differing groups' }, 'differs between the two groups'],
]
for (const [story, defects, detail] of stories) {
  test(story, async () => {
    await withSnarkjs(async (snarkjs) => {
      const key = readKey(new Uint8Array(forge(snarkjs, defects)), 'forged')
      if (!key.ok) throw new Error(key.refusal.detail)
      const refused = await checkChain(snarkjs, key.value, () => {})
      expect(refused?.refusal.detail ?? 'holds').toContain(detail)
    })
  })
}

test('every point that a contribution changes must be one', async () => {
  const modulus = Buffer.from(fieldModulus.toString(16).padStart(64, '0'), 'hex').reverse()
  const tampered: readonly (readonly [8 | 9, (points: Uint8Array) => Uint8Array])[] = [
    [8, (points) => flip(points, 3)],
    [9, (points) => flip(points, points.length - 1, 0x10)],
    // The same coordinate modulo the field's order, in another spelling.
    [9, (points) => addTo(points, modulus)],
  ]
  await withSnarkjs(async (snarkjs) => {
    const checked = async (bytes: Uint8Array) => {
      const key = readKey(bytes, 'a key')
      if (!key.ok) throw new Error(key.refusal.detail)
      return (await checkPoints(snarkjs, key.value, () => {}))?.refusal.code ?? 'holds'
    }
    expect(await checked(first)).toBe('holds')
    for (const [section, edit] of tampered)
      expect(await checked(editSection(first, 'zkey', section, edit))).toBe('keyTampered')
  })
})

/** Little-endian, into the first 32 bytes. */
function addTo(points: Uint8Array, summand: Uint8Array): Uint8Array {
  const sum = points.slice()
  let carry = 0
  for (let index = 0; index < 32; index++) {
    carry += (points[index] ?? 0) + (summand[index] ?? 0)
    sum[index] = carry & 255
    carry >>= 8
  }
  return sum
}
