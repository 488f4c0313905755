/** Products in a real Chromium: the page's script is bundled, served to this machine alone, and asked for its figures. */
import path from 'node:path'
import type { PageFigures } from './gemmPage.ts'
import type { Figures, Progress } from './run.ts'

async function bundle(): Promise<string> {
  const entry = path.join(import.meta.dir, 'gemmPage.ts')
  const built = await Bun.build({ entrypoints: [entry], target: 'browser' })
  const [script] = built.outputs
  if (!built.success || script === undefined)
    throw new Error(`the page does not build: ${built.logs.join('\n')}`)
  return await script.text()
}

export async function measureBrowser(progress: Progress): Promise<Figures> {
  const script = await bundle()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) =>
      new URL(request.url).pathname === '/page.js'
        ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
        : new Response('<!doctype html><script type="module" src="/page.js"></script>', {
            headers: { 'content-type': 'text/html' },
          }),
  })
  try {
    // A GPU machine may have no browser, nor what drives one.
    const browser = await import('@shardy/e2e/browser')
      .then(({ openBrowser }) => openBrowser())
      .catch((thrown: unknown) => `Chromium does not start: ${thrown}`)
    if (typeof browser === 'string') {
      progress(`no browser figures: ${browser.split('\n')[0]}`)
      return {}
    }
    try {
      progress('Chromium')
      const page = await browser.newPage()
      await page.goto(server.url.href)
      await page.waitForFunction('globalThis.measureProducts !== undefined')
      const measured = await page.evaluate<PageFigures | string>('measureProducts()')
      if (typeof measured === 'string') {
        progress(`no browser figures: ${measured}`)
        return {}
      }
      progress(`Chromium ran on ${measured.adapter}`)
      return measured.figures
    } finally {
      await browser.close()
    }
  } finally {
    await server.stop(true)
  }
}
