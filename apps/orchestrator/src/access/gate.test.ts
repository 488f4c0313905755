import { expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { openAudit } from './audit.ts'
import { createGate } from './gate.ts'
import { openApiKeys } from './keys.ts'
import { createLimits, defaultLimits } from './limits.ts'

test('what a key does not get is not owed by its address', async () => {
  const clock = createManualClock()
  const store = await openMemoryStore()
  const randomHex = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex()
  const keys = await openApiKeys(store, clock, sha256, randomHex, await openAudit(store, clock, sha256))
  const limits = createLimits(
    {
      ...defaultLimits,
      'submit.key': { perSecond: 1, burst: 10 },
      'submit.address': { perSecond: 1, burst: 20 },
    },
    clock,
  )
  const gate = createGate(keys, limits, clock)
  const arrive = async (name: string): Promise<Request> => {
    const headers = { authorization: `Bearer ${await keys.create(name)}` }
    const request = new Request('http://here/', { headers })
    gate.arrive(request, '192.0.2.1')
    gate.enter(request, 'tasks:read')
    return request
  }
  const [greedy, other] = [await arrive('greedy'), await arrive('other')]
  gate.take(greedy, 'submit', 10)
  for (let again = 0; again < 5; again++) expect(() => gate.take(greedy, 'submit', 5)).toThrow(/submit.key/)
  gate.take(other, 'submit', 10)
})
