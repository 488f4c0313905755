/**
 * Turns of a few milliseconds: work on the host's only thread steps aside between them, so that sockets and timers are
 * served. Bun and Node have `setImmediate`, and there messages would starve timers and sockets; browsers lack it, and
 * there timers would cost four milliseconds each, so a message to oneself is used.
 */
export interface Turns {
  /** Whether the work has held the thread for long enough. */
  over(): boolean
  /** Lets others go first, then begins the next turn. */
  next(): Promise<void>
  close(): void
}

const turnMs = 8

type SetImmediate = (callback: () => void) => unknown

function findSetImmediate(): SetImmediate | undefined {
  const found: unknown = Reflect.get(globalThis, 'setImmediate')
  return typeof found === 'function' ? (found as SetImmediate) : undefined
}

export function openTurns(): Turns {
  let endsMs = performance.now() + turnMs
  let stepAside: (resume: () => void) => void
  let close = () => {}
  const setImmediate = findSetImmediate()
  if (setImmediate !== undefined) {
    stepAside = setImmediate
  } else {
    const { port1, port2 } = new MessageChannel()
    stepAside = (resume) => {
      port1.onmessage = resume
      port2.postMessage(0)
    }
    close = () => {
      port1.close()
      port2.close()
    }
  }
  return {
    over: () => performance.now() >= endsMs,
    async next() {
      await new Promise<void>((resolve) => stepAside(resolve))
      endsMs = performance.now() + turnMs
    },
    close,
  }
}
