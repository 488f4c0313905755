// `npm run build -w @shardy/contracts-evm`: writes the generated contracts from the active keys, compiles all, and leaves
// for each statement what a deployment needs in `dist/`: ABI, bytecode, and the input that explorers verify with.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { compile, readSources, standardJson } from './compile.ts'
import { groth16VerifierV2, groth16VerifierV3 } from './contracts.ts'

const folder = path.join(import.meta.dirname, '..')

const statements = [
  { name: 'TaskProofV2', verifier: 'Groth16VerifierV2.sol', text: groth16VerifierV2 },
  { name: 'TaskProofV3', verifier: 'Groth16VerifierV3.sol', text: groth16VerifierV3 },
]

mkdirSync(path.join(folder, 'dist'), { recursive: true })
for (const { name, verifier, text } of statements) {
  writeFileSync(path.join(folder, 'solidity', verifier), text())
  const sources = readSources(['Groth16.sol', verifier, `${name}.sol`])
  const { abi, bytecode } = compile(sources, name)
  write(`${name}.json`, { abi, bytecode })
  write(`${name}.input.json`, standardJson(sources, name))
  console.log(`dist/${name}.json  ${(bytecode.length - 2) / 2} bytes of code to deploy`)
}

function write(file: string, value: unknown): void {
  writeFileSync(path.join(folder, 'dist', file), `${JSON.stringify(value, null, 2)}\n`)
}
