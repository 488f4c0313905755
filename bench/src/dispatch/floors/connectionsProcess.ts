// Many connections to one server, in a process of their own: `open N` more, and `echo N` keeps N messages in flight on each.

import { answerQuestions } from '../answering.ts'

const [url = ''] = process.argv.slice(2)
const messageBytes = 200
/** A listener's queue is short: more at once would wait for the kernel's retries. */
const wave = 100
const sockets: WebSocket[] = []

function open(): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => resolve(socket)
  socket.onclose = ({ reason }) => reject(new Error(`the server closed a connection: ${reason}`))
  return promise
}

async function openMore(count: number): Promise<void> {
  for (let left = count; left > 0; left -= wave)
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(wave, left) }, open))))
}

function echo(inFlight: number): void {
  const message = new Uint8Array(messageBytes).fill(7)
  for (const socket of sockets) {
    socket.onmessage = () => socket.send(message)
    for (let count = 0; count < inFlight; count += 1) socket.send(message)
  }
}

answerQuestions((question) => {
  const [verb, count = ''] = question.split(' ')
  if (verb === 'open') return openMore(Number(count))
  if (verb === 'echo') return echo(Number(count))
  throw new Error(`what is '${question}'?`)
})
