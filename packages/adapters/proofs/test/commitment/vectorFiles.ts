/** The golden files on disk, and those of digests in the field. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

const vectors = path.join(import.meta.dir, '../../../../../vectors')
export const folder = path.join(vectors, 'proof')

export function readVector(name: string, of = folder): unknown {
  return JSON.parse(readFileSync(path.join(of, name), 'utf8'))
}

export const readDigestVector = (name: string) => readVector(name, path.join(vectors, 'digest'))
