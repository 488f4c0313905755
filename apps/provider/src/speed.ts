/** A speed in words. */
export function describeSpeed(operationsPerSecond: number): string {
  return `${(operationsPerSecond / 1e9).toPrecision(3)} billion multiply-adds per second`
}
