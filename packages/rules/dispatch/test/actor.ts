/** Workers of many characters. Each reacts to what dispatch tells it with messages that arrive some time later. */
import type { DeliveryId, Digest, WorkerId } from '@shardy/protocol'
import type { DeliveryRecord, Effect, Input, TaskRecord } from '../src/index.ts'
import { attestation, commitmentOf, digestOf, publicKeyOf, saltOf, workerIdOf } from './identity.ts'
import type { Random } from './random.ts'

export const characters = [
  'honest',
  /** Gives a wrong answer of its own. */
  'liar',
  /** Gives the same wrong answer to everything. */
  'lazy',
  /** Takes longer than its lease. */
  'slow',
  /** Says everything several times, and says old things again. */
  'stutterer',
  /** Commits and never reveals. */
  'silent',
  /** Commits to what another has committed to. */
  'copier',
  /** Reveals something else than it committed to, or answers something else than it revealed. */
  'waverer',
  /** Answers without waiting to be asked. */
  'hasty',
  /** Leaves in the middle and comes back. */
  'quitter',
  'rejecter',
  /** Its frames arrive broken. */
  'corrupted',
  /** Speaks about the deliveries of others. */
  'meddler',
] as const
export type Character = (typeof characters)[number]

export type Timeless<T> = T extends unknown ? Omit<T, 'atMs'> : never
export interface Later {
  readonly afterMs: number
  readonly input: Timeless<Input>
}

export interface Actor {
  readonly name: string
  readonly workerId: WorkerId
  readonly character: Character
  /** What it was given, and the answer it has settled on. */
  readonly work: Map<DeliveryId, Digest>
}

export function createActor(name: string, character: Character): Actor {
  return { name, workerId: workerIdOf(name), character, work: new Map() }
}

export function joining(actor: Actor, random: Random): Timeless<Input> {
  return {
    kind: 'workerJoined',
    workerId: actor.workerId,
    publicKey: publicKeyOf(actor.name),
    kinds: ['program'],
    operationsPerSecond: 1 + random.below(2_000_000),
    payloadBytesMax: random.chance(0.2) ? 5_000 : 1_000_000,
    slots: 1 + random.below(3),
  }
}

/** What everybody on the network can see of each other. */
export interface Sight {
  readonly commitments: Map<DeliveryId, Digest>
  readonly deliveries: DeliveryRecord[]
}

export function received(
  actor: Actor,
  task: TaskRecord,
  delivery: DeliveryRecord,
  sight: Sight,
  random: Random,
): readonly Later[] {
  const { workerId, character } = actor
  const { deliveryId } = delivery
  const answer = answerOf(actor, task)
  actor.work.set(deliveryId, answer)
  const about = { workerId, deliveryId }
  const ackAfterMs = 1 + random.below(50)
  const workMs = character === 'slow' ? 10_000 + random.below(40_000) : 20 + random.below(3_000)
  const afterMs = ackAfterMs + workMs
  const acked: Later = { afterMs: ackAfterMs, input: { kind: 'acked', ...about } }
  const others = [...sight.commitments.values()]
  const commitment =
    character === 'copier' && others.length > 0
      ? random.pick(others)
      : commitmentOf(workerId, deliveryId, { outputDigest: answer, traceRoot: undefined })
  const committed: Later = { afterMs, input: { kind: 'committed', ...about, commitment } }
  if (character === 'rejecter' && random.chance(0.7)) {
    return [
      { afterMs, input: { kind: 'rejected', ...about, reason: 'deviceLost', message: 'gerät verloren\n' } },
    ]
  }
  if (character === 'corrupted' && random.chance(0.5)) {
    return [acked, { afterMs, input: { kind: 'corrupted', ...about, detail: '\u0000'.repeat(300) } }]
  }
  if (character === 'hasty' && random.chance(0.5)) {
    return [
      {
        afterMs,
        input: { kind: 'answered', ...about, outputDigest: answer, traceRoot: undefined, attestation },
      },
    ]
  }
  if (character === 'quitter' && random.chance(0.3)) {
    return [acked, { afterMs, input: { kind: 'workerLeft', workerId } }]
  }
  if (character === 'meddler' && sight.deliveries.length > 0) {
    return [acked, committed, meddling(actor, random.pick(sight.deliveries), answer, random)]
  }
  return repeated(actor, random.chance(0.1) ? [committed] : [acked, committed], random)
}

export function askedToReveal(actor: Actor, deliveryId: DeliveryId, random: Random): readonly Later[] {
  const { workerId, character } = actor
  const answer = actor.work.get(deliveryId)
  if (answer === undefined || character === 'silent') return []
  const about = { workerId, deliveryId }
  const afterMs = 1 + random.below(200)
  const wrong = digestOf('something else')
  const wavers = character === 'waverer' ? random.below(3) : 2
  const revealed: Later = {
    afterMs,
    input: {
      kind: 'revealed',
      ...about,
      outputDigest: wavers === 0 ? wrong : answer,
      traceRoot: undefined,
      salt: saltOf(deliveryId),
    },
  }
  const answered: Later = {
    afterMs: afterMs + 1 + random.below(500),
    input: {
      kind: 'answered',
      ...about,
      outputDigest: wavers === 1 ? wrong : answer,
      traceRoot: undefined,
      attestation,
    },
  }
  if (character === 'quitter' && random.chance(0.2)) {
    return [revealed, { afterMs: afterMs + 1, input: { kind: 'workerLeft', workerId } }]
  }
  return repeated(actor, [revealed, answered], random)
}

function answerOf({ name, character }: Actor, { taskId }: TaskRecord): Digest {
  if (character === 'liar') return digestOf(`${name} of ${taskId}`)
  if (character === 'lazy') return digestOf('nothing')
  return digestOf(`truth of ${taskId}`)
}

function repeated(actor: Actor, laters: readonly Later[], random: Random): readonly Later[] {
  if (actor.character !== 'stutterer') return laters
  return laters.flatMap((later) => [
    later,
    { ...later, afterMs: later.afterMs + random.below(30) },
    { ...later, afterMs: later.afterMs + random.below(60_000) },
  ])
}

function meddling(actor: Actor, about: DeliveryRecord, answer: Digest, random: Random): Later {
  const of = { workerId: actor.workerId, deliveryId: about.deliveryId }
  const input = random.pick<Timeless<Input>>([
    { kind: 'acked', ...of },
    { kind: 'committed', ...of, commitment: answer },
    { kind: 'revealed', ...of, outputDigest: answer, traceRoot: undefined, salt: saltOf(about.deliveryId) },
    { kind: 'answered', ...of, outputDigest: answer, traceRoot: undefined, attestation },
    { kind: 'rejected', ...of, reason: 'busy', message: '' },
    { kind: 'corrupted', ...of, detail: '' },
  ])
  return { afterMs: random.below(5_000), input }
}

/** What a worker that is told something does about it. */
export function react(actor: Actor, effect: Effect, sight: Sight, random: Random): readonly Later[] {
  switch (effect.kind) {
    case 'deliver':
      return received(actor, effect.task, effect.delivery, sight, random)
    case 'closeCommitments':
      return askedToReveal(actor, effect.deliveryId, random)
    default:
      return []
  }
}
