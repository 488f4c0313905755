// Solidity to bytecode, with the compiler that package.json pins. The settings decide the bytecode, and so the gas and
// what an explorer must be told to verify a contract.

import { readFileSync } from 'node:fs'
import solc from 'solc'

export const settings = {
  optimizer: { enabled: true, runs: 10_000 },
  evmVersion: 'shanghai',
  metadata: { bytecodeHash: 'none' },
} as const

export type AbiEntry = { readonly type: string; readonly name?: string; readonly inputs?: readonly unknown[] }
export type Contract = {
  readonly abi: readonly AbiEntry[]
  readonly bytecode: `0x${string}`
  /** Of each function, by its signature, in hex without a prefix. */
  readonly selectors: Readonly<Record<string, string>>
}
/** Text of each file, by its name. */
export type Sources = Readonly<Record<string, string>>

type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>
}
type CompiledContract = {
  readonly abi: readonly AbiEntry[]
  readonly evm: {
    readonly bytecode: { readonly object: string }
    readonly methodIdentifiers: Readonly<Record<string, string>>
  }
}

/** What the compiler is given, in the form that explorers take too. */
export function standardJson(sources: Sources, name: string) {
  return {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }])),
    settings: {
      ...settings,
      outputSelection: { '*': { [name]: ['abi', 'evm.bytecode.object', 'evm.methodIdentifiers'] } },
    },
  }
}

/** The contract of that name; the others are compiled only as far as it needs them. Warnings count as errors. */
export function compile(sources: Sources, name: string): Contract {
  const output: Output = JSON.parse(solc.compile(JSON.stringify(standardJson(sources, name))))
  const errors = output.errors ?? []
  if (errors.length > 0) throw new Error(errors.map((one) => one.formattedMessage).join('\n'))
  const found = Object.values(output.contracts ?? {}).flatMap((file) => file[name] ?? [])[0]
  if (found === undefined) throw new Error(`the sources hold no contract ${name}`)
  const { abi, evm } = found
  return { abi, bytecode: `0x${evm.bytecode.object}`, selectors: evm.methodIdentifiers }
}

/** The committed files of `solidity/`. */
export function readSources(names: readonly string[]): Sources {
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(new URL(`../solidity/${name}`, import.meta.url), 'utf8')]),
  )
}
