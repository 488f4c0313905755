// The .sym file: which wire each named signal of a circuit is. Signals that equal another, or a constant, have none.

export type Symbols = ReadonlyMap<string, number>

export function decodeSymbols(text: string): Symbols {
  const symbols = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, wire, , name] = line.split(',')
    if (name !== undefined && Number(wire) >= 0) symbols.set(name.replace(/^main\./, ''), Number(wire))
  }
  return symbols
}

export function wireOf(symbols: Symbols, name: string): number {
  const wire = symbols.get(name)
  if (wire === undefined) throw new Error(`the circuit has no wire for ${name}`)
  return wire
}
