/** Everything that a run leaves to chance, from its seed (sfc32): the same seed is the same run, to the last bit. */
export interface Random {
  /** A whole number from 0, below the bound. */
  below(bound: number): number
  between(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  hex(bytes: number): string
}

export function createRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed
  let b = 0x243f6a88
  let c = 0xb7e15162 ^ Math.imul(seed, 0x85ebca6b)
  let count = 1

  function next(): number {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }

  for (let index = 0; index < 12; index++) next()
  const below = (bound: number): number => Math.floor((next() / 4_294_967_296) * bound)
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => next() / 4_294_967_296 < probability,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    hex(bytes) {
      let text = ''
      while (text.length < 2 * bytes) text += next().toString(16).padStart(8, '0')
      return text.slice(0, 2 * bytes)
    },
  }
}
