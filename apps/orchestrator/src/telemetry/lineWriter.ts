/**
 * Lines on their way to a sink that may be slow: those of one turn go in one write, one write is under way at a time,
 * and nobody waits for it. What does not fit into the bound is given up and counted: a log that nobody reads must
 * neither stop the work nor fill the memory.
 */
export interface LineWriter {
  write(line: string): void
  /** Resolves when everything taken so far has been written, or the sink is gone. */
  flush(): Promise<void>
}

/** Calls back once the text has left, or cannot. */
export type Sink = (text: string, done: () => void) => void

const waitingCharactersMaxDefault = 4 * 1024 * 1024

export function createLineWriter(
  sink: Sink,
  dropped: (line: string) => void = () => {},
  waitingCharactersMax = waitingCharactersMaxDefault,
): LineWriter {
  let waiting: string[] = []
  let waitingCharacters = 0
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    // One turn later, so that what is said in one turn goes together.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const text = `${waiting.join('\n')}\n`
      waiting = []
      waitingCharacters = 0
      await new Promise<void>((resolve) => sink(text, resolve))
    }
    running = undefined
  }

  return {
    write(line) {
      if (waitingCharacters + line.length > waitingCharactersMax) {
        dropped(line)
        return
      }
      waiting.push(line)
      waitingCharacters += line.length + 1
      running ??= run()
    },
    async flush() {
      await running
    },
  }
}
