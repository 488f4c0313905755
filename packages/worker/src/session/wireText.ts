/** Text of any origin as the wire takes it: printable ASCII on one line, cut to its limit. */
export function wireText(text: string, lengthMax: number): string {
  const printable = text.replace(/\s+/g, ' ').replace(/[^\x20-\x7e]/g, '?')
  return printable.length <= lengthMax ? printable : `${printable.slice(0, lengthMax - 3)}...`
}
