/** Receipts as JSON: what is written is read back the same, and whatever is not exactly a receipt is refused by field. */
import { describe, expect, test } from 'bun:test'
import {
  type Attestation,
  adaptive,
  auditDepthMax,
  audited,
  auditTilesMax,
  bases,
  checked,
  checkMechanisms,
  type DeliveryId,
  type Digest,
  type MicroCredit,
  madeProofKinds,
  outcomes,
  type ProgramId,
  type PublicKey,
  payloadBytesMax,
  quorum,
  type Receipt,
  receipt,
  type Signature,
  scalarFieldOrder,
  type TaskId,
  type TimeMs,
  traceNodesMax,
} from '@shardy/protocol'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { receiptFromJson, receiptToJson } from './receiptJson.ts'

const ofLength = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const hex = <T>(length: number) => ofLength(length).map((bytes) => bytes.toHex() as T)
/** Both halves below n / 2 and not zero: the form of a signature, which is all that JSON can know. */
const signature = ofLength(64).map((bytes) => {
  const form = Uint8Array.from(bytes)
  form[0] = form[32] = 0x10
  return form as Uint8Array as Signature
})
const publicKey = ofLength(65).map(
  (bytes) => Uint8Array.from([4, ...bytes.subarray(1)]) as Uint8Array as PublicKey,
)
const attestation: fc.Arbitrary<Attestation> = fc
  .record({
    signature,
    count: fc.integer({ min: 1, max: 1 << 20 }),
    share: fc.nat(999),
    path: fc.array(hex<string>(32), { maxLength: 20 }),
  })
  .map(({ signature, count, share, path }) => ({
    signature,
    count,
    index: Math.floor((count * share) / 1000),
    path,
  }))
const proof = fc.record({
  kind: fc.constantFrom(...madeProofKinds),
  verifierVersion: fc.integer({ min: 1, max: 65_535 }),
  proof: fc.uint8Array({ minLength: 256, maxLength: 256 }),
})
const element = fc.oneof(
  fc.bigInt({ min: 0n, max: scalarFieldOrder - 1n }),
  fc.constantFrom(0n, scalarFieldOrder - 1n),
)
const block = fc.record({
  node: fc.nat(traceNodesMax - 1),
  tileRow: fc.nat(auditTilesMax - 1),
  tileColumn: fc.nat(auditTilesMax - 1),
  depth: fc.nat(auditDepthMax - 1),
  commitA: element,
  commitB: element,
  commitIn: element,
  commitOut: element,
})
/** A proof of kind v3 with its block, another without, or none. */
const proven = fc.option(proof, { nil: undefined }).chain((made) =>
  fc.record({
    proof: fc.constant(made),
    block: made?.kind === 'v3' ? block : fc.constant(undefined),
  }),
)
const timeMs = fc.maxSafeNat().map((ms) => ms as TimeMs)
const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  taskId: hex<TaskId>(16),
  kind: fc.constant('program' as const),
  program: fc.uint8Array({ maxLength: 300 }),
  programId: hex<ProgramId>(32),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  inputDigest: hex<Digest>(32),
  inputLength: fc.nat(payloadBytesMax),
  outputDigest: hex<Digest>(32),
  outputLength: fc.nat(payloadBytesMax),
  basis: fc.constantFrom(...bases),
  verify: fc.oneof(
    fc.constantFrom(checked, adaptive),
    fc.integer({ min: 1, max: 1000 }).map(audited),
    fc
      .tuple(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 2, max: 7 }))
      .map(([one, other]) => quorum(Math.max(one, other), Math.min(one, other))),
  ),
  checkedBy: fc.option(fc.constantFrom(...checkMechanisms), { nil: undefined }),
  deliveries: fc.array(
    fc.record({
      deliveryId: hex<DeliveryId>(16),
      workerKey: publicKey,
      deadlineMs: timeMs,
      attestation,
      answer: fc.option(
        fc
          .record({
            outputDigest: hex<Digest>(32),
            attestation,
            traceRoot: fc.option(hex<Digest>(32), { nil: undefined }),
            proven,
          })
          .map(({ proven, ...answer }) => ({ ...answer, ...proven })),
        { nil: undefined },
      ),
      outcome: fc.constantFrom(...outcomes),
      rewardMicroCredit: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((amount) => amount as MicroCredit),
    }),
    { maxLength: 4 },
  ),
  orchestratorKey: publicKey,
  decidedAtMs: timeMs,
  signature,
})

const one = fc.sample(
  anyReceipt.filter(({ deliveries }) => deliveries[0]?.answer?.proof?.kind === 'v3'),
  { seed: 1, numRuns: 1 },
)[0] as Receipt
const written = () => JSON.parse(JSON.stringify(receiptToJson(one)))

test('what is written is read back the same', () => {
  fc.assert(
    fc.property(anyReceipt, (value) => {
      const parsed = receiptFromJson(JSON.parse(JSON.stringify(receiptToJson(value))))
      expect(parsed.ok && receipt.encode(parsed.receipt).toHex()).toBe(receipt.encode(value).toHex())
      if (parsed.ok)
        expect(JSON.stringify(receiptToJson(parsed.receipt))).toBe(JSON.stringify(receiptToJson(value)))
    }),
    { numRuns: 200 },
  )
})

type Path = readonly (string | number)[]

function changed(path: Path, change: (was: unknown) => unknown): unknown {
  const whole = written()
  let place = whole
  for (const step of path.slice(0, -1)) place = place[step]
  const last = path.at(-1) ?? ''
  const now = change(place[last])
  if (now === undefined) delete place[last]
  else place[last] = now
  return whole
}

const base64Of = (bytes: Uint8Array) => () => encodeBase64(bytes)
const filled = (length: number, first: number) =>
  Uint8Array.from({ length }, (_, index) => (index === 0 ? first : 255))

describe('refused by field', () => {
  const key: Path = ['deliveries', 0, 'workerKey']
  const proof: Path = ['deliveries', 0, 'attestation']
  const answered: Path = ['deliveries', 0, 'answer', 'attestation']
  const wrong: readonly (readonly [string, Path, (was: unknown) => unknown, string?])[] = [
    ['an unknown field', ['note'], () => 'x'],
    ['an unknown field of a delivery', ['deliveries', 0, 'note'], () => 'x'],
    ['an unknown field of an attestation', [...proof, 'note'], () => 1],
    [
      'a proof that is too short',
      ['deliveries', 0, 'answer', 'proof'],
      () => ({ kind: 'v2', verifierVersion: 2, proof: 'AAAA' }),
      'deliveries.0.answer.proof.proof',
    ],
    [
      'a proof of no kind',
      ['deliveries', 0, 'answer', 'proof'],
      () => ({ kind: 'none', verifierVersion: 2, proof: `${'A'.repeat(342)}==` }),
      'deliveries.0.answer.proof.kind',
    ],
    [
      'a proof of a block without the block',
      ['deliveries', 0, 'answer', 'block'],
      () => undefined,
      'deliveries.0.answer.block',
    ],
    [
      'a block without its proof',
      ['deliveries', 0, 'answer', 'proof'],
      () => undefined,
      'deliveries.0.answer.block',
    ],
    [
      'a commitment of r, which is zero once more',
      ['deliveries', 0, 'answer', 'block', 'commitIn'],
      () => scalarFieldOrder.toString(16),
      'deliveries.0.answer.block.commitIn',
    ],
    [
      'a block deeper than there are',
      ['deliveries', 0, 'answer', 'block', 'depth'],
      () => 4096,
      'deliveries.0.answer.block.depth',
    ],
    ['an unknown field of an answer', ['deliveries', 0, 'answer', 'note'], () => 1],
    ['an id in capitals', ['taskId'], (was) => String(was).toUpperCase().replace(/\d/g, 'A')],
    ['a digest of another length', ['outputDigest'], (was) => `${was}00`],
    ['base64 that is none', ['signature'], () => '***'],
    ['base64 without its padding', ['signature'], (was) => String(was).replace(/=+$/, '')],
    ['base64 with a space', ['orchestratorKey'], (was) => ` ${was}`],
    ['base64 with spare bits', ['signature'], (was) => String(was).replace(/.==$/, 'B==')],
    ['base64 of the other alphabet', ['orchestratorKey'], (was) => `-_${String(was).slice(2)}`],
    ['a program that is no base64', ['program'], () => 'A'],
    ['a program with spare bits', ['program'], () => 'QR=='],
    ['a program that is too long', ['program'], () => 'AAAA'.repeat(30_000)],
    ['a signature too short', ['signature'], base64Of(new Uint8Array(63).fill(1))],
    ['a signature too long', ['signature'], base64Of(new Uint8Array(65).fill(1))],
    ['a signature of zeros', ['signature'], base64Of(new Uint8Array(64))],
    ['a signature with a high s', [...proof, 'signature'], base64Of(filled(64, 1))],
    ['a signature with r too large', [...answered, 'signature'], base64Of(new Uint8Array(64).fill(255))],
    ['a key too short', key, base64Of(filled(64, 4))],
    ['a key that is compressed', key, base64Of(filled(65, 2))],
    ['an orchestrator key of another kind', ['orchestratorKey'], base64Of(filled(65, 3))],
    ['a seed that is a number', ['seed'], () => 7],
    ['a seed beyond 64 bits', ['seed'], () => '18446744073709551616'],
    ['a negative seed', ['seed'], () => '-1'],
    ['a reward beyond its range', ['deliveries', 0, 'rewardMicroCredit'], () => '9223372036854775808'],
    ['a reward that is a number', ['deliveries', 0, 'rewardMicroCredit'], () => 1],
    ['a length beyond the limit', ['inputLength'], () => payloadBytesMax + 1],
    ['a length that is no whole number', ['outputLength'], () => 1.5],
    ['no way of verifying', ['verify'], () => undefined],
    ['a way of verifying that is none', ['verify'], () => 'quorum(2,3)'],
    ['a quorum of one', ['verify'], () => 'quorum(2,1)'],
    ['a rate that is none', ['verify'], () => 'audited(0)'],
    ['a way of verifying in another spelling', ['verify'], () => 'quorum(3, 2)'],
    ['an unknown check', ['checkedBy'], () => 'prayer'],
    ['another kind', ['kind'], () => 'heavy'],
    ['another basis', ['basis'], () => 'trust'],
    ['an unknown outcome', ['deliveries', 0, 'outcome'], () => 'bribed'],
    ['a time that is negative', ['decidedAtMs'], () => -1],
    ['a time beyond exact numbers', ['deliveries', 0, 'deadlineMs'], () => 2 ** 53],
    ['an index below zero', [...proof, 'index'], () => -1],
    ['a count too large', [...proof, 'count'], () => (1 << 20) + 1],
    ['a path too long', [...proof, 'path'], () => Array(21).fill('00'.repeat(32))],
    ['a path of other things', [...proof, 'path'], () => ['xx'], 'deliveries.0.attestation.path.0'],
    ['no deliveries', ['deliveries'], () => undefined],
    ['no signature', ['signature'], () => undefined],
    ['an answer that is null', ['deliveries', 0, 'answer'], () => null],
    ['too many deliveries', ['deliveries'], (was) => Array(65).fill((was as unknown[])[0])],
  ]
  for (const [story, path, change, field] of wrong) {
    test(story, () => {
      const parsed = receiptFromJson(changed(path, change))
      expect(parsed.ok ? 'read' : parsed.field).toBe(field ?? path.join('.'))
      if (!parsed.ok) expect(parsed.reason.length).toBeGreaterThan(0)
    })
  }

  test('an index outside its batch', () => {
    const parsed = receiptFromJson(changed(proof, (was) => ({ ...(was as object), index: 5, count: 5 })))
    expect(parsed).toMatchObject({ ok: false, field: expect.stringContaining('index') })
  })

  test('what JavaScript gives to every object is no field', () => {
    const text = JSON.stringify(written())
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(receiptFromJson(JSON.parse(text.replace('{', `{"${name}":{},`)))).toMatchObject({
        ok: false,
        field: name,
      })
    }
  })

  test('values that are no receipt at all', () => {
    for (const value of [undefined, null, 1, 'x', [], {}, [written()]])
      expect(receiptFromJson(value).ok).toBe(false)
  })
})

test('whatever is changed into whatever, a receipt or a named field comes out, never an exception', () => {
  const paths: Path[] = []
  const walk = (value: unknown, path: Path): void => {
    if (path.length > 0) paths.push(path)
    if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name])
    }
  }
  walk(written(), [])
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }).map(String),
    fc.integer(),
    fc.base64String({ minLength: 80, maxLength: 96 }),
    fc.constantFrom<unknown>(-0, 1e300, '0', '==', 'AAAA'),
  )
  fc.assert(
    fc.property(fc.constantFrom(...paths), hostile, (path, value) => {
      const parsed = receiptFromJson(changed(path, () => value))
      if (parsed.ok) expect(receipt.decode(receipt.encode(parsed.receipt)).ok).toBe(true)
      else expect(parsed.field.length * parsed.reason.length).toBeGreaterThan(0)
    }),
    { numRuns: 2_000 },
  )
})

describe('base64', () => {
  test('is what the host says, at every length, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(decodeBase64(text)).toEqual(Uint8Array.from(bytes))
      }),
    )
    const large = new Uint8Array(1_000_000).fill(7)
    expect(encodeBase64(large)).toBe(Buffer.from(large).toString('base64'))
  })

  test('has one spelling for each value', () => {
    for (const text of ['A', 'AA', 'AAA', 'QR==', 'QQ==\n', ' QQ==', 'QQ=', 'Q===', '-_==', 'é']) {
      expect(decodeBase64(text)).toBeUndefined()
    }
  })
})
