import { expect, test } from 'bun:test'
import { type RefusalCode, refusalCodes } from '@shardy/protocol'
import type { ConnectionView, DeliveryView, Reason, WorkerView } from '@shardy/worker'
import { gpu } from '../../test/thread.ts'
import { createRecord } from '../station/record.ts'
import type { StationView } from '../station/station.ts'
import { describeStatus } from './status.ts'

const empty: StationView = {
  stage: { kind: 'idle' },
  workerId: undefined,
  compute: undefined,
  session: undefined,
  reason: undefined,
  wasAdmitted: false,
  record: createRecord().with(undefined),
}
const ready = { kind: 'ready', device: gpu, operationsPerSecond: 1, stableBytes: 0 } as const
const here = 'shardy.example:7700'

function working(
  connection: { readonly kind: ConnectionView['kind'] },
  phases: DeliveryView['phase'][] = [],
  changes: Partial<StationView> & Partial<Pick<WorkerView, 'presence'>> = {},
  said: Partial<Pick<WorkerView, 'small' | 'idle' | 'standing'>> = {},
): StationView {
  const deliveries = phases.map((phase) => ({ phase, permille: 0 }))
  const small = { open: 0, committed: 0, answered: 0 }
  const session = { connection, presence: changes.presence ?? 'available', deliveries, small, ...said }
  return {
    ...empty,
    stage: { kind: 'working' },
    compute: ready,
    session: session as unknown as WorkerView,
    ...changes,
  }
}

const admitted = { kind: 'admitted' } as const
const waiting = { kind: 'waiting', reason: '', retryAtMs: 5 } as const
const stopped = { kind: 'stopped', reason: 'stopped as asked', asked: true } as const
const unreachable: Reason = { kind: 'connectionClosed', code: 1006, text: '' }

test.each([
  ['before anything', empty, 'idle', 'Ready when you are', 'Start'],
  [
    'looking for the key',
    { ...empty, stage: { kind: 'preparing' } },
    'preparing',
    'Getting ready',
    'Starting…',
  ],
  [
    'opening the device',
    { ...empty, stage: { kind: 'preparing' }, compute: { kind: 'opening' } },
    'preparing',
    'Waking up the device',
    'Starting…',
  ],
  [
    'measuring',
    { ...empty, stage: { kind: 'preparing' }, compute: { kind: 'measuring', device: gpu } },
    'preparing',
    'Measuring its speed',
    'Starting…',
  ],
  [
    'another tab',
    { ...empty, stage: { kind: 'failed', failure: { kind: 'otherTab' } } },
    'failed',
    'This worker already runs in another tab',
    'Try again',
  ],
  ['connecting', working({ kind: 'connecting' }), 'connecting', 'Connecting', 'Pause'],
  ['no work', working(admitted), 'available', 'Connected, waiting for work', 'Pause'],
  ['receiving', working(admitted, ['awaitingPayload']), 'executing', 'Working', 'Pause'],
  ['computing', working(admitted, ['committed', 'executing']), 'executing', 'Working', 'Pause'],
  [
    'computing on a device that is being replaced',
    working(admitted, ['executing'], { compute: { kind: 'opening' } }),
    'executing',
    'Waking up the device again',
    'Pause',
  ],
  [
    'answered',
    working(admitted, ['committed', 'answered']),
    'waitingForOthers',
    'Answered, waiting for the verdict',
    'Pause',
  ],
  ['paused', working(admitted, [], { presence: 'paused' }), 'paused', 'Paused', 'Resume'],
  [
    'nobody there',
    working(waiting, [], { reason: unreachable }),
    'disconnected',
    'Cannot reach the orchestrator',
    'Pause',
  ],
  [
    'gone',
    working(waiting, [], { reason: unreachable, wasAdmitted: true }),
    'disconnected',
    'The connection was lost',
    'Pause',
  ],
  [
    'trying again: the reason stays readable',
    working({ kind: 'connecting' }, [], { reason: unreachable }),
    'disconnected',
    'Cannot reach the orchestrator',
    'Pause',
  ],
  [
    'refused for now',
    working(waiting, [], { reason: { kind: 'refused', code: 'overloaded', text: '' } }),
    'refused',
    'The orchestrator has all the workers it can serve',
    'Pause',
  ],
  [
    'refused for good',
    working(stopped, [], { reason: { kind: 'refused', code: 'identityInUse', text: '' } }),
    'refused',
    'This worker is already connected elsewhere',
    'Try again',
  ],
  ['stopped', working(stopped, [], { reason: { kind: 'asked' } }), 'refused', 'Stopped', 'Try again'],
] satisfies [string, StationView, string, string, string][])('%s', (_, view, name, headline, label) => {
  const status = describeStatus(view, here)
  expect([status.name, status.headline, status.button.label]).toEqual([name, headline, label] as never)
  expect(status.retryAtMs).toBe(view.session?.connection.kind === 'waiting' ? 5 : undefined)
})

test('the address is named when nothing answers there', () => {
  expect(describeStatus(working(waiting, [], { reason: unreachable }), here).advice).toContain(here)
})

test('a worker without work is told why, as the orchestrator put it', () => {
  const idle = { constraint: 'tierTooLow', message: 'what waits needs tier 2', atMs: 1 }
  expect(describeStatus(working(admitted, [], {}, { idle }), here).advice).toContain(idle.message)
  const nothing = { constraint: 'noTaskWaits', message: 'no task is waiting', atMs: 1 }
  expect(describeStatus(working(admitted, [], {}, { idle: nothing }), here).advice).toBe(
    'No task is waiting. Work arrives by itself when somebody submits a task. Leave this tab open.',
  )
})

test('small tasks count as work', () => {
  const small = { open: 0, committed: 0, answered: 0 }
  const nameOf = (counts: Partial<typeof small>) =>
    describeStatus(working(admitted, [], {}, { small: { ...small, ...counts } }), here).name
  expect(nameOf({ open: 3, answered: 1 })).toBe('executing')
  expect(nameOf({ answered: 1 })).toBe('waitingForOthers')
})

test('every refusal is shown as one', () => {
  const nameOf = (code: RefusalCode) =>
    describeStatus(working(waiting, [], { reason: { kind: 'refused', code, text: '' } }), here).name
  expect(refusalCodes.filter((code) => nameOf(code) !== 'refused')).toEqual([])
})
