/**
 * The line to the orchestrator: binary messages and nothing more, so that a page, a server and a test can each bring
 * their own. `connectWebSocket` is the one that browsers and Bun share.
 */
import type { CloseCause } from './session/effect.ts'

export interface SocketEvents {
  readonly onOpen: () => void
  /** Undefined for a text message. */
  readonly onMessage: (bytes: Uint8Array | undefined) => void
  /** Called exactly once, also when the connection never opened. */
  readonly onClose: (code: number, text: string) => void
}

export interface Socket {
  send(bytes: Uint8Array): void
  close(cause: CloseCause): void
}

/** Begins to connect; failure is told through `onClose`. */
export type Connect = (events: SocketEvents) => Socket

/** WebSocket close codes, of the same family as the orchestrator's own (4000 and above are an application's). */
export const closeCodes: Readonly<Record<CloseCause, number>> = {
  leaving: 1000,
  refused: 1000,
  silence: 4410,
  violation: 4400,
}

/** Where workers connect on an orchestrator that people know by its http address. */
export function workerSocketUrl(orchestratorUrl: string): string {
  const url = new URL('/v1/worker', orchestratorUrl)
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:'
  return url.href
}

/** The browser's type for what may be sent; shared memory is not part of it. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

export function connectWebSocket(url: string): Connect {
  return ({ onOpen, onMessage, onClose }) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => onOpen()
    socket.onmessage = ({ data }: MessageEvent<unknown>) =>
      onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined)
    socket.onclose = ({ code, reason }) => onClose(code, reason)
    // Says nothing that the close event does not say better.
    socket.onerror = () => {}
    return {
      send(bytes) {
        if (socket.readyState === WebSocket.OPEN) socket.send(unshared(bytes))
      },
      close: (cause) => socket.close(closeCodes[cause], cause),
    }
  }
}
