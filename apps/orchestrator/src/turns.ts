/** One act at a time for each key, in the order in which they were asked for. A key that nobody waits for costs nothing. */
export interface Turns<Key> {
  take<T>(key: Key, act: () => Promise<T>): Promise<T>
  /** Resolves when the acts that were asked for so far have ended. */
  ended(key: Key): Promise<void>
}

export function createTurns<Key>(): Turns<Key> {
  const last = new Map<Key, Promise<void>>()
  return {
    async take(key, act) {
      const turn = (last.get(key) ?? Promise.resolve()).then(act)
      const ended = turn.then(
        () => {},
        () => {},
      )
      last.set(key, ended)
      try {
        return await turn
      } finally {
        if (last.get(key) === ended) last.delete(key)
      }
    },
    async ended(key) {
      await last.get(key)
    },
  }
}
