// Files that a program writes from a source of ours. A check makes each again in memory and compares; `--write` rewrites.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { bun, root } from './workspace.mjs'

/**
 * @typedef {{ path: string, source: string, make: () => Promise<string> }} Generated
 *   An entry whose source does not exist yet is passed over.
 */

/** @type {readonly Generated[]} */
export const generated = [
  fromModule('packages/protocol/proto/shardy.proto', 'packages/protocol/src/proto.ts', 'protoFile'),
  fromModule('packages/tensor/proto/program.proto', 'packages/tensor/src/program/proto.ts', 'protoFile'),
  fromModule('packages/rules/ledger/proto/ledger.proto', 'packages/rules/ledger/src/proto.ts', 'protoFile'),
  fromModule(
    'contracts/evm/solidity/Groth16VerifierV2.sol',
    'contracts/evm/src/contracts.ts',
    'groth16VerifierV2',
  ),
  fromModule(
    'contracts/evm/solidity/Groth16VerifierV3.sol',
    'contracts/evm/src/contracts.ts',
    'groth16VerifierV3',
  ),
]

/**
 * @param {readonly Generated[]} entries
 * @param {{ write: boolean, base?: string }} options
 * @returns {Promise<{ compared: number, findings: string[] }>}
 */
export async function compareGenerated(entries, { write, base = root }) {
  /** @type {string[]} */
  const findings = []
  let compared = 0
  for (const entry of entries) {
    if (!existsSync(path.join(base, entry.source))) continue
    compared += 1
    const target = path.join(base, entry.path)
    const wanted = await entry.make()
    const present = existsSync(target) ? readFileSync(target, 'utf8') : undefined
    if (present === wanted) continue
    if (write) {
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, wanted)
    } else
      findings.push(`${entry.path} ${present === undefined ? 'is missing' : difference(present, wanted)}`)
  }
  return { compared, findings }
}

/**
 * @param {string} file
 * @param {string} source
 * @param {string} name the function of `source` that returns the file's text
 * @returns {Generated}
 */
function fromModule(file, source, name) {
  const program = `const { ${name} } = await import('./${source}'); process.stdout.write(${name}())`
  const make = () =>
    runQuietly({ label: `making ${file}`, program: bun, args: ['--eval', program], cwd: root })
  return { path: file, source, make }
}

/**
 * @param {string} present
 * @param {string} wanted
 */
function difference(present, wanted) {
  const [have, want] = [present.split('\n'), wanted.split('\n')]
  const at = want.findIndex((line, index) => line !== have[index])
  const line = at === -1 ? want.length : at
  return `differs from its source at line ${line + 1}: has "${have[line] ?? ''}", wants "${want[line] ?? ''}"`
}
