/** What lies between workers and host: messages are late, overtake each other, come twice or not at all, until it is healed. */
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'

export class Network {
  lossChance = 0
  repeatChance = 0
  delayMsMax = 40
  /** Now and then one takes much longer. */
  lateChance = 0
  readonly #schedule: Schedule
  readonly #random: Random

  constructor(schedule: Schedule, random: Random) {
    this.#schedule = schedule
    this.#random = random
    this.worsen()
  }

  worsen(): void {
    const random = this.#random
    this.lossChance = random.pick([0, 0, 0.01, 0.05])
    this.repeatChance = random.pick([0, 0.02, 0.1])
    this.lateChance = random.pick([0, 0.02, 0.1])
    this.delayMsMax = random.pick([5, 40, 400])
  }

  heal(): void {
    this.lossChance = 0
    this.repeatChance = 0
    this.lateChance = 0
    this.delayMsMax = 20
  }

  carry(arrive: () => void): void {
    const random = this.#random
    if (random.chance(this.lossChance)) return
    this.#schedule.after(this.#delayMs(), arrive)
    if (random.chance(this.repeatChance)) this.#schedule.after(this.#delayMs(), arrive)
  }

  #delayMs(): number {
    const random = this.#random
    return random.chance(this.lateChance) ? random.below(20_000) : 1 + random.below(this.delayMsMax)
  }
}
