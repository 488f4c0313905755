/** Bytes that every reader must refuse, each with the kind of the refusal and the field that it names. */
import {
  type Delivery,
  encodeFrame,
  encodeHex,
  type Hello,
  isSignature,
  type Refusal,
  type Sender,
  type Signature,
  scalarFieldOrder,
} from '../src/index.ts'

export interface RefusedFrame {
  readonly name: string
  readonly sender: Sender
  readonly bytes: Uint8Array
  readonly kind: Refusal['kind']
  readonly field: string
}

const id = '11'.repeat(16)
const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(' ', ''))

const digest = '44'.repeat(32)
const signatureAs = (number: number) =>
  `${(8 * number + 2).toString(16).padStart(2, '0')}40${'11'.repeat(64)}`
/** Task, delivery, seed, deadline. */
const batchDelivery = `0a10 ${id} 1210 ${id} 21 0000000000000001 2805`

/** What must be refused and why; the name says what is wrong with it. */
export function refusedFrames(valid: {
  readonly delivery: Delivery
  readonly hello: Hello
}): readonly RefusedFrame[] {
  const delivery = encodeFrame('delivery', valid.delivery)
  const hello = encodeFrame('hello', valid.hello)
  const table: readonly [string, Sender, string | Uint8Array, Refusal['kind'], string][] = [
    ['no bytes', 'worker', '', 'truncated', 'frame'],
    ['frame number zero', 'worker', '00', 'unknownFrame', 'frame'],
    ['a frame number not in use', 'worker', '63', 'unknownFrame', 'frame'],
    ['a frame of the other side', 'worker', delivery, 'unexpectedFrame', 'delivery'],
    ['a body that is not there', 'worker', '09', 'missing', 'Ack.deliveryId'],
    ['a body cut in a value', 'worker', `09 0a10 ${id.slice(2)}`, 'truncated', 'Ack.deliveryId'],
    ['a body cut in a tag', 'worker', `09 0a10 ${id} 80`, 'truncated', 'Ack'],
    ['an id too short', 'worker', `09 0a0f ${id.slice(2)}`, 'wrongLength', 'Ack.deliveryId'],
    ['an id too long', 'worker', `09 0a11 ${id}11`, 'wrongLength', 'Ack.deliveryId'],
    ['an unknown field', 'worker', `09 0a10 ${id} 1001`, 'unknownField', 'Ack'],
    ['field number zero', 'worker', `09 0a10 ${id} 00`, 'unknownField', 'Ack'],
    ['an id as a varint', 'worker', '09 0801', 'wrongWireType', 'Ack.deliveryId'],
    ['a field twice', 'worker', `09 0a10 ${id} 0a10 ${id}`, 'nonCanonical', 'Ack'],
    ['a length in two bytes where one is enough', 'worker', `09 0a9000 ${id}`, 'nonCanonical', 'Ack'],
    ['a tag in two bytes where one is enough', 'worker', `09 8a0010 ${id}`, 'nonCanonical', 'Ack'],
    ['fields in another order', 'worker', `0a 1005 0a10 ${id}`, 'nonCanonical', 'Progress'],
    [
      'a number in two bytes where one is enough',
      'worker',
      `0a 0a10 ${id} 108500`,
      'nonCanonical',
      'Progress',
    ],
    ['zero spelled out', 'worker', `0a 0a10 ${id} 1000`, 'nonCanonical', 'Progress'],
    ['a number over its limit', 'worker', `0a 0a10 ${id} 10e907`, 'outOfRange', 'Progress.permille'],
    ['a number of 2^53', 'worker', `0a 0a10 ${id} 108080808080808010`, 'outOfRange', 'Progress.permille'],
    ['an endless number', 'worker', `0a 0a10 ${id} 10 ${'80'.repeat(20)}`, 'outOfRange', 'Progress.permille'],
    ['a number below its limit', 'worker', '05 1080c0f401 1800', 'outOfRange', 'ProfileV2.slots'],
    ['a choice of zero', 'worker', '07 0800', 'unknownChoice', 'Presence.state'],
    ['a choice beyond the list', 'worker', '07 0805', 'unknownChoice', 'Presence.state'],
    ['a choice left out', 'worker', '07', 'missing', 'Presence.state'],
    ['a text with a line break', 'worker', `0b 0a10 ${id} 1001 1a010a`, 'badText', 'Reject.message'],
    ['a text in UTF-8', 'worker', `0b 0a10 ${id} 1001 1a02c3a9`, 'badText', 'Reject.message'],
    ['a text over its limit', 'worker', `0b 0a10 ${id} 1001 1a8102`, 'tooLong', 'Reject.message'],
    ['an empty text spelled out', 'worker', `0b 0a10 ${id} 1001 1a00`, 'nonCanonical', 'Reject'],
    [
      'an amount of 2^63',
      'orchestrator',
      `16 0a1f 0a10 ${id} 1001 1880808080808080808001`,
      'outOfRange',
      'Settlements.settlements.rewardMicroCredit',
    ],
    ['a number that was a frame once', 'worker', `0d 0a10 ${id}`, 'unknownFrame', 'frame'],
    [
      'a batch without deliveries',
      'orchestrator',
      `12 ${signatureAs(3)}`,
      'inconsistent',
      'Deliveries.deliveries',
    ],
    [
      'a delivery of a program that the batch does not list',
      'orchestrator',
      `12 122f ${batchDelivery} ${signatureAs(3)}`,
      'inconsistent',
      'Deliveries.deliveries',
    ],
    [
      'a batch that is not signed',
      'orchestrator',
      `12 122f ${batchDelivery}`,
      'missing',
      'Deliveries.signature',
    ],
    [
      'a small payload over its limit',
      'orchestrator',
      '12 1204 32818001',
      'tooLong',
      'Deliveries.deliveries.payload',
    ],
    ['a batch without answers', 'worker', `13 ${signatureAs(2)}`, 'inconsistent', 'Results.results'],
    [
      'an answer without its leaf',
      'worker',
      `13 0a34 0a10 ${id} 1220 ${digest} ${signatureAs(2)}`,
      'missing',
      'Results.results.leaf',
    ],
    [
      'more in a list than it holds',
      'orchestrator',
      `15 ${`0a10 ${id}`.repeat(257)}`,
      'tooLong',
      'Closings.deliveryIds',
    ],
    [
      'a transcript part without bytes',
      'worker',
      `10 0a10 ${id} 1220 ${digest} 1801 4000`,
      'outOfRange',
      'Result.partLengths',
    ],
    [
      'more cells than are opened at once',
      'orchestrator',
      `19 0a10 ${id} ${'1001'.repeat(17)}`,
      'tooLong',
      'BenchmarkOpen.indexes',
    ],
    ['sums of a tile without blocks', 'worker', `1e 0a10 ${id}`, 'inconsistent', 'AuditSums.commitments'],
    [
      'a commitment of r, which is zero once more',
      'worker',
      `1e 0a10 ${id} 1220 ${scalarFieldOrder.toString(16)}`,
      'outOfRange',
      'AuditSums.commitments',
    ],
    [
      'a commitment of 31 bytes',
      'worker',
      `1e 0a10 ${id} 121f ${digest.slice(2)}`,
      'wrongLength',
      'AuditSums.commitments',
    ],
    [
      'a block deeper than there are',
      'orchestrator',
      `1f 0a10 ${id} 108020`,
      'outOfRange',
      'AuditBlock.depth',
    ],
    [
      'a block proven by kind v2',
      'worker',
      `20 0a10 ${id} 128702 0801 1002 1a8002 ${'07'.repeat(256)}`,
      'inconsistent',
      'AuditProof.proof',
    ],
    ['a tier that is none', 'orchestrator', '1b 0804', 'outOfRange', 'Admitted.tier'],
    [
      'a commitment of the other side',
      'orchestrator',
      `14 0a34 0a10 ${id} 1220 ${digest}`,
      'unexpectedFrame',
      'commits',
    ],
    [
      'versions from newest to oldest',
      'orchestrator',
      challenge(2, 1, 4),
      'inconsistent',
      'Challenge.versionMin',
    ],
    [
      'a public key in compressed form',
      'orchestrator',
      challenge(1, 1, 2),
      'badPublicKey',
      'Challenge.publicKey',
    ],
    ['a flag of two', 'worker', resultWithFlag(2), 'nonCanonical', 'Result'],
    ['a flag of false spelled out', 'worker', resultWithFlag(0), 'nonCanonical', 'Result'],
    ['a packed list', 'worker', replaced(hello, '2001', '220101'), 'wrongWireType', 'Hello.kinds'],
    ['a list over its limit', 'worker', replaced(hello, '2001', '2001'.repeat(17)), 'tooLong', 'Hello.kinds'],
    ['a seed cut', 'orchestrator', `08 29 0102030405`, 'truncated', 'Delivery.seed'],
    [
      'a nested message longer than the frame',
      'orchestrator',
      delivery.slice(0, -1),
      'truncated',
      'Delivery.attestation',
    ],
    ['a nested message without its fields', 'worker', `10 2a00`, 'missing', 'Result.attestation.signature'],
    [
      'a nested index outside its count',
      'worker',
      resultWithIndex(),
      'inconsistent',
      'Result.attestation.index',
    ],
    [
      'a signature with a high s',
      'worker',
      replaced(hello, encodeHex(valid.hello.signature), encodeHex(highS(valid.hello.signature))),
      'badSignature',
      'Hello.signature',
    ],
    ['a byte too many', 'orchestrator', new Uint8Array([...delivery, 0x80]), 'truncated', 'Delivery'],
  ]
  return table.map(([name, sender, bytes, kind, field]) => ({
    name,
    sender,
    bytes: typeof bytes === 'string' ? hex(bytes) : bytes,
    kind,
    field,
  }))
}

/** How a reader can tell: only the low-s form of a signature is accepted. */
export function signatureForms(valid: Signature) {
  const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
  const half = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8'
  const aboveHalf = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9'
  const [one, zero] = ['01'.padStart(64, '0'), '00'.repeat(32)]
  const forms = [
    ['a signature as it is sent', encodeHex(valid)],
    ['the same with n - s', encodeHex(highS(valid))],
    ['s is n/2', one + half],
    ['s is n/2 + 1', one + aboveHalf],
    ['s is zero', one + zero],
    ['r is zero', zero + one],
    ['r is n', order + one],
    ['r and s are one', one + one],
  ] as const
  return forms.map(([name, bytes]) => ({ name, bytes, isAccepted: isSignature(hex(bytes)) }))
}

/** The other valid form of the same signature. */
function highS(valid: Uint8Array): Uint8Array {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const s = BigInt(`0x${encodeHex(valid.subarray(32))}`)
  return new Uint8Array([...valid.subarray(0, 32), ...hex((order - s).toString(16).padStart(64, '0'))])
}

/** With one stretch of bytes replaced, at the only place where it occurs. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const parts = encodeHex(bytes).split(from)
  if (parts.length !== 2) throw new Error(`${from} occurs ${parts.length - 1} times`)
  return hex(parts.join(to))
}

function challenge(versionMin: number, versionMax: number, firstByte: number): string {
  const point = `0${firstByte}${'22'.repeat(64)}`
  return `01 080${versionMin} 100${versionMax} 1a20 ${'33'.repeat(32)} 2241 ${point} 2801`
}

const attestationOf = (fields: string) => `2a${((fields.length / 2).toString(16)).padStart(2, '0')}${fields}`
const someSignature = `0a40${'11'.repeat(64)}`

function resultWithFlag(flag: number): string {
  return `10 0a10 ${id} 1220 ${digest} 1801 200${flag} ${attestationOf(`${someSignature}1801`)}`
}

function resultWithIndex(): string {
  return `10 0a10 ${id} 1220 ${digest} 1801 ${attestationOf(`${someSignature}10011801`)}`
}
