// What the contracts cost, measured on the chain with fixed keys and proofs, so that every run gives the same numbers.
// `npx bun contracts/evm/test/gas.ts --write` puts them into gas.json.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { outsideSubgroup } from './cases.ts'
import { type Chain, openChain } from './chain.ts'
import { calldata } from './contract.ts'
import { words } from './trapdoor.ts'
import { type Kind, keyOf, taskProof } from './verifiers.ts'

/** `transaction` is all that is paid: 21,000, the calldata, and the execution. */
export type Cost = { readonly transaction: number; readonly calldata: number; readonly execution: number }
export type Costs = Readonly<
  Record<string, { readonly deploy: number } & Readonly<Record<string, Cost | number>>>
>

export const gasFile = path.join(import.meta.dirname, '../gas.json')

const transactionGas = 21_000
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

export async function measureGas(chain: Chain): Promise<Costs> {
  const costs: Record<string, Costs[string]> = {}
  for (const kind of ['v2', 'v3'] as const) {
    const { signals, fields } = typical[kind]
    const contract = taskProof(kind)
    const { contract: to, gasUsed: deploy } = await chain.deploy(contract.bytecode)
    const honest = keyOf(kind).prove(signals, 'gas')
    const proof = words(honest)
    const cost = async (data: string, isSuccess: boolean): Promise<Cost> => {
      const { status, gasUsed } = await chain.send({ to, data })
      if (status !== isSuccess) throw new Error(`the transaction ended with status ${status}`)
      const forCalldata = calldataGas(data)
      const transaction = Number(gasUsed)
      return { transaction, calldata: forCalldata, execution: transaction - transactionGas - forCalldata }
    }
    const { gasUsed: burnt } = await chain.send({
      to,
      data: calldata(contract, 'requireProven', words({ ...honest, b: outsideSubgroup('gas') }), fields),
      gas: 500_000n,
    })
    costs[`TaskProof${kind.toUpperCase()}`] = {
      deploy: Number(deploy),
      verify: await cost(calldata(contract, 'verify', proof, signals), true),
      requireProven: await cost(calldata(contract, 'requireProven', proof, fields), true),
      'requireProven, false': await cost(
        calldata(contract, 'requireProven', words({ ...honest, c: honest.c.negate() }), fields),
        false,
      ),
      'requireProven, off the curve': await cost(
        calldata(contract, 'requireProven', [proof[0] ?? 0n, 1n, ...proof.slice(2)], fields),
        false,
      ),
      'requireProven, B outside its subgroup, limit 500,000': Number(burnt),
    }
  }
  return costs
}

function calldataGas(data: string): number {
  const bytes = Buffer.from(data.slice(2), 'hex')
  return bytes.reduce((total, byte) => total + (byte === 0 ? zeroByteGas : otherByteGas), 0)
}

if (import.meta.main) {
  const chain = await openChain()
  try {
    const text = `${JSON.stringify(await measureGas(chain), null, 2)}\n`
    if (process.argv.includes('--write')) writeFileSync(gasFile, text)
    console.log(text)
  } finally {
    await chain.close()
  }
}
