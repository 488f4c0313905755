/** HTTP by hand over a TCP line, for what `fetch` would not send, and for lines that break. */
import { connect, type Socket } from 'node:net'

export interface RawLine {
  readonly socket: Socket
  write(data: string | Uint8Array): void
  /** Resolves once so many whole responses' heads have come; gives everything so far. */
  heads(count: number): Promise<string>
  /** Resolves with everything when the other side has closed. */
  ended: Promise<string>
  /** As a cable that is cut. */
  break(): Promise<void>
}

export function openRawLine(port: number): RawLine {
  const socket = connect(port, '127.0.0.1')
  const { promise: ended, resolve: end } = Promise.withResolvers<string>()
  let text = ''
  let look = (): void => {}
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    look()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    end(text)
    look()
  })
  return {
    socket,
    ended,
    write: (data) => void socket.write(data),
    heads: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (socket.destroyed || text.split('\r\n\r\n').length > count) resolve(text)
        }
        look()
      }),
    break() {
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.resetAndDestroy()
      return closed
    },
  }
}

/** Sends one request as it is; the response's head and whatever followed it. */
export async function sendRaw(port: number, request: string): Promise<string> {
  const line = openRawLine(port)
  line.write(request)
  const text = await line.heads(1)
  line.socket.destroy()
  return text
}
