/** What an operator sets about room, retention and a standby, read from words. */
export interface OperationSettings {
  /** Below so much free space new work is refused; 0: nothing watches it. */
  readonly lowBytes: number
  /** Held in a file, and given up when space runs out. */
  readonly reserveBytes: number
  /** Ended tasks older than this are forgotten; undefined: none. */
  readonly retentionMs: number | undefined
  /** `log`: a standby may follow. `acknowledged`: nothing is promised before a standby has it. */
  readonly standby: 'off' | 'log' | 'acknowledged'
}

export type OperationRead =
  | { readonly ok: true; readonly settings: OperationSettings }
  | { readonly ok: false; readonly name: string; readonly value: string; readonly bound: string }

const mebi = 1024 * 1024
const byteUnits: Readonly<Record<string, number>> = { '': 1, MiB: mebi, GiB: 1024 * mebi }
const timeUnits: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }
const retentionMsMin = 3_600_000
const retentionMsMax = 3_650 * 86_400_000

const amount = /^(0|[1-9]\d{0,14})([a-zA-Z]*)$/

function read(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = amount.exec(text) ?? []
  const scale = unit === undefined ? undefined : units[unit]
  const value = digits === undefined || scale === undefined ? Number.NaN : Number(digits) * scale
  return Number.isSafeInteger(value) ? value : undefined
}

export function readOperationSettings(env: Readonly<Record<string, string | undefined>>): OperationRead {
  const refuse = (name: string, value: string, bound: string): OperationRead => ({
    ok: false,
    name,
    value,
    bound,
  })
  const bytes = 'a number of bytes such as 268435456, 256MiB or 2GiB'
  const low = env.SHARDY_LOW_SPACE || '256MiB'
  const lowBytes = read(low, byteUnits)
  if (lowBytes === undefined) return refuse('SHARDY_LOW_SPACE', low, `${bytes}, or 0 to watch nothing`)
  const reserve = env.SHARDY_RESERVE || '16MiB'
  const reserveBytes = read(reserve, byteUnits)
  if (reserveBytes === undefined) return refuse('SHARDY_RESERVE', reserve, bytes)
  const retention = env.SHARDY_RETENTION || 'off'
  const retentionMs = retention === 'off' ? undefined : read(retention, timeUnits)
  const isOff = retention === 'off'
  if (!isOff && (retentionMs === undefined || retentionMs < retentionMsMin || retentionMs > retentionMsMax)) {
    return refuse('SHARDY_RETENTION', retention, 'off, or a time from 1h to 3650d such as 30d')
  }
  const standby = env.SHARDY_STANDBY || 'off'
  if (standby !== 'off' && standby !== 'log' && standby !== 'acknowledged') {
    return refuse('SHARDY_STANDBY', standby, 'off, log or acknowledged')
  }
  return { ok: true, settings: { lowBytes, reserveBytes, retentionMs, standby } }
}
