// When the challenge is known too early, cheating works. These are the reasons for the order of things in spec C10 and C11.
import { expect, test } from 'bun:test'
import type { DeliveryId, Sha256, TaskId, WorkerId } from '@shardy/protocol'
import { publicSeed } from '../../src/check/challenge.ts'
import { check } from '../../src/check/check.ts'
import type { ClaimCommitment } from '../../src/check/claim.ts'
import { programId } from '../../src/program/encoding.ts'
import { sha256 } from '../sha256.ts'
import { attempt, commitTo, honestClaim, onward, strict } from './claims.ts'
import { columns, forgeryFor, shortVector } from './forgery.ts'
import { binding, requestOf, tools } from './requests.ts'
import { at, change, digestOf, input, noise, program } from './scene.ts'

const leaked = noise(32, 50)
const drawnWith = (seed: Uint8Array) => ({ kind: 'drawn', seed }) as const

test('who knows the drawn seed before committing passes with a false answer', () => {
  const request = requestOf('interactive', attempt(forgeryFor(leaked, 2)))
  expect(request.claim.output).not.toEqual(honestClaim.output)
  expect(check({ ...request, challenge: drawnWith(leaked) }, tools)).toMatchObject({ ok: true })
})

test('the same answer under a seed drawn after it is caught where it lies', () => {
  const request = requestOf('interactive', attempt(forgeryFor(leaked, 2)))
  for (let other = 51; other < 56; other++) {
    const verdict = check({ ...request, challenge: drawnWith(noise(32, other)) }, tools)
    expect(verdict).toEqual({
      ok: false,
      mechanism: 'projection',
      node: at.first,
      line: { axis: 'column', index: 6 },
    })
  }
})

test('who learns a secret projection passes too: it must never leave the checker', () => {
  const honest = requestOf('fixedWeights', attempt(honestClaim))
  const [projection] = [...(honest.projections?.values() ?? [])].filter(
    ({ layout }) => layout === 'matmul 15 15 rows',
  )
  const { elements } = projection?.vectors ?? { elements: new Uint32Array(0) }
  const vectors = [0, 1].map((index) =>
    [...elements.subarray(index * columns, (index + 1) * columns)].slice(0, 6),
  )
  const by = shortVector(vectors)
  const claim = onward(at.first, (tensor) =>
    change(tensor, (entry, index) => entry + (index < 6 ? (by[index] ?? 0) : 0)),
  )
  expect(check(requestOf('fixedWeights', attempt(claim)), tools).ok).toBe(true)
  expect(check(requestOf('interactive', attempt(claim)), tools)).toMatchObject({
    ok: false,
    mechanism: 'projection',
  })
})

const contentOf = (claim: typeof honestClaim, repetitions: number) => ({
  ...binding,
  ...commitTo(claim),
  programId: programId(program, sha256),
  inputDigest: digestOf(input),
  repetitions,
})

test('a forgery made for the public challenge of the honest answer changes the challenge', () => {
  const weak = { ...strict.public, repetitions: 2 }
  const claim = forgeryFor(publicSeed(contentOf(honestClaim, 2), sha256), 2)
  const verdict = check({ ...requestOf('public', attempt(claim)), policy: weak }, tools)
  expect(verdict).toMatchObject({ ok: false, mechanism: 'projection', node: at.first })
})

test('grinding: a public challenge with few values is met by trying, so the bound counts tries', () => {
  // Four bits instead of 256, and one vector instead of six.
  const coarse: Sha256 = (bytes) => {
    const hash = sha256(bytes)
    const isSeed = String.fromCharCode(...bytes.subarray(0, 16)) === 'shardy/challenge'
    return isSeed ? new Uint8Array(32).fill((hash[0] ?? 0) & 15) : hash
  }
  const weak = { ...strict.public, repetitions: 1 }
  const wanted = new Uint8Array(32).fill(3)
  const claims = Array.from({ length: 100 }, (_, index) => forgeryFor(wanted, 1, index + 1))
  const lucky = claims.filter((claim) => publicSeed(contentOf(claim, 1), coarse)[0] === 3)
  expect(lucky.length).toBeGreaterThan(0)
  expect(lucky.length).toBeLessThan(20)
  for (const claim of claims) {
    const request = { ...requestOf('public', attempt(claim)), policy: weak }
    expect(check(request, { ...tools, sha256: coarse }).ok).toBe(lucky.includes(claim))
    expect(check(request, tools)).toMatchObject({ ok: false, mechanism: 'projection', node: at.first })
  }
})

test('a public challenge is of one program, input, task, delivery, worker and claim', () => {
  const content = contentOf(honestClaim, 6)
  const others = [
    { ...content, programId: '11'.repeat(32) as typeof content.programId },
    { ...content, inputDigest: digestOf(noise(75, 60)) },
    { ...content, taskId: '11'.repeat(16) as TaskId },
    { ...content, deliveryId: '11'.repeat(16) as DeliveryId },
    { ...content, workerId: '11'.repeat(32) as WorkerId },
    { ...content, outputDigest: digestOf(noise(1, 61)) },
    { ...content, transcriptRoot: digestOf(noise(1, 61)) },
    { ...content, transcriptRoot: undefined },
    { ...content, repetitions: 5 },
  ]
  const seeds = [content, ...others].map((one) => publicSeed(one, sha256).join())
  expect(new Set(seeds).size).toBe(10)
})

test('what one worker could pass with is refused when another worker hands it in', () => {
  // With three bits of challenge a cheat finds a forgery that passes under its own name.
  const coarse: Sha256 = (bytes) => {
    const hash = sha256(bytes)
    const isSeed = String.fromCharCode(...bytes.subarray(0, 16)) === 'shardy/challenge'
    return isSeed ? new Uint8Array(32).fill((hash[0] ?? 0) & 7) : hash
  }
  const weak = { ...strict.public, repetitions: 1 }
  const own = Array.from({ length: 60 }, (_, index) =>
    forgeryFor(new Uint8Array(32).fill(5), 1, index + 1),
  ).filter((claim) => publicSeed(contentOf(claim, 1), coarse)[0] === 5)
  expect(own.length).toBeGreaterThan(2)
  const passes = (changed: Partial<typeof binding>) =>
    own.filter((claim) => {
      const challenge = { kind: 'public', binding: { ...binding, ...changed } } as const
      return check(
        { ...requestOf('public', attempt(claim)), policy: weak, challenge },
        { ...tools, sha256: coarse },
      ).ok
    }).length
  expect(passes({})).toBe(own.length)
  expect(passes({ workerId: '0a'.repeat(32) as WorkerId })).toBeLessThan(own.length)
  expect(passes({ deliveryId: '0a'.repeat(16) as DeliveryId })).toBeLessThan(own.length)
  expect(passes({ taskId: '0a'.repeat(16) as TaskId })).toBeLessThan(own.length)
})

test('a seed drawn when everything had arrived needs no commitment to the transcript, and finds the same', () => {
  const after = { kind: 'drawn', seed: noise(32, 51), after: 'arrival' } as const
  const free = (claim: typeof honestClaim) => ({ ...commitTo(claim), transcriptRoot: undefined })
  const settle = (claim: typeof honestClaim, commitment: ClaimCommitment = free(claim)) =>
    check({ ...requestOf('interactive', attempt(claim)), commitment, challenge: after }, tools)
  expect(settle(honestClaim).ok).toBe(true)
  expect(settle(forgeryFor(leaked, 2))).toMatchObject({ ok: false, mechanism: 'projection', node: at.first })
  // The output stays bound, and so does a transcript that was committed to.
  const other = commitTo(forgeryFor(leaked, 2))
  expect(settle(honestClaim, { ...other, transcriptRoot: undefined })).toEqual({
    ok: false,
    mechanism: 'digest',
  })
  expect(settle(honestClaim, { ...commitTo(honestClaim), transcriptRoot: other.transcriptRoot })).toEqual({
    ok: false,
    mechanism: 'digest',
  })
})

test('a policy takes its own kind of challenge and no other', () => {
  const request = requestOf('public', attempt(honestClaim))
  expect(() => check({ ...request, challenge: drawnWith(leaked) }, tools)).toThrow(
    'takes a challenge that is public',
  )
})
