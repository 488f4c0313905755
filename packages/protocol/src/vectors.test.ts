/** The golden files hold: everything in them is computed again, and every kept signature verifies. */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { sha256 } from '../test/sha256.ts'
import { folder, keptSignature, readKept, readKeys, readVector, verify } from '../test/vectorFiles.ts'
import { type KeyName, makeVectors } from '../test/vectors.ts'
import {
  attestedPayload,
  decodeFrame,
  encodeFrame,
  encodeHex,
  hello,
  isSignature,
  quorum,
  receipt,
  receiptPayload,
  type Sender,
  workerIdOf,
} from './index.ts'

const keys = await readKeys()
const kept = readKept()
const { files } = await makeVectors(keys, async (key, payload) => {
  const signature = await keptSignature(kept, key, payload)
  if (signature === undefined)
    throw new Error(`no signature is kept for ${key.name} over ${encodeHex(payload)}`)
  return signature
})
const bytesOf = (text: string) => Uint8Array.fromHex(text)

describe('vectors/wire', () => {
  for (const [name, content] of Object.entries(files)) {
    test(`${name} is what the code makes`, () => expect(readVector(name)).toEqual(content))
  }

  test('holds these files, and the reader page that explains them', () => {
    const wanted = [...Object.keys(files), 'README.md', 'signatures.json'].toSorted()
    expect(readdirSync(folder).toSorted()).toEqual(wanted)
  })
})

test('every kept signature is low-s, verifies under its key and under no other', async () => {
  expect(kept.length).toBeGreaterThan(3)
  for (const { key, payload, signature } of kept) {
    expect(isSignature(bytesOf(signature))).toBe(true)
    for (const candidate of Object.values(keys)) {
      const verifies = await verify(candidate, bytesOf(payload), bytesOf(signature))
      expect(verifies).toBe(candidate.name === (key as KeyName))
    }
  }
})

interface FramesFile {
  readonly frames: readonly { name: string; type: string; senders: readonly Sender[]; bytes: string }[]
}
describe('frames.json', () => {
  const { frames } = readVector('frames.json') as FramesFile
  for (const { name, type, senders, bytes } of frames) {
    test(`${type}: ${name}`, () => {
      for (const sender of senders) {
        const decoded = decodeFrame(bytesOf(bytes), sender)
        if (!decoded.ok) throw new Error(decoded.refusal.kind)
        expect<string>(decoded.value.type).toBe(type)
        expect(encodeHex(encodeFrame(decoded.value.type, decoded.value.body as never))).toBe(bytes)
      }
    })
  }
})

interface RefusedFile {
  readonly refused: readonly { name: string; sender: Sender; bytes: string; kind: string; field: string }[]
}
describe('refused.json', () => {
  const { refused } = readVector('refused.json') as RefusedFile
  for (const { name, sender, bytes, kind, field } of refused) {
    test(name, () => {
      const decoded = decodeFrame(bytesOf(bytes), sender)
      expect(decoded.ok ? 'accepted' : decoded.refusal).toMatchObject({ kind, field })
    })
  }
})

test('the hello of the frames is the one whose payload is signed', async () => {
  const { payload, signature } = readVector('hello.json') as { payload: string; signature: string }
  const { frames } = readVector('frames.json') as FramesFile
  const frame = frames.find(({ type }) => type === 'hello')
  const decoded = hello.decodeAt(bytesOf(frame?.bytes ?? ''), 1)
  if (!decoded.ok) throw new Error(decoded.refusal.kind)
  expect(encodeHex(decoded.value.signature)).toBe(signature)
  expect(await verify(keys['worker-a'], bytesOf(payload), bytesOf(signature))).toBe(true)
})

describe('receipt.json', () => {
  const file = readVector('receipt.json') as { bytes: string; input: string; output: string }
  const decoded = receipt.decode(bytesOf(file.bytes))
  if (!decoded.ok) throw new Error(decoded.refusal.kind)
  const value = decoded.value

  test('a stranger can check it from its bytes alone (spec R3)', async () => {
    expect(await verify(keys.orchestrator, receiptPayload(value), value.signature)).toBe(true)
    expect<string>(value.inputDigest).toBe(encodeHex(sha256(bytesOf(file.input))))
    expect<string>(value.outputDigest).toBe(encodeHex(sha256(bytesOf(file.output))))
    for (const [index, delivery] of value.deliveries.entries()) {
      const { deliveryId, workerKey, deadlineMs, answer } = delivery
      const common = {
        traceRoot: undefined,
        taskId: value.taskId,
        deliveryId,
        programId: value.programId,
        seed: value.seed,
        inputDigest: value.inputDigest,
        workerId: workerIdOf(workerKey, sha256),
        deadlineMs,
      }
      const delivered = { ...common, role: 'delivery', outputDigest: undefined } as const
      const handed = attestedPayload(delivered, delivery.attestation, sha256) ?? new Uint8Array(0)
      expect(await verify(keys.orchestrator, handed, delivery.attestation.signature)).toBe(true)
      if (answer === undefined) throw new Error('both workers answered')
      const answered = {
        ...common,
        role: 'result',
        outputDigest: answer.outputDigest,
        traceRoot: answer.traceRoot,
      } as const
      const said = attestedPayload(answered, answer.attestation, sha256) ?? new Uint8Array(0)
      const worker = index === 0 ? keys['worker-a'] : keys['worker-b']
      expect(encodeHex(worker.publicKey)).toBe(encodeHex(workerKey))
      expect(await verify(worker, said, answer.attestation.signature)).toBe(true)
    }
  })

  test('a receipt that says anything else does not verify', async () => {
    const changed = receiptPayload({ ...value, verify: quorum(3, 2) })
    expect(await verify(keys.orchestrator, changed, value.signature)).toBe(false)
  })
})
