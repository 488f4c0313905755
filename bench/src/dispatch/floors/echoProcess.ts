// A bare Bun server that sends every message back.

import { answerQuestions } from '../answering.ts'

let [echoed, connections] = [0, 0]

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, serving) => (serving.upgrade(request) ? undefined : new Response(null, { status: 426 })),
  websocket: {
    // The longest that Bun knows: an idle connection must outlast the measurement.
    idleTimeout: 960,
    open() {
      connections += 1
    },
    close() {
      connections -= 1
    },
    message(socket, message) {
      echoed += 1
      socket.send(message)
    },
  },
})

answerQuestions((question) => {
  if (question === 'port') return server.port
  if (question === 'echoed') return echoed
  if (question === 'connections') return connections
  if (question === 'collect') return Bun.gc(true)
  throw new Error(`what is '${question}'?`)
})
