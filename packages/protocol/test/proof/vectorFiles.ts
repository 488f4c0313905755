/** The golden files on disk. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

export const folder = path.join(import.meta.dir, '../../../../vectors/digest')

export function readVector(name: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
}
