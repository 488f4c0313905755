/** Workers of many characters. Each reacts to what dispatch tells it with messages that arrive some time later. */
import type { Digest, WorkerId } from '@shardy/protocol'
import type { Delivery, Input, Profile, Stake } from '../src/index.ts'
import { attestation, commitmentOf, digestOf, saltOf, workerIdOf } from './identity.ts'
import type { Random } from './random.ts'
import { profile, type Timeless } from './scene.ts'

export const characters = [
  'honest',
  /** Gives a wrong answer of its own. */
  'liar',
  /** Gives the same wrong answer to everything, as all of its kind do. */
  'colluder',
  /** Honest at first. */
  'turncoat',
  /** Takes longer than its lease. */
  'slow',
  /** Says everything several times. */
  'stutterer',
  /** Commits and never reveals, or never answers. */
  'silent',
  /** Answers something else than it committed to. */
  'waverer',
  /** Answers without waiting to be asked, and commits where nobody asked. */
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

export interface Later {
  readonly afterMs: number
  readonly input: Timeless<Input>
}

export interface Actor {
  readonly name: string
  readonly workerId: WorkerId
  readonly character: Character
  readonly profile: Profile
  answers: number
}

export function createActor(name: string, character: Character, random: Random): Actor {
  const about: Profile = {
    ...profile,
    operationsPerSecond: 1 + random.below(2_000_000_000),
    operator: random.chance(0.3) ? `operator ${random.below(2)}` : '',
    hardwareClass: random.pick(['acme', 'other']),
    tier: random.below(4),
    slots: 1 + random.below(3),
    prefetch: random.below(4),
    latencyMs: random.below(200),
    payloadBytesMax: random.chance(0.1) ? 5_000 : 1_000_000,
  }
  return { name, workerId: workerIdOf(name), character, profile: about, answers: 0 }
}

export const rightAnswer = (delivery: Delivery): Digest => digestOf(`right ${delivery.task.spec.taskId}`)

function answerOf({ name, character, answers, profile }: Actor, delivery: Delivery): Digest {
  const { spec } = delivery.task
  if (character === 'liar' || (character === 'turncoat' && answers > 3))
    return digestOf(`${name} ${spec.taskId}`)
  if (character === 'colluder') return digestOf('whatever')
  // Floats differ between devices.
  return spec.exact ? rightAnswer(delivery) : digestOf(`near ${spec.taskId} ${profile.hardwareClass} ${name}`)
}

/** Whether a comparison within the tolerance would find it right. */
export const isNear = ({ character }: Actor): boolean => character !== 'liar' && character !== 'colluder'

export function received(
  actor: Actor,
  delivery: Delivery,
  others: readonly Delivery[],
  random: Random,
): readonly Later[] {
  const { workerId, character } = actor
  const { deliveryId } = delivery
  const about = { workerId, deliveryId }
  const ackAfterMs = 1 + random.below(50)
  const afterMs =
    ackAfterMs + (character === 'slow' ? 10_000 + random.below(40_000) : 20 + random.below(3_000))
  const acked: Later = { afterMs: ackAfterMs, input: { kind: 'acked', ...about } }
  if (character === 'rejecter' && random.chance(0.7)) {
    return [
      { afterMs, input: { kind: 'rejected', ...about, reason: 'deviceLost', message: 'gerät verloren\n' } },
    ]
  }
  if (character === 'corrupted' && random.chance(0.5)) {
    return [acked, { afterMs, input: { kind: 'corrupted', ...about, detail: '\u0000'.repeat(300) } }]
  }
  if (character === 'quitter' && random.chance(0.3))
    return [acked, { afterMs, input: { kind: 'workerLeft', workerId } }]
  const isQuorum = delivery.task.spec.verify.mode === 'quorum'
  const commits = character === 'hasty' ? random.chance(0.5) : isQuorum
  const next = commits ? committing(actor, delivery, afterMs) : answering(actor, delivery, afterMs, random)
  if (character === 'silent' && !isQuorum && random.chance(0.7)) return [acked]
  if (character === 'meddler' && others.length > 0) {
    const { deliveryId: foreign } = random.pick(others)
    const meddling = random.chance(0.5)
      ? committing(actor, delivery, afterMs)
      : answering(actor, delivery, afterMs, random)
    return [
      acked,
      next,
      { ...meddling, input: { ...meddling.input, deliveryId: foreign } as Timeless<Input> },
    ]
  }
  return repeated(actor, random.chance(0.1) ? [next] : [acked, next], random)
}

export function askedToReveal(actor: Actor, delivery: Delivery, random: Random): readonly Later[] {
  if (actor.character === 'silent') return []
  const revealed = answering(actor, delivery, 1 + random.below(400), random)
  if (actor.character === 'quitter' && random.chance(0.2)) {
    return [{ afterMs: revealed.afterMs, input: { kind: 'workerLeft', workerId: actor.workerId } }, revealed]
  }
  return repeated(actor, [revealed], random)
}

function committing(actor: Actor, delivery: Delivery, afterMs: number): Later {
  const { deliveryId } = delivery
  const answer = { outputDigest: answerOf(actor, delivery), traceRoot: undefined }
  const commitment = commitmentOf(actor.workerId, deliveryId, answer)
  return { afterMs, input: { kind: 'committed', workerId: actor.workerId, deliveryId, commitment } }
}

function answering(actor: Actor, delivery: Delivery, afterMs: number, random: Random): Later {
  const { workerId, character } = actor
  const { deliveryId } = delivery
  const wavers = character === 'waverer' && random.chance(0.4)
  const outputDigest = wavers ? digestOf('something else') : answerOf(actor, delivery)
  const stake = { lockedMicroCredit: BigInt(random.below(5_000)), withdrawingMicroCredit: 0n } as Stake
  const salt = saltOf(deliveryId)
  const input = {
    kind: 'answered',
    workerId,
    deliveryId,
    outputDigest,
    traceRoot: undefined,
    salt,
    attestation,
    stake,
  } as const
  return { afterMs, input }
}

function repeated({ character }: Actor, messages: readonly Later[], random: Random): readonly Later[] {
  if (character !== 'stutterer') return messages
  return messages.flatMap((each) => [each, { ...each, afterMs: each.afterMs + random.below(10_000) }, each])
}
