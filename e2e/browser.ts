/** The system's Chromium with WebGPU on its software adapter, so that a machine without a GPU runs the GPU path. */
import { type Browser, chromium } from 'playwright-core'

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
