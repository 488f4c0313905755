/**
 * Takes the documentation's pictures anew, from a network of its own: `npx bun e2e/pictures.ts`, or with another folder
 * `npx bun e2e/pictures.ts FOLDER`. What is shown happened: the terminal's text is what the commands printed.
 */
import path from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser, startTab } from './browser.ts'
import { shardy } from './cli.ts'
import { type Network, startNetwork } from './network.ts'

const folder = path.resolve(process.argv[2] ?? path.join(import.meta.dir, '../docs/pictures'))
const fileOf = (name: string): string => path.join(folder, `${name}.png`)

// Reduced motion: no colour is caught half-way.
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 940 },
  deviceScaleFactor: 1.5,
  reducedMotion: 'reduce',
}
const desktop: BrowserContextOptions = { viewport: { width: 1000, height: 900 }, reducedMotion: 'reduce' }
/** Long enough on a software GPU to be seen at work. */
const largeSize = '1500'

async function run(network: Network, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await shardy(network, ...args)
  if (exitCode !== 0) throw new Error(`shardy ${args.join(' ')} ended with ${exitCode}:\n${stderr}`)
  const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm '))
  return `$ npx shardy ${args.join(' ')}\n${[...said, stdout.trimEnd()].join('\n')}`
}

const product = (size: string, verify: string): readonly string[] => [
  'submit',
  'matmul',
  '--size',
  size,
  '--verify',
  verify,
  '--wait',
]

/** While a large product is computed, under each name with its colours. */
async function takeAtWork(
  network: Network,
  page: Page,
  names: Readonly<Record<string, 'light' | 'dark'>>,
): Promise<void> {
  const large = run(network, ...product(largeSize, 'quorum(2,2)'))
  const progress = page.locator('[data-testid=running][data-phase=executing] progress')
  while (Number(await progress.getAttribute('value')) < 300) await Bun.sleep(50)
  for (const [name, colorScheme] of Object.entries(names)) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: fileOf(name) })
  }
  await large
}

async function takeTerminal(browser: Browser, name: string, text: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1120, height: 200 } })
  const lines = text.split('\n').map((line) => {
    const escaped = Bun.escapeHTML(line)
    return line.startsWith('$ ') ? `<b>${escaped}</b>` : escaped
  })
  await page.setContent(`<style>
    body { margin: 0; background: #0f1220 }
    pre { margin: 0; padding: 20px 24px; color: #eceefb; font: 14px/1.45 ui-monospace, monospace; width: max-content }
    b { color: #a49cff; font-weight: 600 }
  </style><pre>${lines.join('\n')}</pre>`)
  await page.locator('pre').screenshot({ path: fileOf(name) })
  await page.close()
}

// Under the policy that everybody starts with, not under that of the tests.
const [network, browser] = await Promise.all([startNetwork({ env: { SHARDY_POLICY: '' } }), openBrowser()])
try {
  const page = await startTab(await browser.newContext(desktop), network.url)
  for (const size of ['64', '96', '128']) await run(network, ...product(size, 'quorum(2,2)'))
  const submitted = await run(network, 'submit', 'matmul', '--size', '64', '--wait')
  const workers = await run(network, 'workers')
  await takeAtWork(network, page, { 'worker-page': 'light', 'worker-page-dark': 'dark' })
  await page.close()
  await takeTerminal(browser, 'terminal', `${submitted}\n\n${workers}`)

  const small = await startTab(await browser.newContext(phone), network.url)
  await run(network, ...product('64', 'quorum(2,2)'))
  await takeAtWork(network, small, { 'worker-page-phone': 'dark' })
} finally {
  await browser.close()
  await network.stop()
}
