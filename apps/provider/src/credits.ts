/** Exact amounts for people: millionths of a test credit as a decimal without trailing zeros. */
export function formatAmount(microCredit: bigint): string {
  const whole = microCredit / 1_000_000n
  const rest = (microCredit % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '')
  return `${whole}${rest === '' ? '' : `.${rest}`}`
}

export function formatCredits(microCredit: bigint): string {
  return `${formatAmount(microCredit)} test credit${microCredit === 1_000_000n ? '' : 's'}`
}
