/**
 * Lite work as it is done (docs/spec/lite.md, F4 to F7): a run goes on by so many byte steps at a time, so that whoever
 * drives it can step aside, stop, and say how far it is.
 */
import { describeRefusal } from '@shardy/protocol'
import { basis32, folded32, plain32 } from './fnv32.ts'
import { basis64High, basis64Low, type Halves, step64 } from './fnv64.ts'
import { type AnyLiteProgram, type LiteProgram, liteSteps, refuseLiteInput } from './program.ts'

export interface LiteRun {
  readonly doneSteps: number
  readonly totalSteps: number
  /** Goes on by so many byte steps, or to the end. */
  advance(steps: number): void
  /** Once all steps are done. */
  output(): Uint8Array
}

/** The input is not copied and stays as it is until the run's end. Its length is the program's, or this throws. */
export function beginLite(program: AnyLiteProgram, input: Uint8Array): LiteRun {
  const refusal = refuseLiteInput(program, input)
  if (refusal !== undefined) throw new RangeError(describeRefusal(refusal))
  return program.kind === 'lite' ? new Lanes(program, input) : new Single(program.rounds, input)
}

/** All of it at once. */
export function computeLite(program: AnyLiteProgram, input: Uint8Array): Uint8Array {
  const run = beginLite(program, input)
  run.advance(run.totalSteps)
  return run.output()
}

function assertDone({ doneSteps, totalSteps }: LiteRun): void {
  if (doneSteps !== totalSteps) throw new Error(`${doneSteps} of ${totalSteps} byte steps are done`)
}

class Single implements LiteRun {
  readonly totalSteps: number
  doneSteps = 0
  readonly #input: Uint8Array
  #state = basis32
  #round = 0
  #at = 0

  constructor(rounds: number, input: Uint8Array) {
    this.totalSteps = rounds * input.length
    this.#input = input
  }

  advance(steps: number): void {
    const input = this.#input
    let left = Math.min(steps, this.totalSteps - this.doneSteps)
    while (left > 0) {
      const to = Math.min(input.length, this.#at + left)
      this.#state = (this.#round === 0 ? plain32 : folded32)(input, this.#at, to, this.#state)
      left -= to - this.#at
      this.doneSteps += to - this.#at
      this.#at = to
      if (to === input.length && this.doneSteps < this.totalSteps) {
        this.#at = 0
        this.#round++
        this.#state ^= this.#round
      }
    }
  }

  output(): Uint8Array {
    assertDone(this)
    return littleEndian([this.#state])
  }
}

class Lanes implements LiteRun {
  readonly totalSteps: number
  doneSteps = 0
  readonly #program: LiteProgram
  readonly #input: Uint8Array
  /** Of every lane, one after the other. */
  readonly #states: Halves
  #lane = 0
  #round = 0
  #at = 0

  constructor(program: LiteProgram, input: Uint8Array) {
    this.totalSteps = liteSteps(program)
    this.#program = program
    this.#input = input
    this.#states = new Int32Array(2 * program.lanes)
    for (let lane = 0; lane < program.lanes; lane++) {
      this.#states[2 * lane] = basis64Low
      this.#states[2 * lane + 1] = basis64High ^ lane
    }
  }

  #begins(lane: number): number {
    const { inputLength, lanes } = this.#program
    return Math.floor((lane * inputLength) / lanes)
  }

  advance(steps: number): void {
    const { rounds } = this.#program
    let left = Math.min(steps, this.totalSteps - this.doneSteps)
    while (left > 0) {
      const begins = this.#begins(this.#lane)
      const ends = this.#begins(this.#lane + 1)
      const state = this.#states.subarray(2 * this.#lane, 2 * this.#lane + 2)
      // A lane's rounds stay together: its slice and its state are at hand.
      while (left > 0 && this.#round < rounds) {
        const to = Math.min(ends, this.#at + left)
        step64(this.#input, this.#at, to, state, this.#round > 0)
        left -= to - this.#at
        this.doneSteps += to - this.#at
        this.#at = to
        if (to < ends) continue
        this.#round++
        if (this.#round === rounds) continue
        this.#at = begins
        state[0] = (state[0] as number) ^ this.#round
      }
      if (this.#round < rounds) continue
      this.#lane++
      this.#round = 0
    }
  }

  output(): Uint8Array {
    assertDone(this)
    return littleEndian(this.#states)
  }
}

function littleEndian(words: Iterable<number> & { readonly length: number }): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length))
  let at = 0
  for (const word of words) {
    view.setInt32(at, word, true)
    at += 4
  }
  return new Uint8Array(view.buffer)
}
