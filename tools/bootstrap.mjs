// Brings a fresh clone to the point where a command can run, and does nothing when nothing changed:
// npm packages always; a browser and the built worker page when asked for. Needs only Node and npm.

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import './nodeVersion.mjs'
import { endChildrenOnSignal } from './child.mjs'
import { findChromium, installChromium } from './chromium.mjs'
import { command } from './failure.mjs'
import { install, isInstalled } from './install.mjs'
import { withLock } from './lock.mjs'
import { buildPage, isPageBuilt } from './page.mjs'
import { root } from './workspace.mjs'

/**
 * @param {{ browser?: boolean, page?: boolean }} wanted
 * @returns {Promise<{ chromium: string | undefined }>}
 */
export async function bootstrap({ browser = false, page = false }) {
  /** @type {ReadonlyArray<{ isDone: () => boolean, work: (guard: (pid: number) => void) => Promise<unknown> }>} */
  const steps = [
    { isDone: () => isInstalled(root), work: (guard) => install(root, guard) },
    { isDone: () => !browser || findChromium() !== undefined, work: installChromium },
    { isDone: () => !page || isPageBuilt(root), work: (guard) => buildPage(root, guard) },
  ]
  if (!steps.every((step) => step.isDone())) {
    const forget = endChildrenOnSignal()
    try {
      await withLock(
        path.join(root, '.cache/bootstrap.lock'),
        'waiting for another command to set things up',
        async (guard) => {
          for (const step of steps) if (!step.isDone()) await step.work(guard)
        },
      )
    } finally {
      forget()
    }
  }
  return { chromium: browser ? findChromium() : undefined }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wanted = { browser: process.argv.includes('--browser'), page: process.argv.includes('--page') }
  await command(async () => {
    await bootstrap(wanted)
    return 0
  })
}
