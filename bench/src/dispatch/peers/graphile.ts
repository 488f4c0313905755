/**
 * graphile-worker on PostgreSQL, which syncs every commit as it ships. It has no word for the submitter about a job
 * that has ended, and its event for it comes before the database knows: so the row's removal itself notifies, which
 * PostgreSQL delivers once that is committed.
 */
import { chownSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { importClient } from './clients.ts'
import { type Peer, Waiting } from './peer.ts'
import { findServer, freePort, unprivilegedUser, versionOf } from './server.ts'

interface Postgres {
  readonly default: {
    readonly Client: new (options: {
      connectionString: string
    }) => {
      connect(): Promise<unknown>
      on(event: 'notification', hear: (notification: { readonly payload?: string }) => void): void
      query(text: string): Promise<unknown>
    }
  }
}
interface Options {
  readonly connectionString: string
}
interface Graphile {
  makeWorkerUtils(options: Options): Promise<{
    migrate(): Promise<void>
    addJob(task: string, payload: { readonly id: string }): Promise<unknown>
  }>
  run(
    options: Options & {
      readonly concurrency: number
      readonly taskList: Readonly<Record<string, () => Promise<void>>>
    },
  ): Promise<unknown>
}

const task = 'single'
/** The pool of ten connections is as it ships: more were no faster, nor was taking jobs in batches. */
const concurrency = 64

/** Ids are taken from the payload, since a job's key would cost an index. */
const notifyOfTheEnd = `
  create function ended() returns trigger language plpgsql as $$
    begin perform pg_notify('ended', old.payload->>'id'); return null; end $$;
  create trigger ended after delete on graphile_worker._private_jobs for each row execute function ended();
  listen ended`

export const graphile: Peer = {
  async serve(stage) {
    const [initdb, postgres] = [findServer('initdb'), findServer('postgres')]
    const port = await freePort()
    const user = unprivilegedUser()
    const folder = path.join(stage.folder, 'postgres')
    mkdirSync(folder, { mode: 0o700 })
    if (user !== undefined) chownSync(folder, user.uid, user.gid)
    const as = user === undefined ? {} : { user }
    const made = await stage.start(
      [initdb, '-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale'],
      { readyAt: /^Success\./, ...as },
    )
    await made.gone
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 200,
    }
    await stage.start(
      [
        postgres,
        '-D',
        folder,
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { readyAt: /database system is ready to accept connections/, ...as },
    )
    return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, version: versionOf(postgres) }
  },

  async submitter({ url, clients }) {
    const { makeWorkerUtils } = await importClient<Graphile>(clients, 'graphile-worker')
    const { Client } = (await importClient<Postgres>(clients, 'pg')).default
    const utils = await makeWorkerUtils({ connectionString: url })
    await utils.migrate()
    const waiting = new Waiting()
    const listener = new Client({ connectionString: url })
    await listener.connect()
    listener.on('notification', ({ payload }) => waiting.end(payload ?? ''))
    await listener.query(notifyOfTheEnd)
    return {
      async submit() {
        const { id, ended } = waiting.begin()
        await Promise.all([utils.addJob(task, { id }), ended])
      },
    }
  },

  async handle({ url, clients }) {
    const { run } = await importClient<Graphile>(clients, 'graphile-worker')
    await run({ connectionString: url, concurrency, taskList: { [task]: async () => {} } })
  },
}
