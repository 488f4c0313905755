/**
 * Mutates proofs in bytes and in JSON, signals and keys for as long as it is told, from a seed that it prints. Ours is asked alone and in a
 * batch between good ones. What it accepts, snarkjs must accept too (which checks no subgroup and no counts, so those are checked here by
 * construction), what was not mutated must be accepted, and nothing may throw.
 *
 *   npm run fuzz -w @shardy/proofs -- --minutes 1 [--seed N]
 */
import { parseArgs } from 'node:util'
import { buildBn128 } from 'ffjavascript'
import { groth16 as peer } from 'snarkjs'
import { readElement, writeElement } from '../src/bn254/bytes.ts'
import {
  baseOrder,
  fieldOrder,
  openVerifier,
  parseVerifyingKey,
  proofFromText,
  proofToJson,
  type Statement,
  signalsFromJson,
  type Verdict,
} from '../src/index.ts'
import { rerandomize } from './rerandomize.ts'
import { twistPoint } from './twist.ts'
import { openV2Verifier, proveV2, v2KeyJson } from './v2.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } })
const endMs = performance.now() + Number(values.minutes ?? 1) * 60_000
const seed = Number(values.seed ?? Date.now() % 2 ** 32) >>> 0

let state = seed
/** Mulberry32. */
function random(bound: number): number {
  state = (state + 0x6d2b79f5) >>> 0
  let mixed = Math.imul(state ^ (state >>> 15), state | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
}
const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T
const wide = (): bigint =>
  Array.from({ length: 8 }).reduce<bigint>((sum) => (sum << 32n) | BigInt(random(2 ** 32)), 0n)

globalThis.curve_bn128 ??= await buildBn128(true)
const keyJson = v2KeyJson()
const verifier = await openV2Verifier()
const good = await proveV2(8)
const strays = Array.from({ length: 16 }, (_, index) => twistPoint(BigInt(index + 1)))

const interesting = (): bigint =>
  pick([
    0n,
    1n,
    2n,
    3n,
    baseOrder - 1n,
    baseOrder,
    baseOrder + 1n,
    fieldOrder,
    fieldOrder - 1n,
    2n ** 256n - 1n,
    wide(),
    wide() >> 2n,
  ])

type Mutation = (statement: Statement) => Statement

function onProof(change: (proof: Uint8Array) => Uint8Array | undefined): Mutation {
  return ({ proof, signals }) => {
    const own = new Uint8Array(proof)
    return { proof: change(own) ?? own, signals }
  }
}

const mutations: Readonly<Record<string, Mutation>> = {
  bit: onProof((proof) => {
    const bit = random(2_048)
    proof[bit >> 3] = (proof[bit >> 3] as number) ^ (1 << (bit & 7))
    return undefined
  }),
  bytes: onProof((proof) => {
    for (let count = 1 + random(8); count > 0; count--) proof[random(256)] = random(256)
    return undefined
  }),
  element: onProof((proof) => void writeElement(proof, 32 * random(8), interesting())),
  shifted: onProof((proof) => {
    const at = 32 * random(8)
    writeElement(proof, at, (readElement(proof, at) + baseOrder) % 2n ** 256n)
    return undefined
  }),
  negated: onProof((proof) => {
    const at = 32 * random(8)
    const value = readElement(proof, at)
    if (value < baseOrder) writeElement(proof, at, baseOrder - value)
    return undefined
  }),
  exchanged: onProof((proof) => {
    const [from, to] = [random(8), random(8)]
    const length = 32 * pick([1, 2, 4])
    return Uint8Array.from(proof)
      .fill(0)
      .map((_, index) =>
        index >= 32 * to && index < 32 * to + length
          ? (proof[(index - 32 * to + 32 * from) % 256] as number)
          : (proof[index] as number),
      )
  }),
  foreign: onProof((proof) => {
    const [at, end] = pick([
      [0, 64],
      [64, 192],
      [192, 256],
    ] as const)
    proof.set(pick(good).proof.subarray(at, end), at)
    return undefined
  }),
  stray: onProof((proof) => {
    const [x, y] = pick(strays)
    for (const [index, value] of [x[1], x[0], y[1], y[0]].entries())
      writeElement(proof, 64 + 32 * index, value)
    return undefined
  }),
  zeros: onProof(
    (proof) =>
      void proof.fill(
        0,
        ...pick([
          [0, 64],
          [64, 192],
          [192, 256],
          [0, 256],
        ] as [number, number][]),
      ),
  ),
  length: onProof((proof) =>
    random(2) === 0
      ? proof.subarray(0, random(256))
      : Uint8Array.from([...proof, ...proof].slice(0, 257 + random(200))),
  ),
  rerandomized: onProof((proof) => {
    const z = wide() % fieldOrder
    return z === 0n ? undefined : rerandomize(proof, z)
  }),
  signal: ({ proof, signals }) => ({ proof, signals: signals.with(random(4), interesting()) }),
  signalShifted: ({ proof, signals }) => {
    const index = random(4)
    return {
      proof,
      signals: signals.with(index, (signals[index] as bigint) + pick([fieldOrder, -fieldOrder, 1n, -1n])),
    }
  },
  signalCount: ({ proof, signals }) => ({
    proof,
    signals: pick([signals.slice(random(4)), [...signals, 0n], []]),
  }),
  none: (statement) => statement,
}
/** What remains a true statement. */
const harmless: readonly string[] = ['none', 'rerandomized']

const counts: Record<string, number> = {}
const count = (name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}
const faults: string[] = []
const fault = (text: string): void => {
  if (faults.length < 20) faults.push(text)
}

const codeOf = (verdict: Verdict): string => (verdict.ok ? 'accepted' : verdict.refusal.code)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function peerAccepts({ proof, signals }: Statement): Promise<boolean> {
  const json = proofToJson(proof)
  return (
    json.ok && signals.length === 4 && (await peer.verify(keyJson as never, signals.map(String), json.value))
  )
}

async function tryStatements(): Promise<void> {
  const names = Array.from({ length: 1 + random(6) }, () => pick(Object.keys(mutations)))
  const items = names.map((name) => (mutations[name] as Mutation)(pick(good)))
  const alone = items.map(({ proof, signals }) => verifier.verify(proof, signals))
  const together = verifier.verifyBatch(items)
  for (const [index, name] of names.entries()) {
    const item = items[index] as Statement
    const [one, other] = [codeOf(alone[index] as Verdict), codeOf(together[index] as Verdict)]
    const shown = `${name}: ${hex(item.proof)} ${item.signals.join()}`
    count(one)
    if (one !== other) fault(`${one} alone and ${other} in a batch: ${shown}`)
    if (harmless.includes(name) && one !== 'accepted')
      fault(`a true statement was refused as ${one}: ${shown}`)
    if (!harmless.includes(name) && one === 'accepted') {
      count('acceptedMutated')
      const isSame = good.some(
        ({ proof, signals }) => hex(proof) === hex(item.proof) && signals.join() === item.signals.join(),
      )
      if (!isSame && !(await peerAccepts(item))) fault(`accepted, and snarkjs refuses: ${shown}`)
    }
  }
}

const characters = '0123456789"[]{},:.-+eE \\u\n\0abcpi_'
function mutateText(text: string): string {
  const at = random(text.length + 1)
  switch (random(6)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + pick([...characters]) + text.slice(at)
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random(4))
    case 3:
      return text.slice(0, at) + pick([...characters]) + text.slice(at + 1)
    case 4:
      return text.replace(
        pick(['"1"', '"0"', 'groth16', 'bn128', 'pi_a']),
        pick(['"0"', '"1"', '"01"', 'null', 'plonk', 'pi_c', '[]']),
      )
    default:
      return text.slice(0, at) + text.slice(random(text.length))
  }
}

function tryText(): void {
  const { proof, signals } = pick(good)
  const json = proofToJson(proof)
  if (!json.ok) throw new Error(json.refusal.detail)
  const text = mutateText(JSON.stringify(json.value))
  const parsed = proofFromText(text)
  count(parsed.ok ? 'textRead' : `text:${parsed.refusal.code}`)
  if (parsed.ok) {
    const back = proofToJson(parsed.value)
    // Points that no number spells are found by the verifier; the two forms must agree where both exist.
    if (
      back.ok &&
      JSON.stringify(back.value) !== JSON.stringify(JSON.parse(text)) &&
      !sameFields(back.value, JSON.parse(text))
    )
      fault(`two spellings of one proof: ${text}`)
    const verdict = verifier.verify(parsed.value, signals)
    if (verdict.ok && hex(parsed.value) !== hex(proof)) fault(`accepted another proof from text: ${text}`)
  }
  signalsFromJson(pick([null, signals.map(String), [mutateText(String(signals[0]))], { length: 4 }, [text]]))
}

/** Fields of an object have no order in JSON. */
function sameFields(one: object, other: object): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort())
}

async function tryKey(): Promise<void> {
  let json: unknown
  try {
    json = JSON.parse(mutateText(JSON.stringify(keyJson)))
  } catch {
    return count('key:unreadable')
  }
  const parsed = parseVerifyingKey(json)
  const opened = parsed.ok ? await openVerifier(parsed.value) : parsed
  if (!opened.ok) return count(`key:${opened.refusal.code}`)
  count('keyOpened')
  const { proof, signals } = pick(good)
  const isAccepted = signals.length === opened.value.signalCount && opened.value.verify(proof, signals).ok
  const fields = ['IC', 'vk_alpha_1', 'vk_beta_2', 'vk_gamma_2', 'vk_delta_2', 'nPublic']
  const isSame = fields.every(
    (field) => JSON.stringify((json as typeof keyJson)[field]) === JSON.stringify(keyJson[field]),
  )
  if (isAccepted && !isSame) fault(`a proof holds under another key: ${JSON.stringify(json)}`)
}

console.error(`seed ${seed}`)
let [rounds, nextReportMs] = [0, 0]
while (performance.now() < endMs && faults.length === 0) {
  const before = state
  try {
    await tryStatements()
    for (let turn = 0; turn < 4; turn++) tryText()
    if (random(4) === 0) await tryKey()
  } catch (error) {
    fault(`threw in the round from state ${before}: ${String(error)}`)
  }
  rounds++
  if (performance.now() >= nextReportMs) {
    nextReportMs = performance.now() + 30_000
    console.error(`… ${rounds} rounds: ${JSON.stringify(counts)}`)
  }
}
for (const text of faults) console.error(text)
console.log(JSON.stringify({ seed, rounds, faults: faults.length, counts }))
process.exit(faults.length === 0 ? 0 : 1)
