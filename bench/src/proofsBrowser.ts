/** Proving in a real Chromium, in a module worker under the content security policy of the worker page. */
import path from 'node:path'
import type { Figures, Progress } from './run.ts'

const page = `const worker = new Worker('/worker.js', { type: 'module' })
const tell = (measured) => {
  const told = document.body.appendChild(document.createElement('pre'))
  told.id = 'measured'
  told.textContent = JSON.stringify(measured)
}
worker.onmessage = ({ data }) => tell(data)
worker.onerror = ({ message }) => tell({ error: message })`

const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"

export async function measureProofsBrowser(artifacts: string, progress: Progress): Promise<Figures | string> {
  const built = await Bun.build({
    entrypoints: [path.join(import.meta.dir, 'proofsWorker.ts')],
    target: 'browser',
    minify: true,
  })
  const [script] = built.outputs
  if (!built.success || script === undefined)
    throw new Error(`the worker does not build: ${built.logs.join('\n')}`)
  const worker = await script.text()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url)
      const headers = { 'content-security-policy': policy }
      if (pathname === '/')
        return new Response('<!doctype html><script type="module" src="/page.js"></script>', {
          headers: { ...headers, 'content-type': 'text/html' },
        })
      if (pathname === '/page.js' || pathname === '/worker.js')
        return new Response(pathname === '/page.js' ? page : worker, {
          headers: { ...headers, 'content-type': 'text/javascript' },
        })
      return new Response(Bun.file(path.join(artifacts, path.basename(pathname))))
    },
  })
  try {
    const browser = await import('@shardy/e2e/browser')
      .then(({ openBrowser }) => openBrowser())
      .catch((thrown: unknown) => `Chromium does not start: ${String(thrown).split('\n')[0]}`)
    if (typeof browser === 'string') return browser
    try {
      progress('Chromium')
      const tab = await browser.newPage()
      await tab.goto(server.url.href)
      // The policy forbids to wait for what a string of script says.
      const told = await tab.waitForSelector('#measured', { state: 'attached', timeout: 120_000 })
      const measured: { figures?: Figures; error?: string } = JSON.parse((await told.textContent()) ?? '{}')
      return measured.figures ?? `the worker failed: ${measured.error}`
    } finally {
      await browser.close()
    }
  } finally {
    await server.stop(true)
  }
}
