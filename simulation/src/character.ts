/** Who takes part: honest workers with their troubles, and liars of many kinds. What each answers is decided here. */
import type { DeliveryId, Digest, TaskId } from '@shardy/protocol'
import type { Random } from './random.ts'
import { type Answer, agreedLie, answerOf, congruent, nearly, type Work } from './work.ts'

export const characters = [
  'honest',
  'slow',
  'quitter',
  'rejecter',
  /** An honest worker whose driver is wrong once in a while. */
  'faulty',
  'randomLiar',
  'lazy',
  'copying',
  'colluding',
  'turncoat',
  'congruent',
  'replaying',
  /** Signs a wrong answer and the right one for the same delivery. */
  'equivocating',
  /** Many names of one owner, who says so, or does not. */
  'farm',
  'hiddenFarm',
] as const
export type Character = (typeof characters)[number]

export const honestCharacters: readonly Character[] = ['honest', 'slow', 'quitter', 'rejecter', 'replaying']

export function isHonest(character: Character): boolean {
  return honestCharacters.includes(character)
}

/** What is seen on the wire: answers that were shown, by task. */
export type Shown = ReadonlyMap<TaskId, ReadonlyMap<Digest, Answer>>

export interface Question {
  readonly work: Work
  readonly taskId: TaskId
  readonly deliveryId: DeliveryId
  /** Among its kind. */
  readonly number: number
  /** How many of its answers were accepted so far. */
  readonly accepted: number
  readonly shown: Shown
  readonly random: Random
}

/** After so many accepted answers a turncoat turns. */
const turnsAfter = 4

export function answerAs(character: Character, question: Question): Answer {
  const { work, number, random } = question
  const right = work.exact ? work.right : nearly(work.right, number)
  switch (character) {
    case 'honest':
    case 'slow':
    case 'quitter':
    case 'rejecter':
    case 'replaying':
      return right
    case 'faulty':
      return random.chance(0.15) ? noise(question) : right
    case 'randomLiar':
      return random.chance(0.6) ? noise(question) : right
    case 'equivocating':
      return work.exact ? noise(question) : right
    case 'lazy':
      return answerOf(new Uint8Array(work.facts.outputLength))
    case 'copying':
      return copied(question) ?? noise(question)
    case 'colluding':
      return random.chance(0.8) ? agreedLie(work, number >> 1) : right
    case 'turncoat':
      return question.accepted < turnsAfter ? right : agreedLie(work, 100)
    case 'congruent':
      return work.exact && random.chance(0.7) ? congruent(work.right) : right
    case 'farm':
      return random.chance(0.8) ? agreedLie(work, 200) : right
    case 'hiddenFarm':
      return random.chance(0.8) ? agreedLie(work, 300) : right
  }
}

function noise({ work, random }: Question): Answer {
  const output = work.right.output.slice()
  for (let count = 0; count < 3; count++) output[random.below(output.length)] = random.below(256)
  const at = random.below(output.length)
  output[at] = (output[at] ?? 0) ^ (1 + random.below(255))
  return answerOf(output)
}

export function copied({ shown, taskId }: Pick<Question, 'shown' | 'taskId'>): Answer | undefined {
  for (const answer of shown.get(taskId)?.values() ?? []) return answer
  return undefined
}
