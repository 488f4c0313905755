import { expect, test } from 'bun:test'
import { workerSocketUrl } from './socket.ts'

test.each([
  ['http://127.0.0.1:7700', 'ws://127.0.0.1:7700/v1/worker'],
  ['https://mesh.example/', 'wss://mesh.example/v1/worker'],
  ['https://mesh.example/page?x=1', 'wss://mesh.example/v1/worker'],
])('%s → %s', (url, socketUrl) => {
  expect(workerSocketUrl(url)).toBe(socketUrl)
})

test('what is no address is refused', () => {
  expect(() => workerSocketUrl('nowhere')).toThrow()
})
