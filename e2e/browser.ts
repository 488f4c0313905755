/** The system's Chromium with WebGPU on its software adapter, so that a machine without a GPU runs the GPU path. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const places = ['chromium', 'chromium-browser', 'google-chrome']

export async function openBrowser(): Promise<Browser> {
  const executablePath =
    process.env.SHARDY_CHROMIUM ??
    places.map((name) => Bun.which(name)).find((found) => found !== null) ??
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--enable-unsafe-webgpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}

/** Opens the worker page and presses its button; resolves once the orchestrator counts one worker more. */
export async function startTab(browser: Browser | BrowserContext, url: string): Promise<Page> {
  const health = async (): Promise<{ workers: number }> => (await fetch(`${url}/v1/health`)).json() as never
  const { workers } = await health()
  const page = await browser.newPage()
  await page.goto(url)
  await page.getByTestId('start').click()
  await page.waitForFunction(
    async (before) => ((await (await fetch('/v1/health')).json()) as { workers: number }).workers > before,
    workers,
  )
  return page
}
