/** Ways to get bad results accepted. Each sees what is examined, and none sees a draw before it answers. */
import type { Random } from '../random.ts'
import type { Rule } from './rule.ts'

export interface Attacker {
  readonly name: string
  /** Its workers earn from its own tasks: what it is paid is its own money. */
  readonly ownRequester?: boolean
  /** Leaves the bound no room: what it gets accepted is nearly all that the bound allows. */
  readonly isTight?: boolean
  readonly attack: (rule: Rule, random: Random) => void
}

const dayMs = 86_400_000

function work(rule: Rule, identity: number, results: number) {
  for (let index = 0; index < results; index++) {
    if (rule.answer(identity, true) === 'examined') rule.decide()
  }
}

/** Until somebody notices. */
function cheat(rule: Rule, identity: number, most: number, value?: number) {
  for (let index = 0; index < most; index++) {
    if (rule.answer(identity, false, value) !== 'alone') break
  }
  rule.decide()
}

export const attackers: readonly Attacker[] = [
  {
    name: 'random: now and then a bad one',
    attack(rule, random) {
      const identity = rule.join(200)
      for (let index = 0; index < 600; index++) {
        const seen = rule.answer(identity, !random.chance(0.03))
        if (seen === 'examined') rule.decide()
      }
    },
  },
  {
    name: 'turncoat: honest for long, then bad only',
    attack(rule) {
      const identity = rule.join(0)
      work(rule, identity, 1_000)
      cheat(rule, identity, 2_000)
      cheat(rule, identity, 2_000)
    },
  },
  {
    name: 'sleeper: turns with forty identities at once',
    attack(rule) {
      const identities = Array.from({ length: 40 }, () => rule.join(25))
      for (const identity of identities) work(rule, identity, 10)
      for (const identity of identities) cheat(rule, identity, 500)
    },
  },
  {
    name: 'self-dealer: buys its own work to be trusted',
    ownRequester: true,
    attack(rule) {
      const identity = rule.join(0)
      work(rule, identity, 1_000)
      cheat(rule, identity, 2_000)
    },
  },
  {
    name: 'batch: four hundred answers before the first audit ends',
    isTight: true,
    attack(rule) {
      const identity = rule.join(3_000)
      for (let index = 0; index < 400; index++) rule.answer(identity, false)
      rule.decide()
    },
  },
  {
    name: 'withdrawer: takes its stake back right after cheating',
    isTight: true,
    attack(rule) {
      for (let round = 0; round < 4; round++) {
        const identity = rule.join(2_000)
        let isExamined = false
        for (let index = 0; index < 10; index++) {
          isExamined = rule.answer(identity, false) === 'examined' || isExamined
        }
        rule.withdraw(identity)
        rule.decide()
        rule.withdraw(identity)
      }
    },
  },
  {
    name: 'whale: cheats on large tasks alone',
    attack(rule) {
      const identity = rule.join(1_000)
      for (let index = 0; index < 50; index++) cheat(rule, identity, 3, 25)
    },
  },
  {
    name: 'careful: two bad ones in flight, more only when none is examined',
    attack(rule) {
      const identity = rule.join(1_000)
      for (let index = 0; index < 500; index++) {
        const isSeen = [0, 1].map(() => rule.answer(identity, false)).includes('examined')
        if (isSeen) break
      }
      rule.decide()
    },
  },
  {
    name: 'penitent: caught, works off its quarantine, waits for forgiveness, again',
    attack(rule) {
      const identity = rule.join(500)
      for (let round = 0; round < 3; round++) {
        cheat(rule, identity, 2_000)
        for (let index = 0; index < 25; index++) rule.answer(identity, true)
        rule.decide()
        rule.wait(100 * dayMs)
      }
    },
  },
  {
    name: 'nomad: caught once, goes on as another with the same money',
    attack(rule) {
      for (let round = 0; round < 3; round++) {
        const identity = rule.join(500)
        cheat(rule, identity, 2_000)
        rule.wait(31 * dayMs)
        rule.withdraw(identity)
      }
    },
  },
]

/** Twenty identities one after the other, before anything that is held comes free. */
export const hastyNomad: Attacker = {
  name: 'hasty nomad: caught once, takes its money along at once',
  attack(rule) {
    for (let round = 0; round < 20; round++) {
      const identity = rule.join(500)
      cheat(rule, identity, 2_000)
      rule.withdraw(identity)
    }
  },
}

/** Ten thousand good results, then bad ones until one is examined. */
export const veteran: Attacker = {
  name: 'veteran',
  attack(rule) {
    const identity = rule.join(0)
    work(rule, identity, 10_000)
    cheat(rule, identity, 100_000)
  },
}
