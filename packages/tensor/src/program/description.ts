/** A program in a few words, for a person: `matmul i8[65,1024] · i8[1024,77]`, or what it is made of. */
import { plainProduct } from '../builder/matmulProgram.ts'
import { describeType } from '../value.ts'
import type { Program } from './program.ts'

const namedMax = 4

export function describeProgram(program: Program): string {
  const product = plainProduct(program)
  if (product !== undefined) {
    const { m, k, n } = product
    return `matrix product ${m} × ${k} · ${k} × ${n}`
  }
  const counts = new Map<string, number>()
  for (const { op } of program.nodes) counts.set(op, (counts.get(op) ?? 0) + 1)
  const byCount = [...counts].sort(([, left], [, right]) => right - left)
  const named = byCount.slice(0, namedMax).map(([op, count]) => (count === 1 ? op : `${count} ${op}`))
  const more = byCount.length > namedMax ? ['…'] : []
  const count = program.nodes.length
  const on = program.inputs.map(describeType).join(', ')
  return `${count} operation${count === 1 ? '' : 's'} on ${on === '' ? 'constants' : on}: ${[...named, ...more].join(', ')}`
}
