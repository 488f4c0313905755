/** How things are said to a person: shapes, money, durations, sizes, tables. */
/** What a server says may hold anything; in a terminal only printable text may arrive. */
export function printable(text: string): string {
  return text.replace(unprintable, '?')
}

/** JSON on one line, in which what would move a cursor or turn text round is escaped: it reads back the same. */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))
  return json.replace(unprintable, (text) => `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Control characters, and what is invisible or changes the direction of text; all below U+10000. */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

const microPerCredit = 1_000_000n

/** Exact: `0.0005`. */
export function credits(microCredit: bigint): string {
  const fraction = String(microCredit % microPerCredit)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${microCredit / microPerCredit}${fraction === '' ? '' : `.${fraction}`}`
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const

export function duration(ms: number): string {
  for (const [unitMs, name] of units) if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${name}`
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  return ms >= 10_000 ? `${Math.round(ms / 1000)} s` : `${(ms / 1000).toFixed(1)} s`
}

export function bytes(length: number): string {
  if (length < 1024) return count(length, 'byte')
  return length < 1024 * 1024
    ? `${(length / 1024).toFixed(1)} KiB`
    : `${(length / 1024 / 1024).toFixed(1)} MiB`
}

/** Three digits and a prefix: `63.2 G`. */
export function rate(perSecond: number): string {
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (perSecond >= unit) return `${Number((perSecond / unit).toPrecision(3))} ${name}`
  }
  return String(Math.round(perSecond))
}

/** Enough of an id to tell it from others at a glance. */
export function short(id: string): string {
  return `${id.slice(0, 12)}…`
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
