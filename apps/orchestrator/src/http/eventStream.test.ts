import { expect, test } from 'bun:test'
import { createManualClock } from '../../test/manualClock.ts'
import { type EventSource, streamEvents } from './eventStream.ts'

interface Event {
  readonly sequence: number
  readonly type: string
}

const event = (sequence: number, type = 'progress'): Event => ({ sequence, type })
const viewer = { kind: 'everything', requesterId: 'ab'.repeat(32), isAllowed: () => true } as never

/** Rows that are on disk, and a subject that lives until it is ended. */
function open(rows: Event[], reads: (() => void)[] = []) {
  let isLive = true
  let listener: (event: Event) => void = () => {}
  const source: EventSource<Event> = {
    subscribe(each) {
      listener = each
      return () => {}
    },
    async read(last) {
      const page = rows.filter(({ sequence }) => sequence > last)
      reads.shift()?.()
      return page
    },
    isLive: () => isLive,
    isLast: ({ type }) => type === 'ended',
    failed(error) {
      throw error
    },
  }
  const response = streamEvents(source, 0, viewer, createManualClock(0))
  const publish = (each: Event) => {
    rows.push(each)
    listener(each)
  }
  const end = () => {
    isLive = false
  }
  const told = async () => [...(await response.text()).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  return { publish, end, told }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

test('what is on disk comes first, then what is published, each once, up to the last', async () => {
  const { publish, told } = open([event(1), event(2)])
  const all = told()
  await settled()
  publish(event(3))
  publish(event(4, 'ended'))
  expect(await all).toEqual([1, 2, 3, 4])
})

test('an end that is decided while the disk is read, and durable only then, is told before the stream closes', async () => {
  const rows = [event(1)]
  const opened = open(rows, [
    () => {},
    // This page is made: the subject leaves, and its last event is written.
    () => {
      opened.end()
      rows.push(event(2, 'ended'))
    },
  ])
  expect(await opened.told()).toEqual([1, 2])
})
