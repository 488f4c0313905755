/**
 * A warm standby as a process: follows the orchestrator at SHARDY_PRIMARY into SHARDY_DATA until it is stopped. It serves nothing;
 * `promote.ts` makes a primary of what it has. Exit codes as the orchestrator's.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { payloadBytesMax } from '@shardy/protocol'
import { openBlobStore, openFollower } from '@shardy/storage'
import { createLog } from './log.ts'
import { exitCodes, fail, readPeer, readPlace, wordsOf } from './operation/entry.ts'
import { followPrimary } from './operation/standby.ts'

const sayEveryMs = 1_000

const { data, kind } = readPlace(process.env)
const primary = readPeer(process.env, 'SHARDY_PRIMARY')
if (primary === undefined)
  fail('badSetting', 'SHARDY_PRIMARY is missing; it is the address of the orchestrator to follow')
process.umask(0o077)
await mkdir(data, { recursive: true, mode: 0o700 })
const log = createLog((line) => void process.stdout.write(`${line}\n`), Date.now, { level: 'info' })

const follower = await openFollower({ kind, path: path.join(data, 'store') }).catch((error: unknown) =>
  fail('failed', wordsOf(error)),
)
const blobs = await openBlobStore({
  kind: 'file',
  path: path.join(data, 'blobs'),
  blobBytesMax: payloadBytesMax,
})
const standby = followPrimary({ ...primary, follower, blobs, log })

let said = ''
const saying = setInterval(() => {
  const { connected, sequence, primarySequence } = standby.view()
  const lag = sequence === undefined || primarySequence === undefined ? undefined : primarySequence - sequence
  const now = JSON.stringify({ connected, sequence, lag })
  if (now !== said)
    log.info('standby', { connected, sequence, lag: lag === undefined ? undefined : Math.max(0, lag) })
  said = now
}, sayEveryMs)

async function stop(code: number): Promise<never> {
  clearInterval(saying)
  await standby.stop()
  await follower.close()
  await blobs.close()
  process.exit(code)
}
process.on('SIGINT', () => void stop(exitCodes.done))
process.on('SIGTERM', () => void stop(exitCodes.done))
await standby.ended.catch((error: unknown) => fail('failed', wordsOf(error)))
