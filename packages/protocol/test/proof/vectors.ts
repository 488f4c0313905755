/** What `vectors/digest` holds, made from the definition. */
import { fold, idElements, outputDigest, position, reduce } from './definition.ts'

/** Byte i is (167 i + 13) modulo 256: outputs too long to write down are said by their length. */
export function numbered(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 167 + 13) & 0xff)
}

const lengths = [0, 1, 2, 31, 32, 33, 55, 56, 63, 64, 65, 127, 128, 129, 1_000, 65_536, 1_048_576, 1_048_577]

const outputs = lengths.map((outputLength) => {
  const digest = outputDigest(numbered(outputLength))
  return { outputLength, outputDigest: digest, ...fold(digest, outputLength) }
})

const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const hex = (value: bigint, bytes: number) => value.toString(16).padStart(2 * bytes, '0')

/** Digests that are numbers on both sides of r and of its multiples, and lengths of every size. */
const digests = [
  { outputDigest: '00'.repeat(32), outputLength: 0 },
  { outputDigest: '00'.repeat(32), outputLength: 1 },
  { outputDigest: '00'.repeat(32), outputLength: 256 },
  { outputDigest: '00'.repeat(32), outputLength: 4_294_967_296 },
  { outputDigest: '00'.repeat(32), outputLength: Number.MAX_SAFE_INTEGER },
  { outputDigest: `${'00'.repeat(31)}01`, outputLength: 0 },
  ...[order - 1n, order, order + 1n, 5n * order - 1n, 5n * order, 5n * order + 1n].map((value) => ({
    outputDigest: hex(value, 32),
    outputLength: 32,
  })),
  { outputDigest: 'ff'.repeat(32), outputLength: 67_108_864 },
].map((one) => ({ ...one, ...fold(one.outputDigest, one.outputLength) }))

const most = 2n ** 512n - 1n
const greatestMultiple = most - (most % order)
const reductions = [
  0n,
  1n,
  order - 1n,
  order,
  order + 1n,
  2n * order - 1n,
  2n * order,
  2n ** 254n,
  2n ** 256n - 1n,
  2n ** 256n,
  2n ** 256n * order - 1n,
  2n ** 256n * order,
  2n ** 256n * (order - 1n) + order,
  (2n ** 256n - 1n) * 2n ** 256n,
  greatestMultiple - 1n,
  greatestMultiple,
  greatestMultiple + 1n,
  most,
].map((value) => ({ wide: hex(value, 64), value: reduce(hex(value, 64)) }))

const elements = [0n, 1n, 255n, 256n, 2n ** 128n, order - 1n].map((value) => ({
  value: value.toString(),
  bytes: hex(value, 32),
}))
const refusedElements = [
  { name: 'r itself', bytes: hex(order, 32) },
  { name: 'r + 1, another spelling of 1', bytes: hex(order + 1n, 32) },
  { name: 'the greatest number of 32 bytes', bytes: 'ff'.repeat(32) },
  { name: 'nothing', bytes: '' },
  { name: '31 bytes', bytes: '00'.repeat(31) },
  { name: '33 bytes', bytes: '00'.repeat(33) },
]

const taskId = '000102030405060708090a0b0c0d0e0f'
const deliveryId = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'
const workerId = `${'ff'.repeat(16)}${'00'.repeat(15)}01`
const output = { outputLength: 65, outputDigest: outputDigest(numbered(65)) }
const resultDigest = fold(output.outputDigest, output.outputLength).value

const v2 = [
  { taskId, seed: '0', ...output },
  { taskId: 'ff'.repeat(16), seed: '18446744073709551615', ...output },
].map((one) => ({ ...one, signals: [...idElements(one.taskId), one.seed, '65', resultDigest] }))

const commitments = { commitA: '1', commitB: '2', commitIn: '3', commitOut: (order - 1n).toString() }
const positions = [
  [0, 0, 0, 0],
  [1, 2, 3, 4],
  [4_294_967_295, 0, 0, 4_294_967_295],
  [0, 4_294_967_295, 1, 0],
] as const
const v3 = positions.map(([node, tileRow, tileColumn, depth]) => ({
  taskId,
  deliveryId,
  workerId,
  ...output,
  position: { node, tileRow, tileColumn, depth },
  ...commitments,
  signals: [
    ...idElements(taskId),
    ...idElements(deliveryId),
    ...idElements(workerId),
    resultDigest,
    position(node, tileRow, tileColumn, depth),
    ...Object.values(commitments),
  ],
}))

export function makeVectors() {
  return {
    'fold.json': { outputs, digests },
    'reduction.json': { reductions },
    'elements.json': { elements, refused: refusedElements },
    'signals.json': { v2, v3 },
  }
}
