/** A tab finds the same elements as a server and as every other implementation: the golden vectors in a real Chromium. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { openBrowser } from './browser.ts'
import type { Found } from './digestsInPage.ts'

setDefaultTimeout(60_000)

const read = (name: string) =>
  JSON.parse(readFileSync(path.join(import.meta.dir, '../../../vectors', name), 'utf8'))
const { outputs }: { outputs: readonly { outputLength: number; value: string }[] } = read('digest/fold.json')
const {
  operands,
  sums,
}: {
  operands: readonly { entries: readonly number[]; commitA: string; commitB: string }[]
  sums: readonly { entries: readonly number[]; commit: string }[]
} = read('proof/commitments.json')

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser({ webGpu: false })
})
afterAll(() => browser?.close())

test('folds in pieces, and commitments, are those of the vectors', async () => {
  const entrypoint = path.join(import.meta.dir, 'digestsInPage.ts')
  const built = await Bun.build({ entrypoints: [entrypoint], target: 'browser', format: 'iife' })
  const [script] = built.outputs
  if (script === undefined) throw new Error('nothing was built')
  const page = await browser.newPage()
  await page.addScriptTag({ content: await script.text() })
  const asked = {
    outputLengths: outputs.map(({ outputLength }) => outputLength),
    operands: operands.map(({ entries }) => entries),
    sums: sums.map(({ entries }) => entries),
  }
  const found = await page.evaluate((given): Promise<Found> => globalThis.shardyDigests(given), asked)
  expect(found).toEqual({
    folds: outputs.map(({ value }) => [value, value]),
    operands: operands.map(({ commitA, commitB }) => [commitA, commitB]),
    sums: sums.map(({ commit }) => commit),
  })
})
