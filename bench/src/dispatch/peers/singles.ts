/** How many singles a second: a fixed number in flight, each awaited by itself, counted after a warm-up. */

export interface Load {
  readonly inFlight: number
  readonly warmMs: number
  readonly countedMs: number
}

/** Rejects when nothing comes back for a while: a queue that stands still has no rate. */
export async function singlesPerSecond(
  submit: () => Promise<void>,
  { inFlight, warmMs, countedMs }: Load,
  stallMs = 10_000,
): Promise<number> {
  let done = 0
  let isOver = false
  const one = async (): Promise<void> => {
    while (!isOver) {
      await submit()
      done += 1
    }
  }
  const failed = Promise.withResolvers<never>()
  let [seen, sinceMs] = [0, performance.now()]
  const watch = setInterval(
    () => {
      if (done !== seen) [seen, sinceMs] = [done, performance.now()]
      else if (performance.now() - sinceMs > stallMs)
        failed.reject(
          new Error(`none of ${inFlight} jobs in flight came back for ${stallMs} ms (${done} before)`),
        )
    },
    Math.min(500, stallMs),
  )
  const flights = Promise.all(Array.from({ length: inFlight }, one))
  try {
    const orFailure = <T>(promise: Promise<T>): Promise<T> =>
      Promise.race([promise, failed.promise, flights.then(() => promise)])
    await orFailure(Bun.sleep(warmMs))
    const [doneBefore, startMs] = [done, performance.now()]
    await orFailure(Bun.sleep(countedMs))
    const rate = ((done - doneBefore) * 1_000) / (performance.now() - startMs)
    isOver = true
    await Promise.race([flights, failed.promise])
    return rate
  } finally {
    isOver = true
    clearInterval(watch)
  }
}
