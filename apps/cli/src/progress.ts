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

export function openProgress({ watchedColumns, tell }: Pick<World, 'watchedColumns' | 'tell'>): Progress {
  let shown = ''
  return {
    show(text) {
      const line = printable(text)
      if (line === shown) return
      shown = line
      const columns = watchedColumns()
      tell(columns === undefined ? `${line}\n` : `${wipe}${cut(line, columns - 1)}`)
    },
    clear() {
      if (watchedColumns() !== undefined && shown !== '') tell(wipe)
      shown = ''
    },
  }
}

/** A longer line would wrap, and a wrapped line cannot be wiped. */
function cut(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, Math.max(0, columns - 1))}…` : line
}
