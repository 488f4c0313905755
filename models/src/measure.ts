/** Prints the accuracy of the committed models: `npx bun models/src/measure.ts`; with `--write` also into docs/importing.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { accuracyTable, measureAccuracy, page, withTable } from './accuracy.ts'

const table = accuracyTable(await measureAccuracy())
console.log(table)
if (process.argv.includes('--write')) writeFileSync(page, withTable(readFileSync(page, 'utf8'), table))
