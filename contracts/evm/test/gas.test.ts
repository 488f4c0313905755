// Gas is deterministic: any difference from gas.json is a change of the contracts, of the compiler, or of the chain's rules.
// If it is meant: npx bun contracts/evm/test/gas.ts --write

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { hasChain, openChain } from './chain.ts'
import { gasFile, gasTable, measureGas, performanceFile } from './gas.ts'

// npm brings anvil for some platforms only.
test.skipIf(!hasChain)('every cost is what gas.json says', async () => {
  const chain = await openChain()
  try {
    expect(await measureGas(chain)).toEqual(JSON.parse(readFileSync(gasFile, 'utf8')))
  } finally {
    await chain.close()
  }
})

test('docs/performance.md says the same', () => {
  expect(readFileSync(performanceFile, 'utf8')).toContain(gasTable(JSON.parse(readFileSync(gasFile, 'utf8'))))
})
