// Says on stderr that something slow is still going on, once it has taken two seconds.
// A terminal gets one line that counts; a log gets a plain line now and then.

const quietMs = 2_000
const plainSeconds = [2, 5, 10, 20, 30]

/**
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(label, work) {
  const startMs = Date.now()
  const seconds = () => Math.round((Date.now() - startMs) / 1_000)
  let shown = false
  const tick = () => {
    if (Date.now() - startMs < quietMs - 50) return
    if (process.stderr.isTTY) process.stderr.write(`\r… ${label} (${seconds()} s)\u001b[K`)
    else if (plainSeconds.includes(seconds()) || seconds() % 30 === 0)
      process.stderr.write(`… ${label} (${seconds()} s)\n`)
    else return
    shown = true
  }
  const timer = setInterval(tick, 1_000)
  let done = false
  try {
    const value = await work()
    done = true
    return value
  } finally {
    clearInterval(timer)
    if (shown) {
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
      process.stderr.write(`${done ? '✓' : '✗'} ${label} (${seconds()} s)\n`)
    }
  }
}
