/** What the orchestrator counts and keeps for itself: how often it has started, and the secret that audits are drawn from. */
import type { Store } from '@shardy/storage'
import { numberKey, type Table } from '../tables.ts'

const name = (text: string): Uint8Array => new TextEncoder().encode(text)
const epochKey = name('epoch')
const secretKey = name('auditSecret')
const secretBytes = 32

export interface Counters {
  /** One more with every start: delivery ids of an earlier start never come again. */
  readonly epoch: number
  /** The same after a restart, so that nobody gets another draw by making us fail. */
  readonly secret: Uint8Array
}

export async function openCounters(
  store: Store<Table>,
  random: (length: number) => Uint8Array,
): Promise<Counters> {
  const [counted, kept] = await store.getMany('counters', [epochKey, secretKey])
  const epoch =
    1 + (counted === undefined ? 0 : Number(new DataView(counted.buffer, counted.byteOffset).getBigUint64(0)))
  const secret = kept ?? random(secretBytes)
  await store.write(
    [
      { kind: 'put', table: 'counters', key: epochKey, value: numberKey(epoch) },
      { kind: 'put', table: 'counters', key: secretKey, value: secret },
    ],
    { sync: true },
  )
  return { epoch, secret: secret.slice() }
}
