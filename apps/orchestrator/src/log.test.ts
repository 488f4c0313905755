import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createLog, type Log, type LogLevel, logLevels } from './log.ts'
import { Secret } from './telemetry/secret.ts'

function logOf(level: LogLevel = 'info') {
  const raw: string[] = []
  const clock = { atMs: 5_000 }
  const log = createLog(
    (line) => raw.push(line),
    () => clock.atMs,
    { level },
  )
  const lines = () => raw.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { log, raw, lines, clock }
}

describe('a line', () => {
  test('is one JSON object with its level, event, time and fields', () => {
    const { log, lines } = logOf()
    log.info('workerJoined', { workerId: 'ab', slots: 4, isHidden: false, adapter: undefined })
    log.warn('clockJumped')
    log.error('outputNotStored', new Error('disk', { cause: new Error('full') }), { deliveryId: 'cd' })
    log.error('odd', 'a word')
    expect(lines()).toEqual([
      { workerId: 'ab', slots: 4, isHidden: false, atMs: 5_000, level: 'info', event: 'workerJoined' },
      { atMs: 5_000, level: 'warn', event: 'clockJumped' },
      { deliveryId: 'cd', error: 'disk: full', atMs: 5_000, level: 'error', event: 'outputNotStored' },
      { error: 'a word', atMs: 5_000, level: 'error', event: 'odd' },
    ])
  })

  test('stays one line and one object, whatever is said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.string()), (text, fields) => {
        const { log, raw, lines } = logOf()
        log.info('said', { ...fields, text })
        log.error('failed', new Error(text), fields)
        expect(raw).toHaveLength(2)
        for (const line of raw) expect(line).not.toMatch(/[\n\r]/)
        for (const line of lines()) expect(line.atMs).toBe(5_000)
        expect(lines().map(({ event }) => event)).toEqual(['said', 'failed'])
      }),
    )
  })

  test('cuts what is long, and survives an error that is its own cause', () => {
    const { log, lines } = logOf()
    const error = new Error('round')
    error.cause = error
    log.error('x', error, { long: 'y'.repeat(5_000) })
    expect(String(lines()[0]?.long)).toHaveLength(1025)
    expect(lines()[0]?.error).toBe('round: round: round: round')
  })
})

describe('levels', () => {
  const all = (log: Log) => {
    log.debug('a')
    log.info('b')
    log.sampled('c')
    log.warn('d')
    log.error('e', 1)
  }
  const table: Readonly<Record<LogLevel, string>> = {
    debug: 'abcde',
    info: 'bcde',
    warn: 'de',
    error: 'e',
    silent: '',
  }
  for (const level of logLevels) {
    test(`${level} says '${table[level]}'`, () => {
      const { log, lines } = logOf(level)
      all(log)
      all(log.child({ requestId: 'r' }))
      const events = lines().map(({ event }) => event)
      // The sample of the child is the one that was taken already.
      expect(events.join('')).toBe(table[level] + table[level].replace('c', ''))
      expect(log.isDebug).toBe(level === 'debug')
    })
  }

  test('where an error happened is for debugging', () => {
    const [plain, debug] = [logOf('info'), logOf('debug')]
    for (const { log } of [plain, debug]) log.error('x', new Error('y'))
    expect(plain.lines()[0]).not.toHaveProperty('stack')
    expect(String(debug.lines()[0]?.stack)).toContain('log.test.ts')
  })
})

test('a child says what it is about; a field never passes for the event', () => {
  const { log, lines } = logOf()
  const child = log.child({ requestId: 'r1', event: 'forged' } as never).child({ taskId: 't1' })
  child.info('taskTaken', { level: 'silent', atMs: 0 })
  expect(lines()).toEqual([{ requestId: 'r1', taskId: 't1', event: 'taskTaken', level: 'info', atMs: 5_000 }])
})

test('secrets stay out, as values, in messages, and where types were talked round', () => {
  const { log, raw } = logOf('debug')
  const key = `shardy_${'5a'.repeat(32)}`
  const secret = new Secret(key)
  log.info('a', { key: secret as unknown as string, header: `Bearer ${key}` })
  log.child({ key: secret as unknown as string, note: `was ${key}` }).warn('b')
  log.error('c', new Error(`refused ${key}`, { cause: secret }))
  log.info('d', { nested: { secret } as unknown as string })
  expect(raw).toHaveLength(4)
  for (const line of raw) expect(line).not.toContain('5a5a')
})

test('what happens often is said once a second, with how often it was left out', () => {
  const { log, lines, clock } = logOf()
  for (let index = 0; index < 100; index++) log.sampled('happeningDropped', { index })
  log.sampled('other')
  clock.atMs += 1_000
  log.sampled('happeningDropped', { index: 100 })
  clock.atMs -= 60_000
  log.sampled('happeningDropped', { index: 101 })
  expect(lines().map(({ event, index, skipped }) => [event, index, skipped])).toEqual([
    ['happeningDropped', 0, undefined],
    ['other', undefined, undefined],
    ['happeningDropped', 100, 99],
    ['happeningDropped', 101, undefined],
  ])
})
