/** The example of the SDK's README, run against a network as it stands there. */
import { expect, test } from 'bun:test'
import { loadSha256, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { checkReceipt, createRequester, matmulOutput } from '@shardy/sdk'
import { startTestNetwork } from '../test/network.ts'

test('the example prints the product, and checks its receipt', async () => {
  const readme = await Bun.file(new URL('../../../packages/sdk/README.md', import.meta.url)).text()
  const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const network = await startTestNetwork()
  await network.startWorker()
  const lines = block.split('\n').filter((line) => !line.startsWith('import '))
  const code = new Bun.Transpiler({ loader: 'ts' }).transformSync(
    `export async function main() {${lines.join('\n')}}`,
  )
  const said: unknown[] = []
  const known = {
    checkReceipt,
    createRequester: (options: { apiKey: string }) =>
      createRequester({ ...options, url: network.serving.url, sha256 }),
    matmulOutput,
    loadSha256,
    verifySignature,
    apiKey: network.apiKey,
    console: { log: (value: unknown) => void said.push(value) },
  }
  const main = new Function(...Object.keys(known), `${code.replace('export ', '')}\nreturn main()`)
  await main(...Object.values(known))
  expect(said).toContainEqual(Int32Array.of(11))
  expect(said.at(-1)).toMatchObject({ taskId: expect.any(String) })
  await network.stop()
})
