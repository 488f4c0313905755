/**
 * What nothing on top of Bun's WebSockets can go below: server CPU for one message there and back, and resident memory
 * of one idle connection. Buffers in the kernel are in neither.
 */
import path from 'node:path'
import { readyLine } from '../answering.ts'
import type { Candidate, Reading } from '../figure.ts'
import { openStage, type Running, type Stage } from '../stage.ts'
import { cpuMicros, residentBytes } from '../usage.ts'

const echoConnections = 64
const echoWarmMs = 500
const echoCountedMs = 2_000
const idleConnectionsWanted = 10_000
/** Bun itself, the listener, pipes and what else is open besides connections. */
const otherFiles = 100
const settleMs = 1_500

export function floorCandidates(): readonly Candidate[] {
  return [
    { name: 'echoFloorCpuMicros', unit: 'µs', measure: () => measureEcho({ inFlight: 1 }) },
    { name: 'echoFloorPipelinedCpuMicros', unit: 'µs', measure: () => measureEcho({ inFlight: 16 }) },
    { name: 'rssPerIdleConnectionFloorBytes', unit: 'B', measure: measureIdle },
  ]
}

/** A message in flight is sent again when it comes back, `inFlight` of them on each connection. */
async function measureEcho({ inFlight }: { readonly inFlight: number }): Promise<Reading> {
  const stage = await openStage()
  try {
    const { server, url } = await serve(stage)
    const client = await startFile(stage, 'connectionsProcess.ts', [url])
    await client.ask(`open ${echoConnections}`)
    await client.ask(`echo ${inFlight}`)
    await Bun.sleep(echoWarmMs)
    const [cpuBefore, echoedBefore] = [cpuMicros(server.pid), Number(await server.ask('echoed'))]
    await Bun.sleep(echoCountedMs)
    const [cpuAfter, echoedAfter] = [cpuMicros(server.pid), Number(await server.ask('echoed'))]
    return { value: (cpuAfter - cpuBefore) / (echoedAfter - echoedBefore) }
  } finally {
    await stage.close()
  }
}

async function measureIdle(): Promise<Reading> {
  const connections = Math.min(idleConnectionsWanted, openFilesMax() - otherFiles)
  const stage = await openStage()
  try {
    const { server, url } = await serve(stage)
    const client = await startFile(stage, 'connectionsProcess.ts', [url])
    // The first few bring in code and buffers that belong to no connection.
    await client.ask('open 50')
    const before = await settled(server)
    await client.ask(`open ${connections - 50}`)
    const after = await settled(server)
    const held = Number(await server.ask('connections'))
    if (held !== connections) throw new Error(`${held} of ${connections} connections are open`)
    const value = (after - before) / (connections - 50)
    if (connections === idleConnectionsWanted) return { value }
    return { value, why: `${connections} connections: a process may have ${openFilesMax()} files open here` }
  } finally {
    await stage.close()
  }
}

async function settled(server: Running): Promise<number> {
  await Bun.sleep(settleMs)
  await server.ask('collect')
  return residentBytes(server.pid)
}

async function serve(stage: Stage): Promise<{ readonly server: Running; readonly url: string }> {
  const server = await startFile(stage, 'echoProcess.ts', [])
  return { server, url: `ws://127.0.0.1:${await server.ask('port')}` }
}

/** With as many open files as the system allows a process to ask for. */
function startFile(stage: Stage, file: string, args: readonly string[]): Promise<Running> {
  const raised = 'ulimit -n "$(ulimit -Hn)"; exec "$@"'
  const script = path.join(import.meta.dir, file)
  return stage.start(['/bin/sh', '-c', raised, 'sh', process.execPath, script, ...args], {
    readyAt: readyLine,
  })
}

function openFilesMax(): number {
  const said = Bun.spawnSync(['/bin/sh', '-c', 'ulimit -Hn']).stdout.toString().trim()
  return said === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(said)
}
