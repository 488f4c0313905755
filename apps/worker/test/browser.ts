/** The system's Chromium, started without a screen and ended with everything it started. */
import { type Browser, chromium } from 'playwright-core'

/** Chromium offers WebGPU without a GPU only when asked; without the flag the page must fall back to the CPU. */
export async function openBrowser({ webGpu }: { readonly webGpu: boolean }): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.SHARDY_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      ...(webGpu ? ['--enable-unsafe-webgpu'] : []),
    ],
  })
}
