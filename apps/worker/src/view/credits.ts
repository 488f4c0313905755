/** Amounts for a person, exactly: the bigint of micro-credits is never turned into a floating-point number. */

const microPerCredit = 1_000_000n

/** `1234500000n` → `1,234.5`; no digit is rounded away. */
export function formatCredits(microCredit: bigint): string {
  const sign = microCredit < 0n ? '-' : ''
  const magnitude = microCredit < 0n ? -microCredit : microCredit
  const whole = String(magnitude / microPerCredit).replace(/\B(?=(\d{3})+$)/g, ',')
  const fraction = String(magnitude % microPerCredit)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}
