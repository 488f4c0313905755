/** A dispute played by hand: every step is checked to be pure, and every saved record to survive its encoding. */
import type { Digest, TimeMs } from '@shardy/protocol'
import {
  createStep,
  type DisputeId,
  type DisputePolicy,
  type DisputeRecord,
  type DisputeState,
  defaultPolicy,
  disputeIdOf,
  disputeRecord,
  type Effect,
  emptyState,
  type Input,
  nextDueMs,
  type Opener,
  recover,
} from '../src/index.ts'
import { inOrder } from '../src/record.ts'
import { sha256, startMs, verify } from './identity.ts'
import { assertInvariants } from './invariants.ts'
import { answer, type Blobs, outline } from './program.ts'
import { assertPure } from './purity.ts'
import type { Task, TestWorker } from './worker.ts'

export const tools = { sha256, outline }

type Timed<T> = T extends unknown ? Omit<T, 'atMs'> : never
export type Timeless = Timed<Input>
export type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { readonly kind: Kind }>

export class Scene {
  state: DisputeState
  nowMs: number = startMs
  effects: readonly Effect[] = []
  /** What the store holds. */
  readonly saved = new Map<DisputeId, Uint8Array>()
  readonly task: Task
  readonly ann: TestWorker
  readonly bob: TestWorker
  private readonly step = createStep(tools)

  constructor(task: Task, ann: TestWorker, bob: TestWorker, policy: Partial<DisputePolicy> = {}) {
    this.task = task
    this.ann = ann
    this.bob = bob
    this.state = emptyState({ ...defaultPolicy, ...policy })
  }

  get disputeId(): DisputeId {
    const [a, b] = inOrder(this.ann.party, this.bob.party)
    return disputeIdOf(a, b, sha256)
  }

  get dispute(): DisputeRecord {
    const bytes = this.saved.get(this.disputeId)
    const decoded = bytes && disputeRecord.decode(bytes)
    if (!decoded?.ok) throw new Error('there is no such dispute')
    return decoded.value
  }

  send(input: Timeless): readonly Effect[] {
    const timed = { ...input, atMs: this.nowMs as TimeMs } as Input
    return this.take(assertPure(this.state, () => this.step(this.state, timed)))
  }

  private take({ state, effects }: ReturnType<ReturnType<typeof createStep>>): readonly Effect[] {
    this.state = state
    this.effects = effects
    for (const effect of effects) if (effect.kind === 'save') this.save(effect)
    assertInvariants(state, effects)
    return effects
  }

  private save({ records, forgotten }: EffectOf<'save'>): void {
    for (const record of records) {
      const bytes = disputeRecord.encode(record)
      const again = disputeRecord.decode(bytes)
      if (!again.ok || !Bun.deepEquals(again.value, record))
        throw new Error('a record does not survive its encoding')
      this.saved.set(record.disputeId, bytes)
    }
    for (const disputeId of forgotten) this.saved.delete(disputeId)
  }

  restart(): readonly Effect[] {
    const records = [...this.saved.values()].flatMap((bytes) => {
      const decoded = disputeRecord.decode(bytes)
      return decoded.ok ? [decoded.value] : []
    })
    return this.take(recover(this.state.policy, records, this.nowMs as TimeMs, tools))
  }

  open(openedBy: Opener = { kind: 'orchestrator', workerId: undefined }): readonly Effect[] {
    const parties = [this.ann.party, this.bob.party] as const
    return this.send({ kind: 'open', openedBy, program: this.task.bytes, parties })
  }

  /** Opens and verifies both signatures. */
  begin(): readonly Effect[] {
    for (const effect of this.open()) {
      if (effect.kind !== 'verify') continue
      const { disputeId, workerId, publicKey, payload, signature } = effect
      const isValid = verify(publicKey, payload, signature)
      this.send({ kind: 'signatureChecked', disputeId, workerId, isValid })
    }
    return this.effects
  }

  workerOf(workerId: string): TestWorker {
    return workerId === this.ann.workerId ? this.ann : this.bob
  }

  /** A worker's true answer to what it is asked now. */
  reveal(who: TestWorker): readonly Effect[] {
    const { disputeId, workerId } = { disputeId: this.disputeId, workerId: who.workerId }
    const { phase, from, to } = this.dispute
    if (phase === 'bisecting') {
      const halves = who.halves(from, to)
      if (halves === undefined) throw new Error(`${who.name} has no such subtree`)
      return this.send({ kind: 'halvesShown', disputeId, workerId, from, to, halves })
    }
    return this.send({ kind: 'leavesShown', disputeId, workerId, leaves: who.shown(this.wantedNodes()) })
  }

  private wantedNodes(): readonly number[] {
    const { a, b, from, to } = this.dispute
    const { inputs, constants, nodes, outputs } = this.task.program
    const node = a.hash !== b.hash && to - from === 1 ? from : undefined
    const values = node === undefined ? outputs : (nodes[node]?.operands ?? [])
    const before = inputs.length + constants.length
    const wanted = values.filter((value) => value >= before).map((value) => value - before)
    return [...new Set(wanted)].sort((one, other) => one - other)
  }

  /** Both answer truly what they are asked, until something has to be executed or it is over. */
  play(): readonly Effect[] {
    for (let replies = 0; replies < 50; replies++) {
      if (!this.state.open.has(this.disputeId)) break
      if (!['bisecting', 'showing'].includes(this.dispute.phase)) break
      this.reveal(this.ann)
      if (this.dispute.phase === 'bisecting') this.reveal(this.bob)
    }
    return this.effects
  }

  execute(blobs: Blobs = this.ann.blobs): readonly Effect[] {
    const asked = this.effects.find((effect) => effect.kind === 'reexecute')
    if (asked?.kind !== 'reexecute') throw new Error('nothing is to be executed')
    const { digest, missing } = answer(asked.question, blobs)
    const { disputeId } = asked
    return digest === undefined
      ? this.send({ kind: 'blobsMissing', disputeId, digests: missing })
      : this.send({ kind: 'reexecuted', disputeId, digest: digest as Digest })
  }

  /** From opening to the end, when both answer truly about what they signed. */
  settle(): DisputeRecord['outcome'] {
    this.begin()
    return this.settleFrom()
  }

  settleFrom(): DisputeRecord['outcome'] {
    this.play()
    if (this.state.open.has(this.disputeId)) this.execute()
    return this.dispute.outcome
  }

  wait(ms: number): readonly Effect[] {
    const untilMs = this.nowMs + ms
    let last: readonly Effect[] = []
    let ticks = 0
    for (
      let dueMs = nextDueMs(this.state);
      dueMs !== undefined && dueMs <= untilMs;
      dueMs = nextDueMs(this.state)
    ) {
      if (++ticks > 10_000) throw new Error('a tick leaves what is due as it was')
      this.nowMs = Math.max(this.nowMs, dueMs)
      last = this.send({ kind: 'tick' })
    }
    this.nowMs = untilMs
    return last
  }
}

export function effectOf<Kind extends Effect['kind']>(
  effects: readonly Effect[],
  kind: Kind,
): EffectOf<Kind> {
  const found = effects.find((effect) => effect.kind === kind)
  if (found === undefined) throw new Error(`no ${kind} among ${effects.map((each) => each.kind).join(', ')}`)
  return found as EffectOf<Kind>
}

export const kinds = (effects: readonly Effect[]): readonly string[] => effects.map(({ kind }) => kind)
