/** The golden files hold: each is what the definition makes, and what the code computes from its bytes. */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { folder, readVector } from '../../test/proof/vectorFiles.ts'
import { makeVectors, numbered } from '../../test/proof/vectors.ts'
import { sha256 } from '../../test/sha256.ts'
import type { DeliveryId, Digest, TaskId, WorkerId } from '../ids.ts'
import { encodeHex } from '../schema/hex.ts'
import { decodeFieldElement, encodeFieldElement } from './field.ts'
import { foldDigest, foldOutputToField, reduceWide } from './fold.ts'
import { taskProofV2Signals, taskProofV3Signals } from './signals.ts'

const files = makeVectors()

test('the files are these, and what the definition makes', () => {
  expect(readdirSync(folder).toSorted()).toEqual([...Object.keys(files), 'README.md'].toSorted())
  for (const [name, content] of Object.entries(files)) expect(readVector(name)).toEqual(content)
})

describe('fold.json', () => {
  const { outputs, digests } = files['fold.json']
  test.each(outputs)('an output of $outputLength bytes', ({ outputLength, value }) => {
    expect(foldOutputToField(numbered(outputLength), sha256).toString()).toBe(value)
  })
  test.each([...outputs, ...digests])('$outputDigest, $outputLength', (one) => {
    expect(foldDigest(one.outputDigest as Digest, one.outputLength, sha256).toString()).toBe(one.value)
    expect(reduceWide(Uint8Array.fromHex(one.h0 + one.h1)).toString()).toBe(one.value)
  })
})

test.each(files['reduction.json'].reductions)('$wide modulo r', ({ wide, value }) => {
  expect(reduceWide(Uint8Array.fromHex(wide)).toString()).toBe(value)
})

describe('elements.json', () => {
  const { elements, refused } = files['elements.json']
  test.each(elements)('$value', ({ value, bytes }) => {
    expect(encodeHex(encodeFieldElement(BigInt(value)))).toBe(bytes)
    expect(decodeFieldElement(Uint8Array.fromHex(bytes))).toBe(BigInt(value))
  })
  test.each(refused)('$name is refused', ({ bytes }) => {
    expect(decodeFieldElement(Uint8Array.fromHex(bytes))).toBeUndefined()
  })
})

describe('signals.json', () => {
  const { v2, v3 } = files['signals.json']
  test.each(v2)('v2 of $taskId, seed $seed', ({ signals, taskId, seed, outputDigest, outputLength }) => {
    const said = {
      taskId: taskId as TaskId,
      seed: BigInt(seed),
      outputDigest: outputDigest as Digest,
      outputLength,
    }
    expect(taskProofV2Signals(said, sha256).map(String)).toEqual(signals)
  })
  test.each(v3)('v3 at $position', ({ signals, ...said }) => {
    const block = {
      taskId: said.taskId as TaskId,
      deliveryId: said.deliveryId as DeliveryId,
      workerId: said.workerId as WorkerId,
      outputDigest: said.outputDigest as Digest,
      outputLength: said.outputLength,
      position: said.position,
      commitA: BigInt(said.commitA),
      commitB: BigInt(said.commitB),
      commitIn: BigInt(said.commitIn),
      commitOut: BigInt(said.commitOut),
    }
    expect(taskProofV3Signals(block, sha256).map(String)).toEqual(signals)
  })
})
