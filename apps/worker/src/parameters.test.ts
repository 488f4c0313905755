import { expect, test } from 'bun:test'
import { parseParameters } from './parameters.ts'

const own = 'http://localhost:7700/'
const plain = {
  startsAtOnce: false,
  forcesCpu: false,
  socketUrl: 'ws://localhost:7700/v1/worker',
  isForeign: false,
}

test.each([
  ['', plain],
  ['?start', { ...plain, startsAtOnce: true }],
  ['?start&cpu', { ...plain, startsAtOnce: true, forcesCpu: true }],
  ['?orchestrator=ws://localhost:7700', plain],
  ['?orchestrator=ws://other:1', { ...plain, socketUrl: 'ws://other:1/v1/worker', isForeign: true }],
  ['?orchestrator=wss://other', { ...plain, socketUrl: 'wss://other/v1/worker', isForeign: true }],
  ['?orchestrator=https://other', { ...plain, socketUrl: 'wss://other/v1/worker', isForeign: true }],
])('%p', (search, value) => {
  expect(parseParameters(own + search)).toEqual({ ok: true, value })
})

test('a page over https connects over wss', () => {
  const parsed = parseParameters('https://shardy.example/index.html?start')
  expect(parsed.ok && parsed.value.socketUrl).toBe('wss://shardy.example/v1/worker')
})

test.each(['', 'other', 'other:1', 'javascript:alert(1)', '//other'])(
  'refuses ?orchestrator=%s',
  (actual) => {
    const address = `${own}?orchestrator=${encodeURIComponent(actual)}`
    expect(parseParameters(address)).toEqual({ ok: false, refusal: { kind: 'badOrchestrator', actual } })
  },
)
