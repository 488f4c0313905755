/** What happens to one's tasks, line by line as it comes. */
import { type StreamEventType, type StreamEventView, streamEventTypes } from '@shardy/sdk'
import type { Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { credits, printable, printableJson, short } from '../wording.ts'

function typesOf(text: string | undefined): readonly StreamEventType[] | undefined {
  return text?.split(',').map((word) => {
    const type = streamEventTypes.find((each) => each === word)
    if (type !== undefined) return type
    throw new Failure('usage', `--types has '${word}'; there are ${streamEventTypes.join(', ')}`)
  })
}

function cursorOf(text: string | undefined): string | undefined {
  if (text === undefined || /^(oldest|0|[1-9][0-9]{0,14})$/.test(text)) return text
  throw new Failure('usage', `--after is '${text}'; a cursor is a whole number, or 'oldest'`)
}

export function describeEvent(event: StreamEventView): string {
  const { cursor, atMs, type, taskId, workerId, detail, spent } = event
  const parts = [
    `${new Date(atMs).toISOString()}  ${cursor.padStart(6)}  ${type.padEnd(18)}`,
    ...(taskId === undefined ? [] : [`task ${short(taskId)}`]),
    ...(workerId === undefined ? [] : [`worker ${short(workerId)}`]),
    ...(detail === undefined ? [] : [printable(detail)]),
    ...(spent === undefined
      ? []
      : [`${spent.workUnits} work units, ${credits(BigInt(spent.rewardMicroCredit))} test credits`]),
  ]
  return parts.join('  ').trimEnd()
}

export const events: Command = {
  name: 'events',
  summary: 'show what happened to your tasks, or follow what happens',
  operands: [],
  options: {
    follow: { what: 'go on with what happens, until Ctrl-C' },
    after: { value: 'CURSOR', what: 'only what came after it; `oldest` for all that is kept' },
    types: { value: 'TYPES', what: 'only these, with commas between: task_verified,slashed' },
  },
  more:
    'Each line begins with a time and a cursor. A line that breaks is opened again after the last cursor, and no event\n' +
    'comes twice. With --json each event is one JSON object on a line of its own.',
  async run({ requester, options, world, onInterrupt }) {
    const live = options.has('follow')
    const types = typesOf(options.text('types'))
    // What has happened is asked for from its beginning, what happens from now on.
    const after = cursorOf(options.text('after')) ?? (live ? undefined : 'oldest')
    const isJson = options.has('json')
    const onCursor = (cursor: string): void =>
      onInterrupt(`\`npx shardy events --follow --after ${cursor}\` goes on from here.`)
    for await (const event of requester.events({ after, types, live, onCursor, signal: world.signal })) {
      world.print(`${isJson ? printableJson(event) : describeEvent(event)}\n`)
    }
    return undefined
  },
}
