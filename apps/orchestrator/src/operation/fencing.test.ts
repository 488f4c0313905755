import { afterEach, expect, test } from 'bun:test'
import { createLog } from '../log.ts'
import { fenceOnce, keepFencing } from './fencing.ts'

let server: ReturnType<typeof Bun.serve> | undefined
afterEach(() => server?.stop(true))

function serve(...answers: readonly Response[]): string {
  let next = 0
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => (answers[Math.min(next++, answers.length - 1)] as Response).clone() as Response,
  })
  return `http://127.0.0.1:${server.port}`
}

const deposed = () => Response.json({ deposed: true })
const noLog = () => Response.json({ code: 'noLog' }, { status: 409 })

test.each([
  ['deposed', deposed(), 'deposed'],
  ['one without a log cannot be told', noLog(), { refused: 'noLog' }],
  ['one that says no', Response.json({ deposed: false }), { refused: 'notDeposed' }],
  ['another program', new Response('hello'), 'notReached'],
] as const)('%s', async (_, answer, result) => {
  expect(await fenceOnce({ url: serve(answer), apiKey: 'k', epoch: 2 })).toEqual(result)
})

test('what serves beside this one is told of once, until that changes', async () => {
  const url = serve(noLog(), noLog(), deposed())
  const { promise, resolve } = Promise.withResolvers<void>()
  const said: string[] = []
  const write = (line: string): void => {
    const { event, refused } = JSON.parse(line)
    said.push(refused === undefined ? event : `${event} ${refused}`)
    if (event === 'fenced') resolve()
  }
  const stop = keepFencing({ url, apiKey: 'k', epoch: 2, log: createLog(write, () => 0), everyMs: 1 })
  await promise
  stop()
  expect(said.slice(0, 2)).toEqual(['fencingRefused noLog', 'fenced'])
})
