// What the contracts cost, measured on the chain with fixed keys and proofs, so that every run gives the same numbers.
// `npx bun contracts/evm/test/gas.ts --write` puts them into gas.json and docs/performance.md.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { outsideSubgroup } from './cases.ts'
import { type Chain, openChain } from './chain.ts'
import { calldata } from './contract.ts'
import { type ProofWords, words } from './trapdoor.ts'
import { type Kind, keyOf, taskProof } from './verifiers.ts'

/** `transaction` is all that is paid: 21,000, the calldata, and the execution. */
export type Cost = { readonly transaction: number; readonly calldata: number; readonly execution: number }
export type Costs = {
  readonly deploy: number
  readonly verify: Cost
  readonly requireProven: Cost
  /** Whole transactions of `requireProven` that revert. */
  readonly refused: { readonly false: number; readonly offCurve: number; readonly precompile: number }
}

export const gasFile = path.join(import.meta.dirname, '../gas.json')
export const performanceFile = path.join(import.meta.dirname, '../../../docs/performance.md')

const transactionGas = 21_000
const gasLimit = 500_000n
/** EIP-2028. */
const zeroByteGas = 4
const otherByteGas = 16

/** Signals of the lengths that statements have, in the order of the verifier. */
const typical: Record<Kind, { readonly signals: readonly bigint[]; readonly fields: readonly bigint[] }> = {
  v2: fieldsAndSignals([128, 64, 20, 253]),
  v3: (() => {
    const { signals } = fieldsAndSignals([128, 128, 128, 128, 253, 0, 253, 253, 253, 253])
    const position = (3n << 96n) | (7n << 64n) | (5n << 32n) | 31n
    const [taskId = 0n, deliveryId = 0n, high = 0n, low = 0n, digest = 0n, , ...commitments] = signals
    return {
      signals: [taskId, deliveryId, high, low, digest, position, ...commitments],
      fields: [taskId, deliveryId, (high << 128n) | low, digest, 3n, 7n, 5n, 31n, ...commitments],
    }
  })(),
}

function fieldsAndSignals(bits: readonly number[]) {
  const ones = 0x1123456789abcdef1123456789abcdef1123456789abcdef1123456789abcdefn
  const signals = bits.map((width, index) => (ones - BigInt(index)) >> BigInt(256 - width))
  return { signals, fields: signals }
}

export async function measureGas(chain: Chain): Promise<Readonly<Record<Kind, Costs>>> {
  return { v2: await measureKind(chain, 'v2'), v3: await measureKind(chain, 'v3') }
}

async function measureKind(chain: Chain, kind: Kind): Promise<Costs> {
  const { signals, fields } = typical[kind]
  const contract = taskProof(kind)
  const { contract: to, gasUsed: deploy } = await chain.deploy(contract.bytecode)
  const honest = keyOf(kind).prove(signals, 'gas')
  const send = async (data: string, isSuccess: boolean) => {
    const { status, gasUsed } = await chain.send({ to, data, gas: gasLimit })
    if (status !== isSuccess) throw new Error(`the transaction ended with status ${status}`)
    return Number(gasUsed)
  }
  const cost = async (name: string, args: readonly bigint[]): Promise<Cost> => {
    const data = calldata(contract, name, words(honest), args)
    const [transaction, forCalldata] = [await send(data, true), calldataGas(data)]
    return { transaction, calldata: forCalldata, execution: transaction - transactionGas - forCalldata }
  }
  const refused = (proof: ProofWords) => send(calldata(contract, 'requireProven', proof, fields), false)
  return {
    deploy: Number(deploy),
    verify: await cost('verify', signals),
    requireProven: await cost('requireProven', fields),
    refused: {
      false: await refused(words({ ...honest, c: honest.c.negate() })),
      offCurve: await refused(words(honest).with(1, 1n)),
      precompile: await refused(words({ ...honest, b: outsideSubgroup('gas') })),
    },
  }
}

/** As docs/performance.md has it. */
export function gasTable({ v2, v3 }: Readonly<Record<Kind, Costs>>): string {
  const number = (value: number) => value.toLocaleString('en-US')
  const row = (name: string, of: (costs: Costs) => number) =>
    `| ${name} | ${number(of(v2))} | ${number(of(v3))} |`
  return [
    '| gas | v2, 4 signals | v3, 10 signals |',
    '|---|---|---|',
    row('`requireProven`, a whole transaction', (costs) => costs.requireProven.transaction),
    row('… of it calldata', (costs) => costs.requireProven.calldata),
    row('… of it execution', (costs) => costs.requireProven.execution),
    row('`verify`, a whole transaction', (costs) => costs.verify.transaction),
    row('… of it calldata', (costs) => costs.verify.calldata),
    row('… of it execution', (costs) => costs.verify.execution),
    row('refused: false', (costs) => costs.refused.false),
    row('refused: a point off the curve', (costs) => costs.refused.offCurve),
    row(
      `refused: B outside the subgroup, of a limit of ${number(Number(gasLimit))}`,
      (costs) => costs.refused.precompile,
    ),
    row('deployment', (costs) => costs.deploy),
  ].join('\n')
}

function calldataGas(data: string): number {
  const bytes = Buffer.from(data.slice(2), 'hex')
  return bytes.reduce((total, byte) => total + (byte === 0 ? zeroByteGas : otherByteGas), 0)
}

if (import.meta.main) {
  const chain = await openChain()
  try {
    const costs = await measureGas(chain)
    if (process.argv.includes('--write')) {
      writeFileSync(gasFile, `${JSON.stringify(costs, null, 2)}\n`)
      const page = readFileSync(performanceFile, 'utf8')
      writeFileSync(performanceFile, page.replace(/^\| gas \|.*\n(\|.*\n)*/m, `${gasTable(costs)}\n`))
    }
    console.log(gasTable(costs))
  } finally {
    await chain.close()
  }
}
