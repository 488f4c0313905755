/** Where the matrices of a product come from: two files of raw int8, or a seed that gives the same ones again. */
import { createCipheriv } from 'node:crypto'
import { sha256 } from '@shardy/crypto/native'
import { describeRefusal } from '@shardy/protocol'
import { type MatmulShape, matmulProgram, tryInferProgram } from '@shardy/tensor'
import type { Options } from './command.ts'
import { Failure } from './failure.ts'
import { readBytesFrom } from './files.ts'

export const seedMax = 2n ** 64n - 1n

/** Evenly spread bytes that follow from the seed. They need no secrecy, only repetition. */
export function randomBytes(seed: bigint, length: number): Uint8Array<ArrayBuffer> {
  const key = sha256(new TextEncoder().encode(`shardy matrices ${seed}`)).subarray(0, 16)
  const stream = createCipheriv('aes-128-ctr', key, new Uint8Array(16)).update(new Uint8Array(length))
  return new Uint8Array(stream)
}

const sizeMax = 2 ** 31 - 1

export function readShape(options: Options): MatmulShape {
  const size = options.whole('size', 1, sizeMax)
  const m = options.whole('m', 1, sizeMax)
  const k = options.whole('k', 1, sizeMax)
  const n = options.whole('n', 1, sizeMax)
  if (size !== undefined && (m ?? k ?? n) !== undefined) {
    throw new Failure('usage', '--size stands for --m, --k and --n alike; give one or the others')
  }
  const given = (name: string, value: number | undefined): number => {
    if (value !== undefined) return value
    throw new Failure('usage', `--${name} is missing`, { next: 'Give --size N, or --m, --k and --n.' })
  }
  const shape = { m: given('m', size ?? m), k: given('k', size ?? k), n: given('n', size ?? n) }
  const inference = tryInferProgram(matmulProgram(shape))
  if (inference.ok) return shape
  throw new Failure('usage', describeRefusal(inference.refusal), {
    next: 'Give a smaller --size, --m, --k or --n.',
  })
}

export interface Matrices {
  readonly a: Uint8Array<ArrayBuffer>
  readonly b: Uint8Array<ArrayBuffer>
  /** How to get them again, in words. */
  readonly origin: string
}

export async function readMatrices(options: Options, { m, k, n }: MatmulShape): Promise<Matrices> {
  const files = [options.text('a'), options.text('b')] as const
  const seed = options.decimal('seed', seedMax)
  const [fileA, fileB] = files
  if (fileA !== undefined && fileB !== undefined) {
    if (seed !== undefined)
      throw new Failure('usage', '--seed makes random matrices; --a and --b name your own')
    return {
      a: await readMatrix('a', fileA, m, k),
      b: await readMatrix('b', fileB, k, n),
      origin: `from ${fileA} and ${fileB}`,
    }
  }
  if (fileA !== undefined || fileB !== undefined) {
    throw new Failure('usage', `--${fileA === undefined ? 'a' : 'b'} is missing`, {
      next: 'Give both matrices, or neither for random ones.',
    })
  }
  const chosen = seed ?? BigInt(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)
  const both = randomBytes(chosen, m * k + k * n)
  return {
    a: both.slice(0, m * k),
    b: both.slice(m * k),
    origin: `random, --seed ${chosen} makes them again`,
  }
}

async function readMatrix(
  name: string,
  file: string,
  rows: number,
  columns: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = await readBytesFrom(file, rows * columns)
  if (entries.length === rows * columns) return entries
  const wanted = `${rows} × ${columns} takes ${rows * columns}, one byte for each entry, row by row`
  throw new Failure('usage', `--${name}: ${file} has ${entries.length} bytes; ${wanted}`)
}
