/**
 * BullMQ on Redis with an append-only file: `everysec` as it is commonly deployed, which may lose the last second with
 * the machine, and `always`, which syncs before it answers. Ended jobs are removed, so that a run does not fill memory.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { importClient } from './clients.ts'
import { type Address, type Peer, Waiting } from './peer.ts'
import { findServer, freePort, versionOf } from './server.ts'

interface Options {
  readonly connection: { readonly host: string; readonly port: number; readonly maxRetriesPerRequest: null }
}
interface BullMq {
  readonly Queue: new (
    name: string,
    options: Options,
  ) => {
    add(name: string, data: unknown, options: { jobId: string; removeOnComplete: boolean }): Promise<unknown>
  }
  readonly QueueEvents: new (
    name: string,
    options: Options,
  ) => {
    on(event: 'completed', hear: (event: { readonly jobId: string }) => void): void
    waitUntilReady(): Promise<unknown>
  }
  readonly Worker: new (
    name: string,
    handle: () => Promise<void>,
    options: Options & { concurrency: number },
  ) => {
    on(event: 'error', hear: (error: Error) => void): void
    waitUntilReady(): Promise<unknown>
  }
}

const queueName = 'jobs'
const concurrency = 64

export function bullmq(sync: 'everysec' | 'always'): Peer {
  return {
    async serve(stage) {
      const program = findServer('redis-server')
      const port = await freePort()
      const folder = path.join(stage.folder, 'redis')
      mkdirSync(folder)
      const settings = {
        bind: '127.0.0.1',
        port,
        dir: folder,
        save: '',
        appendonly: 'yes',
        appendfsync: sync,
      }
      await stage.start(
        [program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])],
        { readyAt: /Ready to accept connections/ },
      )
      return { url: `redis://127.0.0.1:${port}`, version: versionOf(program) }
    },

    async submitter({ url, clients }) {
      const { Queue, QueueEvents } = await importClient<BullMq>(clients, 'bullmq')
      const queue = new Queue(queueName, optionsFor(url))
      const events = new QueueEvents(queueName, optionsFor(url))
      const waiting = new Waiting()
      // One listener for all: `job.waitUntilFinished` would ask Redis once more for each job.
      events.on('completed', ({ jobId }) => waiting.end(jobId))
      await events.waitUntilReady()
      return {
        async submit() {
          const { id, ended } = waiting.begin()
          await Promise.all([queue.add('single', {}, { jobId: id, removeOnComplete: true }), ended])
        },
      }
    },

    async handle({ url, clients }: Address) {
      const { Worker } = await importClient<BullMq>(clients, 'bullmq')
      const worker = new Worker(queueName, async () => {}, { ...optionsFor(url), concurrency })
      worker.on('error', (error) => console.error(error))
      await worker.waitUntilReady()
    },
  }
}

function optionsFor(url: string): Options {
  const { hostname, port } = new URL(url)
  return { connection: { host: hostname, port: Number(port), maxRetriesPerRequest: null } }
}
