/** Items as tasks of a real dispatch: what exists is never submitted again, and what cannot be is answered in one word. */
import { afterEach, describe, expect, test } from 'bun:test'
import type { CampaignId } from '@shardy/campaign'
import { sha256 } from '@shardy/crypto/native'
import type { RequesterId, TaskId } from '@shardy/protocol'
import { manifestOf, turn } from '../../test/campaignWorld.ts'
import { startTestNetwork, type TestNetwork, type TestOptions } from '../../test/network.ts'
import { createSubmitter } from './submitter.ts'
import { workOf } from './work.ts'

const campaignId = 'ab'.repeat(16) as CampaignId
const items = [0, 1, 2].map((index) => ({ index, attempt: 1 }))
const always = () => true
let network: TestNetwork | undefined
afterEach(async () => {
  await network?.stop()
  network = undefined
})

async function open(options: TestOptions = {}, changes = {}) {
  network = await startTestNetwork(options)
  const { services } = network.orchestrator
  const { requesterId } = services.apiKeys.find(network.apiKey) ?? {}
  if (requesterId === undefined) throw new Error('no key')
  await services.bookkeeper.welcome(requesterId)
  const submitter = createSubmitter({ ...services, feePermille: 50 })
  const manifest = manifestOf({ deadlineMs: Date.now() + 3_600_000, ...changes })
  const work = workOf(campaignId, requesterId, manifest, '00'.repeat(32) as never, 50, sha256)
  const submit = async (some = items) => (await submitter.submit(work, some, always)).answers
  return { network, services, submitter, work, submit, requesterId }
}

const balance = ({ bookkeeper }: Awaited<ReturnType<typeof open>>['services'], requesterId: RequesterId) =>
  bookkeeper.book.balance({ kind: 'requester', requesterId })

describe('a task', () => {
  test('that is there is the same task when it is submitted or looked for again', async () => {
    const { submitter, work, submit, services } = await open()
    expect((await submitter.look(work, items)).answers.map(({ kind }) => kind)).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ])
    expect((await submit()).map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted'])
    expect((await submit()).map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted'])
    expect((await submitter.look(work, items)).answers.map(({ kind }) => kind)).toEqual([
      'accepted',
      'accepted',
      'accepted',
    ])
    expect(services.dispatcher.state().tasks.size).toBe(3)
  })

  test('that has ended says how, and is neither computed nor paid again', async () => {
    const { network, submitter, work, submit, services, requesterId } = await open()
    await submit()
    await network.startWorker()
    while (services.dispatcher.state().tasks.size > 0) await turn()
    await services.dispatcher.caughtUp()
    const before = balance(services, requesterId)
    for (const said of [await submitter.look(work, items), await submitter.submit(work, items, always)]) {
      expect(said.answers).toEqual([])
      expect(said.ends.map(({ status, costMicroCredit }) => [status, costMicroCredit])).toEqual(
        items.map(() => ['verified', 100n as never]),
      )
    }
    expect(services.dispatcher.state().tasks.size).toBe(0)
    expect(balance(services, requesterId)).toBe(before)
  })

  test('ends no later than its campaign', async () => {
    const deadlineMs = Date.now() + 5_000
    const { submit, services } = await open({}, { deadlineMs })
    await submit()
    const deadlines = [...services.dispatcher.state().tasks.values()].map(({ spec }) => spec.deadlineMs)
    expect(deadlines).toEqual(items.map(() => deadlineMs as never))
  })

  test('that is cancelled says so', async () => {
    const { submitter, work, submit } = await open()
    await submit()
    await submitter.cancel(work, items)
    expect((await submitter.look(work, items)).ends.map(({ status }) => status)).toEqual(
      items.map(() => 'cancelled'),
    )
  })
})

describe('an item', () => {
  test('whose requester cannot pay is answered with that, and nothing is kept aside for it', async () => {
    const { submit, services } = await open({ grantMicroCredit: 250n })
    expect((await submit()).map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'fundsMissing'])
    expect(services.dispatcher.state().tasks.size).toBe(2)
  })

  test('of a program that was denied meanwhile is refused', async () => {
    const { submit, services, work } = await open()
    await services.workPolicy.deny({ programId: work.programId, reason: 'no' }, {})
    expect(await submit()).toEqual(items.map((item) => ({ ...item, kind: 'refused', code: 'programDenied' })))
  })

  test('is put off while dispatch takes nothing, or its requester has too many', async () => {
    const { submit, services } = await open({ policy: { liveTasksPerRequesterMax: 2 } })
    expect((await submit()).map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'later'])
    await services.dispatcher.post({ kind: 'operate', mode: 'draining' })
    const [answer] = await submit([{ index: 9, attempt: 1 }])
    expect(answer).toEqual({ index: 9, attempt: 1, kind: 'later', retryAfterMs: 60_000 as never })
  })

  test('that may no longer go is not submitted', async () => {
    const { submitter, work, services } = await open()
    const { answers } = await submitter.submit(work, items, () => false)
    expect(answers.map(({ kind }) => kind)).toEqual(['later', 'later', 'later'])
    expect(services.dispatcher.state().tasks.size).toBe(0)
  })

  test('carries its campaign and index, and offers its worker the reward less the fee', async () => {
    const { submit, services } = await open()
    await submit([{ index: 5, attempt: 1 }])
    const [task] = services.dispatcher.state().tasks.values()
    const about = {
      campaignId: campaignId as string as TaskId,
      campaignItem: 5,
      rewardMicroCredit: 95n as never,
    }
    expect(task?.spec).toMatchObject(about)
  })
})
