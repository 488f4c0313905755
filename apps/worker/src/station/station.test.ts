import { expect, test } from 'bun:test'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { encodeFrame, type RefusalCode } from '@shardy/protocol'
import type { SocketEvents } from '@shardy/worker'
import { createManualTimer } from '../../test/manualTimer.ts'
import { cpu, createTestThreads, gpu } from '../../test/thread.ts'
import { openChannel } from '../compute/channel.ts'
import { IdentityStoreError } from '../identity.ts'
import { openStation, type Station, type StationAdapters, type StationView } from './station.ts'

const identity = await generateIdentity({ extractable: false })

function setUp(changes: Partial<StationAdapters> = {}) {
  const threads = createTestThreads()
  const { after } = createManualTimer()
  const sockets: SocketEvents[] = []
  const station = openStation({
    openIdentity: async () => identity,
    loadSha256: async () => sha256,
    openChannel: () => openChannel({ startThread: threads.start, after }, undefined),
    holdTab: async () => true,
    fetchConstant: () => Promise.reject(new Error('no constants here')),
    connect: (events) => {
      sockets.push(events)
      return { send() {}, close: () => events.onClose(1000, '') }
    },
    clock: { nowMs: () => 0, wakeAt: () => () => {} },
    random: (length) => new Uint8Array(length),
    isSecure: true,
    ...changes,
  })
  return { station, threads, sockets }
}

async function until(station: Station, holds: (view: StationView) => boolean): Promise<StationView> {
  while (!holds(station.getView())) {
    await new Promise<void>((resolve) => {
      const unsubscribe = station.subscribe(() => {
        unsubscribe()
        resolve()
      })
    })
  }
  return station.getView()
}

const failureOf = async (station: Station) => {
  const { stage } = await until(station, (view) => view.stage.kind === 'failed')
  return stage.kind === 'failed' ? stage.failure : undefined
}

function refuse(socket: SocketEvents | undefined, code: RefusalCode): void {
  socket?.onOpen()
  socket?.onMessage(encodeFrame('refusal', { code, message: 'as the test says' }))
}

test('nothing happens before it is started', () => {
  const { station, threads } = setUp()
  expect(station.getView()).toMatchObject({
    stage: { kind: 'idle' },
    workerId: undefined,
    session: undefined,
  })
  expect(threads.started).toBe(0)
})

test('starting opens the key, the device and the session, which introduces the device', async () => {
  const { station, threads } = setUp()
  station.start()
  await threads.nextReady(gpu)
  const view = await until(station, ({ stage }) => stage.kind === 'working')
  expect(view.workerId).toMatch(/^[0-9a-f]{64}$/)
  expect(view.session).toMatchObject({ executor: 'webgpu', adapter: 'a GPU', workerId: view.workerId })
  expect(view.session?.profile.operationsPerSecond).toBe(1e9)
  await station.close()
})

test.each([
  ['an insecure page', { isSecure: false }, { kind: 'insecurePage' }],
  ['a second tab', { holdTab: async () => false }, { kind: 'otherTab' }],
  [
    'a broken store',
    { openIdentity: () => Promise.reject(new IdentityStoreError('unreadable', 'why')) },
    { kind: 'identityStore', fault: 'unreadable', message: 'why' },
  ],
  [
    'what nobody expected',
    { loadSha256: () => Promise.reject(new Error('no WebAssembly')) },
    { kind: 'unexpected', message: 'no WebAssembly' },
  ],
] satisfies [string, Partial<StationAdapters>, unknown][])('%s is explained', async (_, changes, failure) => {
  const { station, threads } = setUp(changes)
  station.start()
  expect(await failureOf(station)).toEqual(failure as never)
  expect(threads.started).toBe(0)
})

test('after the other tab has gone, trying again works', async () => {
  let isFree = false
  const { station, threads } = setUp({ holdTab: async () => isFree })
  station.start()
  await failureOf(station)
  isFree = true
  station.start()
  await threads.nextReady(gpu)
  await until(station, ({ stage }) => stage.kind === 'working')
  await station.close()
})

test('a refusal for good is told with its code, and trying again is a new session', async () => {
  const { station, threads, sockets } = setUp()
  station.start()
  await threads.nextReady(gpu)
  await until(station, ({ session }) => session?.connection.kind === 'connecting')
  refuse(sockets[0], 'identityInUse')
  const view = await until(station, ({ session }) => session?.connection.kind === 'stopped')
  expect(view.reason).toMatchObject({ kind: 'refused', code: 'identityInUse' })
  station.start()
  await until(station, ({ session }) => session?.connection.kind === 'connecting')
  expect([sockets.length, threads.started]).toEqual([2, 1])
  await station.close()
})

test('pausing and resuming reach the session', async () => {
  const { station, threads } = setUp()
  station.start()
  await threads.nextReady(gpu)
  await until(station, ({ stage }) => stage.kind === 'working')
  station.pause()
  expect(station.getView().session?.presence).toBe('paused')
  station.start()
  expect(station.getView().session?.presence).toBe('available')
  station.setHidden(true)
  expect(station.getView().session?.presence).toBe('hidden')
  await station.close()
})

test('when the CPU has to take over, a new session says so, and a pause stays a pause', async () => {
  const { station, threads } = setUp()
  station.start()
  const first = await threads.nextReady(gpu)
  await until(station, ({ session }) => session?.executor === 'webgpu')
  station.pause()
  first.fail('boom')
  ;(await threads.nextReady(gpu)).fail('boom')
  await threads.nextReady(cpu)
  const view = await until(station, ({ session }) => session?.executor === 'cpu')
  expect(view.session?.presence).toBe('paused')
  await station.close()
})

test('a device that never works ends the session and is explained', async () => {
  const { station, threads } = setUp()
  station.start()
  const first = await threads.nextReady(gpu)
  await until(station, ({ stage }) => stage.kind === 'working')
  first.fail('boom')
  for (let attempt = 0; attempt < 4; attempt++) (await threads.next()).fail('boom')
  expect(await failureOf(station)).toEqual({ kind: 'compute', message: 'the compute worker failed: boom' })
})
