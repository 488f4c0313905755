/**
 * NATS JetStream: a stream in files, published to with acknowledgement, and one durable pull consumer whose
 * acknowledgements are themselves acknowledged. As it ships the server syncs its files every two minutes, so that a
 * process may die but not the machine; `always` syncs before it acknowledges, which servers before 2.10 cannot.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { NotMeasured } from '../figure.ts'
import type { Stage } from '../stage.ts'
import { importClient } from './clients.ts'
import { type Address, type Peer, Waiting } from './peer.ts'
import { findServer, freePort, versionOf } from './server.ts'

interface Connection {
  publish(subject: string, data: string): void
  subscribe(subject: string): AsyncIterable<{ string(): string }>
  flush(): Promise<void>
}
interface Transport {
  connect(options: { servers: string }): Promise<Connection>
}
interface Message {
  string(): string
  ackAck(): Promise<boolean>
}
interface JetStream {
  jetstream(connection: Connection): {
    publish(subject: string, data: string): Promise<unknown>
    readonly consumers: {
      get(
        stream: string,
        consumer: string,
      ): Promise<{ consume(options: { max_messages: number }): Promise<AsyncIterable<Message>> }>
    }
  }
  jetstreamManager(connection: Connection): Promise<{
    readonly streams: { add(config: Readonly<Record<string, unknown>>): Promise<unknown> }
    readonly consumers: { add(stream: string, config: Readonly<Record<string, unknown>>): Promise<unknown> }
  }>
}

const [stream, consumer, jobs, done] = ['jobs', 'handler', 'jobs.single', 'done'] as const

export function jetstream(sync: 'asShipped' | 'always'): Peer {
  return {
    async serve(stage) {
      const program = findServer('nats-server')
      const port = await freePort()
      const config = configure(stage, port, sync)
      await refuseUnknownSetting(program, config)
      await stage.start([program, '-c', config], { readyAt: /Server is ready/ })
      return { url: `nats://127.0.0.1:${port}`, version: versionOf(program) }
    },

    async submitter({ url, clients }) {
      const { connection, api } = await connect({ url, clients })
      const manager = await api.jetstreamManager(connection)
      // It keeps what was handled: a work queue, which deletes it, takes half as long again.
      await manager.streams.add({ name: stream, subjects: ['jobs.*'], storage: 'file' })
      await manager.consumers.add(stream, { durable_name: consumer, ack_policy: 'explicit' })
      const waiting = new Waiting()
      const listen = async (): Promise<void> => {
        for await (const message of connection.subscribe(done)) waiting.end(message.string())
      }
      listen()
      await connection.flush()
      const publisher = api.jetstream(connection)
      return {
        async submit() {
          const { id, ended } = waiting.begin()
          await Promise.all([publisher.publish(jobs, id), ended])
        },
      }
    },

    async handle(address) {
      const { connection, api } = await connect(address)
      const source = await api.jetstream(connection).consumers.get(stream, consumer)
      const messages = await source.consume({ max_messages: 256 })
      const handleOne = async (message: Message): Promise<void> => {
        await message.ackAck()
        connection.publish(done, message.string())
      }
      const follow = async (): Promise<void> => {
        // Many at once, as the other peers handle theirs: one acknowledgement at a time would be a third of the rate.
        for await (const message of messages) handleOne(message)
      }
      follow()
    },
  }
}

async function connect({ url, clients }: Address): Promise<{ connection: Connection; api: JetStream }> {
  const { connect: open } = await importClient<Transport>(clients, '@nats-io/transport-node')
  const api = await importClient<JetStream>(clients, '@nats-io/jetstream')
  return { connection: await open({ servers: url }), api }
}

function configure(stage: Stage, port: number, sync: 'asShipped' | 'always'): string {
  const folder = path.join(stage.folder, 'nats')
  mkdirSync(folder)
  const file = path.join(stage.folder, 'nats.conf')
  const setting = sync === 'always' ? '  sync_interval: always\n' : ''
  writeFileSync(file, `listen: "127.0.0.1:${port}"\njetstream {\n  store_dir: "${folder}"\n${setting}}\n`)
  return file
}

async function refuseUnknownSetting(program: string, config: string): Promise<void> {
  const child = Bun.spawn([program, '-t', '-c', config], { stdout: 'ignore', stderr: 'pipe' })
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code === 0) return
  throw new NotMeasured(
    `notSupported: ${versionOf(program)} refuses its settings: ${refusalOf(said, config)}`,
  )
}

/** Without the path of a folder that is gone when somebody reads this. */
export function refusalOf(said: string, config: string): string {
  const line = said.trim().split('\n').at(-1) ?? ''
  const at = line.indexOf(config)
  return at < 0 ? line : line.slice(at + config.length).replace(/^[:\d\s]+/, '')
}
