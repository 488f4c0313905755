/** The rules E4, E5, E7 and E10 word by word, over text and whole numbers: written without a look at the code. */
import { createHash } from 'node:crypto'

const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

const sha256Hex = (hex: string) => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')
const number = (hex: string) => BigInt(`0x${hex}`)

export interface Fold {
  readonly h0: string
  readonly h1: string
  readonly value: string
}

export function fold(outputDigest: string, outputLength: number): Fold {
  const tag = Buffer.from('DPN2SNAR').toString('hex')
  const length = outputLength.toString(16).padStart(16, '0')
  const h0 = sha256Hex(`${tag}00${outputDigest}${length}`)
  const h1 = sha256Hex(`${tag}01${outputDigest}${length}`)
  return { h0, h1, value: reduce(h0 + h1) }
}

/** Subtracts r as often as it goes in, by the highest doublings first. */
export function reduce(wideHex: string): string {
  let rest = number(wideHex)
  for (let doubling = 512n; doubling >= 0n; doubling--) {
    if (rest >= order << doubling) rest -= order << doubling
  }
  return rest.toString()
}

export const outputDigest = (output: Uint8Array) => createHash('sha256').update(output).digest('hex')

export function idElements(id: string): readonly string[] {
  return id.length === 64
    ? [number(id.slice(0, 32)).toString(), number(id.slice(32)).toString()]
    : [number(id).toString()]
}

export function position(node: number, tileRow: number, tileColumn: number, depth: number): string {
  const part = (value: number) => value.toString(16).padStart(8, '0')
  return number(part(node) + part(tileRow) + part(tileColumn) + part(depth)).toString()
}
