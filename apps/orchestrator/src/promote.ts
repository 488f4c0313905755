/**
 * Makes a primary of a standby that is stopped: from then on its store is one epoch later, and the old orchestrator's writes are
 * refused by everybody who follows. The orchestrator is then started on it as on any data folder.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { openFollower } from '@shardy/storage'
import { migrations } from './migrations/index.ts'
import { fail, readPeer, readPlace, wordsOf } from './operation/entry.ts'
import { fenceOnce } from './operation/fencing.ts'
import { columns, schemaVersion, tables } from './tables.ts'

const { data, kind } = readPlace(process.env)
const old = readPeer(process.env, 'SHARDY_PRIMARY')
const identity = path.join(data, 'orchestrator-identity.json')
if (!existsSync(identity)) {
  const why = 'receipts and deliveries are signed with it, and no copy of a store has it'
  fail('badSetting', `${identity} is missing; copy it from the old orchestrator's data folder: ${why}`)
}

async function promote(): Promise<number> {
  const follower = await openFollower({ kind, path: path.join(data, 'store') })
  const before = follower.position
  try {
    const store = await follower.promote({ tables, columns, schemaVersion, migrations, log: {} })
    await store.close()
  } catch (error) {
    await follower.close().catch(() => {})
    throw error
  }
  return (before?.epoch ?? 0) + 1
}

const epoch = await promote().catch((error: unknown) => fail('failed', wordsOf(error)))
const fenced = old === undefined ? 'notAsked' : await fenceOnce({ ...old, epoch })
console.log(JSON.stringify({ promoted: true, epoch, old: fenced }))
