/** One act at a time for each key, in the order in which they were asked for. A key that nobody waits for costs nothing. */
export interface Turns<Key> {
  take<T>(key: Key, act: () => Promise<T>): Promise<T>
  /** One act for several keys. It asks for all its turns at once, so no two such acts can wait for each other. */
  takeAll<T>(keys: readonly Key[], act: () => Promise<T>): Promise<T>
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
    async takeAll(keys, act) {
      const before = new Set(keys.flatMap((key) => last.get(key) ?? []))
      const turn = Promise.all(before).then(act)
      const ended = turn.then(
        () => {},
        () => {},
      )
      for (const key of keys) last.set(key, ended)
      try {
        return await turn
      } finally {
        for (const key of keys) if (last.get(key) === ended) last.delete(key)
      }
    },
    async ended(key) {
      await last.get(key)
    },
  }
}
