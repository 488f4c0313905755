/**
 * One line on stderr that says what a long command is doing. A watched line is rewritten in place and wiped at the
 * end; in a log every change is a line of its own.
 */
import { printable } from './wording.ts'
import type { World } from './world.ts'

export interface Progress {
  show(text: string): void
  /** Makes room for what comes next. */
  clear(): void
}

const wipe = '\r\u001b[2K'
/** A longer line would wrap, and a wrapped line cannot be wiped. */
const widthMax = 100

export function openProgress({ isWatched, tell }: Pick<World, 'isWatched' | 'tell'>): Progress {
  let shown = ''
  return {
    show(text) {
      const line = printable(text)
      if (line === shown) return
      shown = line
      if (!isWatched) tell(`${line}\n`)
      else tell(`${wipe}${line.length > widthMax ? `${line.slice(0, widthMax - 1)}…` : line}`)
    },
    clear() {
      if (isWatched && shown !== '') tell(wipe)
      shown = ''
    },
  }
}
