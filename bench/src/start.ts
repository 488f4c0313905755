/**
 * From `npm start` on a warm install to the first verified task, as a user meets it: the page opened in Chromium and
 * started by its button, one headless worker beside it. And what an orchestrator costs that has nothing to do.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBrowser } from '@shardy/e2e/browser'
import { startNetwork } from '@shardy/e2e/network'
import { startOrchestrator } from '@shardy/e2e/orchestrator'
import { clientOf, example, finish, submit } from '@shardy/e2e/requester'

const runs = 5

export const goals = {
  startToFirstVerifiedMs: { atMost: 10_000 },
  idleOrchestratorRssMb: { atMost: 120 },
}

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[values.length >> 1] ?? Number.NaN

async function startToFirstVerified(): Promise<{ readonly servingMs: number; readonly verifiedMs: number }> {
  const beganMs = performance.now()
  const [network, browser] = await Promise.all([startNetwork(), openBrowser()])
  try {
    const servingMs = performance.now() - beganMs
    const page = await browser.newPage()
    await page.goto(network.url)
    await page.getByTestId('start').click()
    const client = clientOf(network)
    const { taskId } = await submit(client, example(64, 64, 64))
    const { task } = await finish(client, taskId)
    if (task.status !== 'verified') throw new Error(`the task is ${task.status}`)
    return { servingMs, verifiedMs: performance.now() - beganMs }
  } finally {
    await browser.close()
    await network.stop()
  }
}

/** What the kernel says, in MB of 10^6 bytes; `ps` is everywhere. */
async function residentMb(pid: number): Promise<number> {
  const text = await new Response(Bun.spawn(['ps', '-o', 'rss=', '-p', String(pid)]).stdout).text()
  return (Number(text.trim()) * 1024) / 1e6
}

/** The last of five looks a second apart, so that what only the start needed has been let go. */
async function idleRss(store: string): Promise<number> {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'shardy-bench-'))
  const orchestrator = await startOrchestrator({ dataFolder, store })
  try {
    let mb = 0
    for (let look = 0; look < 5; look++) {
      await fetch(`${orchestrator.url}/v1/health`)
      await Bun.sleep(1_000)
      mb = await residentMb(orchestrator.pid)
    }
    return mb
  } finally {
    await orchestrator.stop()
    await rm(dataFolder, { recursive: true, force: true })
  }
}

/** The floor: Bun with a server and nothing else. */
async function bareBunRss(): Promise<number> {
  const script = 'const s = Bun.serve({ port: 0, fetch: () => new Response() }); console.log(s.port)'
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  try {
    await child.stdout.getReader().read()
    await Bun.sleep(1_000)
    return await residentMb(child.pid)
  } finally {
    child.kill()
    await child.exited
  }
}

export async function run({ progress }: { readonly progress: (line: string) => void }): Promise<{
  readonly figures: Readonly<Record<string, number>>
  readonly peers: Readonly<Record<string, number>>
}> {
  const served: number[] = []
  const verified: number[] = []
  for (let count = 1; count <= runs; count++) {
    progress(`start to first verified task, ${count} of ${runs}`)
    const { servingMs, verifiedMs } = await startToFirstVerified()
    served.push(servingMs)
    verified.push(verifiedMs)
  }
  progress('idle orchestrators')
  return {
    figures: {
      startToServingMs: median(served),
      startToFirstVerifiedMs: median(verified),
      idleOrchestratorRssMb: await idleRss('rocksdb'),
      idleOrchestratorSqliteRssMb: await idleRss('sqlite'),
    },
    peers: { bareBunServerRssMb: await bareBunRss() },
  }
}
