/**
 * `bun packages/adapters/proofs/test/commitment/writeVectors.ts` writes these files of `vectors/proof` again. Run it when the
 * rules changed on purpose, then read the difference: circuits and keys have to follow it.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { folder } from './vectorFiles.ts'
import { makeVectors } from './vectors.ts'

const files = makeVectors()
for (const [name, content] of Object.entries(files)) {
  writeFileSync(path.join(folder, name), `${JSON.stringify(content)}\n`)
}
console.log(`wrote ${Object.keys(files).length} files; npm run format lays them out`)
