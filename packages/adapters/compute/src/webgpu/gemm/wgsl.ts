/** Small pieces of text from which kernels are put together. */

/** `count` lines, one for each index. */
export function repeat(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n')
}
