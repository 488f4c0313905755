/** One admission at a desk: a clock, and workers whose words a test says one by one. */
import { createHash } from 'node:crypto'
import type { WorkerId } from '@shardy/protocol'
import {
  type AdmissionPolicy,
  type AdmissionState,
  defaultAdmissionPolicy,
  type Effect,
  emptyState,
  type Input,
  type Likeness,
  nextDueMs,
  step,
} from '../src/index.ts'

export const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
export const workerId = (index: number) => index.toString(16).padStart(64, '0') as WorkerId

type Said = Input extends infer Each ? (Each extends Input ? Omit<Each, 'atMs'> : never) : never
export type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>

export interface Desk {
  readonly state: AdmissionState
  nowMs(): number
  say(input: Said): readonly Effect[]
  /** Lets time pass, with a tick whenever one is due; all that follows. */
  pass(ms: number): readonly Effect[]
}

export function openDesk(overrides: Partial<AdmissionPolicy> = {}, seed = 1): Desk {
  const policy = { ...defaultAdmissionPolicy, ...overrides }
  let atMs = 1_000_000
  const plan = ({ chain, device }: Likeness, rate: number | undefined) => {
    const first = chain === 'lite' ? policy.liteFirstOperations : policy[`${device}FirstOperations`]
    return { chain, operations: Math.max(first, Math.round(((rate ?? 0) * policy.targetMs) / 1_000)) }
  }
  const state = emptyState({ policy, sha256, seed: sha256(Uint8Array.of(seed)), plan })
  const say = (input: Said) => step(state, { ...input, atMs } as Input)
  return {
    state,
    nowMs: () => atMs,
    say,
    pass(ms) {
      const untilMs = atMs + ms
      const effects: Effect[] = []
      for (let due = nextDueMs(state); due !== undefined && due <= untilMs; due = nextDueMs(state)) {
        atMs = Math.max(atMs, due)
        effects.push(...say({ kind: 'tick' }))
      }
      atMs = untilMs
      return effects
    },
  }
}

export const someLikeness: Likeness = { chain: 'product', device: 'cpu', groups: ['10.0.0.0/24'] }

export function only<Kind extends Effect['kind']>(effects: readonly Effect[], kind: Kind): EffectOf<Kind> {
  const found = effects.filter((effect): effect is EffectOf<Kind> => effect.kind === kind)
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} among ${JSON.stringify(effects)}`)
  return found[0] as EffectOf<Kind>
}

/** An answer to what was asked, at that rate, with honest openings; what follows from the verdict. */
export function answer(desk: Desk, asked: EffectOf<'ask'>, rate: number, stableBytes = 0): readonly Effect[] {
  let current = asked
  for (;;) {
    const { workerId, benchmarkId, plan } = current
    desk.pass(Math.round((plan.operations * 1_000) / rate))
    const effects = desk.say({ kind: 'root', workerId, benchmarkId, stableBytes })
    const next = effects.find((effect) => effect.kind === 'ask')
    if (next === undefined) return prove(desk, current)
    current = next
  }
}

export function prove(desk: Desk, { workerId, benchmarkId }: EffectOf<'ask'>): readonly Effect[] {
  desk.say({ kind: 'opened', workerId, benchmarkId, roundTripMs: 0 })
  return desk.say({ kind: 'judged', workerId, benchmarkId, verdict: { kind: 'right' } })
}

export function arrive(desk: Desk, index: number, likeness = someLikeness): readonly Effect[] {
  return desk.say({ kind: 'arrived', workerId: workerId(index), likeness, roundTripMs: 0 })
}

export function admit(desk: Desk, index: number, rate: number, likeness = someLikeness): EffectOf<'admit'> {
  return only(answer(desk, only(arrive(desk, index, likeness), 'ask'), rate, 2 ** 40), 'admit')
}
