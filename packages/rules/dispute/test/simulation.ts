/**
 * Disputes from one seed: two workers of any character each, a line that drops, delays, repeats and replays, and a
 * process that is killed now and then and comes back with what it had saved. The line loses no two messages of one
 * kind in a row: an honest worker that is asked again often enough is heard, which is all that the rules promise it.
 */
import type { Digest, DurationMs, TimeMs } from '@shardy/protocol'
import {
  checkEvidence,
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
  evidence,
  type Input,
  nextDueMs,
  recover,
  type Step,
} from '../src/index.ts'
import { inOrder } from '../src/record.ts'
import { type Actor, type Character, characters, cooperative, createActor } from './actor.ts'
import { Broken } from './broken.ts'
import { digestOf, sha256, startMs, verify } from './identity.ts'
import { assertInvariants } from './invariants.ts'
import { answer, type Blobs, outline, randomProgram } from './program.ts'
import { assertPure } from './purity.ts'
import { createRandom, type Random } from './random.ts'
import { type EffectOf, type Timeless, tools } from './scene.ts'
import { type Task, taskOf } from './worker.ts'

export interface Outcome {
  readonly steps: number
  readonly restarts: number
  readonly ended: readonly {
    readonly characters: readonly Character[]
    readonly kind: string
    readonly rounds: number
  }[]
}

interface Case {
  readonly disputeId: DisputeId
  readonly task: Task
  readonly actors: readonly [Actor, Actor]
  /** The blobs that somebody gave, as long as they are kept. */
  readonly stored: Blobs
  outcome: DisputeRecord['outcome']
  rounds: number
}

type Event = { readonly atMs: number; readonly run: () => void }

const stepsMax = 4_000
/** Every restart begins the windows anew, so a process that never stops dying never ends a dispute. */
const restartsMax = 12

export function simulate(seed: number, checksPurity = false): Outcome {
  const world = new World(createRandom(seed), checksPurity)
  world.run()
  return world.outcome()
}

class World {
  private readonly random: Random
  private readonly checksPurity: boolean
  private readonly policy: DisputePolicy
  private readonly step = createStep(tools)
  private readonly cases = new Map<DisputeId, Case>()
  private readonly saved = new Map<DisputeId, Uint8Array>()
  private readonly kept = new Map<
    DisputeId,
    { readonly digests: ReadonlySet<Digest>; readonly untilMs: number }
  >()
  /** Whether the last message of its kind was lost. */
  private readonly lost = new Set<string>()
  private readonly said: Timeless[] = []
  /** For which keeping of its blobs a dispute's evidence was checked. */
  private readonly evidenceSeen = new Map<DisputeId, unknown>()
  private state: DisputeState
  private events: Event[] = []
  private nowMs: number = startMs
  private steps = 0
  private restarts = 0

  constructor(random: Random, checksPurity: boolean) {
    this.random = random
    this.checksPurity = checksPurity
    this.policy = {
      ...defaultPolicy,
      askEveryMs: (10_000 + random.below(5_000)) as DurationMs,
      evidenceMs: (600_000 + random.below(6_000_000)) as DurationMs,
    }
    this.state = emptyState(this.policy)
    for (let index = 1 + random.below(3); index > 0; index--) this.addCase(index)
  }

  private addCase(index: number): void {
    const { random } = this
    const blobs: Blobs = new Map()
    const count = random.chance(0.1) ? 1 : random.chance(0.1) ? 2 + random.below(120) : 1 + random.below(20)
    const task = taskOf(randomProgram(random, count, blobs), blobs, undefined)
    const one = random.chance(0.8) ? 'honest' : random.pick(characters)
    const actors = [one, random.pick(characters)].map((character, number) =>
      createActor(`${index} ${number}`, character, task, random),
    ) as [Actor, Actor]
    const parties = inOrder(actors[0].worker.party, actors[1].worker.party)
    const disputeId = disputeIdOf(...parties, sha256)
    this.cases.set(disputeId, {
      disputeId,
      task,
      actors,
      stored: new Map(blobs),
      outcome: undefined,
      rounds: 0,
    })
    const shuffled = random.chance(0.5) ? parties : ([parties[1], parties[0]] as const)
    const openedBy = { kind: 'orchestrator', workerId: undefined } as const
    this.later(random.below(30_000), () =>
      this.post({ kind: 'open', openedBy, program: task.bytes, parties: shuffled }),
    )
  }

  private later(afterMs: number, run: () => void): void {
    this.events.push({ atMs: this.nowMs + afterMs, run })
  }

  run(): void {
    while (this.steps < stepsMax) {
      const next = this.events.reduce<Event | undefined>(
        (first, event) => (first === undefined || event.atMs < first.atMs ? event : first),
        undefined,
      )
      const dueMs = nextDueMs(this.state)
      if (next === undefined && dueMs === undefined) return this.assertOver()
      // A tick comes when it is due, or a little later.
      if (next === undefined || (dueMs !== undefined && dueMs < next.atMs)) {
        this.nowMs = Math.max(this.nowMs, dueMs ?? 0)
        this.post({ kind: 'tick' })
      } else {
        this.events.splice(this.events.indexOf(next), 1)
        this.nowMs = Math.max(this.nowMs, next.atMs)
        next.run()
      }
      if (this.mayDie() && this.random.chance(0.02)) this.restart()
      if (this.said.length > 0 && this.random.chance(0.03)) this.post(this.random.pick(this.said))
      this.assertKept()
    }
    throw new Broken(
      'disputes never end',
      [...this.state.open.values()].map(({ phase }) => phase),
    )
  }

  private post(input: Timeless): void {
    this.steps++
    if (input.kind !== 'tick') this.said.push(input)
    const timed = { ...input, atMs: this.nowMs as TimeMs } as Input
    const { state } = this
    this.take(
      this.checksPurity ? assertPure(state, () => this.step(state, timed)) : this.step(state, timed),
      this.mayDie() && this.random.chance(0.01),
    )
  }

  private mayDie(): boolean {
    return this.restarts < restartsMax
  }

  /** A process that dies after saving does nothing of the rest. */
  private take({ state, effects }: Step, dies = false): void {
    this.state = state
    assertInvariants(state, effects)
    for (const effect of effects) {
      if (effect.kind === 'save') this.save(effect)
      else if (!dies) this.perform(effect)
    }
    if (dies) this.restart()
  }

  private save({ records, forgotten }: EffectOf<'save'>): void {
    for (const record of records) {
      this.saved.set(record.disputeId, disputeRecord.encode(record))
      const its = this.cases.get(record.disputeId)
      if (its === undefined) throw new Broken('a dispute that nobody opened', record)
      its.rounds = record.rounds
      if (record.outcome !== undefined) {
        if (its.outcome !== undefined && !Bun.deepEquals(its.outcome, record.outcome)) {
          throw new Broken('a dispute ended twice', record)
        }
        its.outcome = record.outcome
        this.judge(its, record.outcome)
      }
    }
    for (const disputeId of forgotten) this.saved.delete(disputeId)
  }

  private restart(): void {
    this.restarts++
    const records = [...this.saved.values()].map((bytes) => {
      const decoded = disputeRecord.decode(bytes)
      if (!decoded.ok) throw new Broken('a record cannot be read', decoded.refusal)
      return decoded.value
    })
    this.nowMs += this.random.below(200_000)
    this.take(recover(this.policy, records, this.nowMs as TimeMs, tools))
  }

  /** Loses some, but never two in a row; repeats some. */
  private send(channel: string, run: () => void): void {
    const { random, lost } = this
    if (!lost.has(channel) && random.chance(0.3)) {
      lost.add(channel)
      return
    }
    lost.delete(channel)
    for (let copies = random.chance(0.1) ? 2 : 1; copies > 0; copies--) this.later(random.below(3_000), run)
  }

  private perform(effect: Exclude<Effect, { readonly kind: 'save' }>): void {
    switch (effect.kind) {
      case 'verify': {
        const { disputeId, workerId, publicKey, payload, signature } = effect
        const isValid = verify(publicKey, payload, signature)
        this.later(10, () => this.post({ kind: 'signatureChecked', disputeId, workerId, isValid }))
        return
      }
      case 'keepBlobs': {
        const { disputeId, digests, untilMs } = effect
        this.kept.set(disputeId, { digests: new Set(digests), untilMs })
        const { stored } = this.caseOf(disputeId)
        for (const digest of stored.keys()) if (!digests.includes(digest)) stored.delete(digest)
        return
      }
      case 'releaseBlobs':
        this.kept.delete(effect.disputeId)
        return
      case 'askHalves':
        return this.asked(effect, (actor) => actor.halves(effect))
      case 'askLeaves':
        return this.asked(effect, (actor) => actor.leaves(effect))
      case 'askBlobs':
        return this.askedForBlobs(effect)
      case 'reexecute':
        return this.execute(effect)
      case 'ended':
      case 'refused':
      case 'revealRefused':
      case 'ignored':
        return
    }
  }

  private caseOf(disputeId: DisputeId): Case {
    const its = this.cases.get(disputeId)
    if (its === undefined) throw new Broken('a dispute that nobody opened', disputeId)
    return its
  }

  private actorOf({ disputeId, workerId }: EffectOf<'askHalves' | 'askLeaves' | 'askBlobs'>): Actor {
    const actor = this.caseOf(disputeId).actors.find(({ worker }) => worker.workerId === workerId)
    if (actor === undefined) throw new Broken('a stranger was asked', workerId)
    return actor
  }

  private asked(
    effect: EffectOf<'askHalves' | 'askLeaves'>,
    reply: (actor: Actor) => Timeless | undefined,
  ): void {
    const channel = `${effect.disputeId}:${effect.workerId}`
    this.send(`to ${channel}`, () => {
      const said = reply(this.actorOf(effect))
      if (said !== undefined) this.send(`from ${channel}`, () => this.post(said))
    })
  }

  private askedForBlobs(effect: EffectOf<'askBlobs'>): void {
    const channel = `blobs of ${effect.disputeId}:${effect.workerId}`
    this.send(channel, () => {
      for (const bytes of this.actorOf(effect).blobs(effect)) {
        const digest = digestOf(bytes)
        // Only what is asked for and kept is taken.
        if (this.kept.get(effect.disputeId)?.digests.has(digest))
          this.caseOf(effect.disputeId).stored.set(digest, bytes)
      }
    })
  }

  private execute({ disputeId, question }: EffectOf<'reexecute'>): void {
    this.later(this.random.below(5_000), () => {
      const { digest, missing } = answer(question, this.caseOf(disputeId).stored)
      if (digest !== undefined) this.post({ kind: 'reexecuted', disputeId, digest })
      else this.post({ kind: 'blobsMissing', disputeId, digests: missing })
    })
  }

  private judge(
    { actors, task, rounds, disputeId }: Case,
    outcome: NonNullable<DisputeRecord['outcome']>,
  ): void {
    const { kind, against } = outcome
    const about = { disputeId, kind, against, characters: actors.map(({ character }) => character) }
    if (rounds > Math.ceil(Math.log2(task.program.nodes.length))) throw new Broken('too many rounds', about)
    const honest = actors.find(({ character }) => character === 'honest')
    if (kind === 'badSignature' || kind === 'unverified')
      throw new Broken('true signatures were not verified', about)
    if ((kind === 'decided' || kind === 'forfeited') !== against.length > 0)
      throw new Broken('nobody is named', about)
    if (kind === 'decided' && outcome.evidence === undefined)
      throw new Broken('decided without evidence', about)
    if (honest === undefined) return
    if (against.includes(honest.worker.workerId)) throw new Broken('an honest worker is blamed', about)
    if (against.length !== 1) throw new Broken('a liar got away', about)
    const [liar] = actors.filter((actor) => actor !== honest)
    if (liar !== undefined && cooperative.includes(liar.character) && kind !== 'decided') {
      throw new Broken('a liar that answers was not found out', about)
    }
  }

  /** Until it is forgotten, decided disputes can be repeated from what is kept. */
  private assertKept(): void {
    for (const { disputeId } of this.state.ended.values()) {
      const { outcome, stored } = this.caseOf(disputeId)
      const kept = this.kept.get(disputeId)
      if (outcome?.evidence === undefined) {
        if (kept !== undefined) throw new Broken('blobs are kept for nothing', disputeId)
        continue
      }
      if (kept === undefined || kept.untilMs < this.nowMs)
        throw new Broken('evidence has lost its blobs', disputeId)
      const known = this.evidenceSeen.get(disputeId)
      if (known === kept) continue
      this.evidenceSeen.set(disputeId, kept)
      const decoded = evidence.decode(evidence.encode(outcome.evidence))
      if (!decoded.ok) throw new Broken('evidence cannot be read', decoded.refusal)
      const reexecute: Parameters<typeof checkEvidence>[1]['reexecute'] = (question) =>
        answer(question, stored).digest
      const checked = checkEvidence(decoded.value, { sha256, outline, verify, reexecute })
      if (!checked.ok || !Bun.deepEquals(checked.wrong, outcome.against)) {
        throw new Broken('a stranger cannot repeat it', { checked, outcome })
      }
    }
  }

  private assertOver(): void {
    // A process that died between forgetting and releasing leaves what is let go at its time.
    const kept = [...this.kept.values()].filter(({ untilMs }) => untilMs > this.nowMs)
    if (this.saved.size + kept.length > 0) throw new Broken('something is left of ended disputes')
    for (const { outcome, actors } of this.cases.values()) {
      const isEqual = Bun.deepEquals(
        ...(actors.map(({ worker }) => answersOf(worker.party)) as [unknown, unknown]),
      )
      if (isEqual !== (outcome === undefined))
        throw new Broken('a dispute was not had, or one about nothing', outcome)
    }
  }

  outcome(): Outcome {
    return {
      steps: this.steps,
      restarts: this.restarts,
      ended: [...this.cases.values()].map(({ actors, outcome, rounds }) => ({
        characters: actors.map(({ character }) => character),
        kind: outcome?.kind ?? 'agreed',
        rounds,
      })),
    }
  }
}

const answersOf = ({ statement }: Actor['worker']['party']) => [statement.outputDigest, statement.traceRoot]
