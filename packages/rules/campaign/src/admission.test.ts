import { expect, test } from 'bun:test'
import { after, manifestOf, startMs } from '../test/identity.ts'
import { refuseDeadline } from './admission.ts'
import { campaignMsMax } from './limits.ts'

test('a deadline lies ahead, and not too far', () => {
  for (const ms of [1, campaignMsMax]) {
    expect(refuseDeadline(manifestOf({ deadlineMs: after(ms) }), startMs)).toBeUndefined()
  }
  for (const ms of [-1, 0, campaignMsMax + 1]) {
    expect(refuseDeadline(manifestOf({ deadlineMs: after(ms) }), startMs)).toEqual({
      kind: 'outOfBound',
      field: 'deadlineMs',
      value: String(startMs + ms),
      bound: '1800000000001 to 1807776000000, which is 7776000000 ms from now',
    })
  }
})
