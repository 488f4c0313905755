/** The golden files on disk. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ProductCase } from './vectors.ts'

export const folder = path.join(import.meta.dir, '../../../vectors/tensor')

export function readVector(name: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
}

export function readProducts(): readonly ProductCase[] {
  return (readVector('matmul.json') as { readonly cases: readonly ProductCase[] }).cases
}
