// Runs the circom compiler, which is a WASM program from npm, and hands back the constraint system and the witness
// generator as bytes. Compiling the same sources again gives the same bytes.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'

export const circuitsFolder = path.resolve(import.meta.dir, '..')
const repository = path.resolve(circuitsFolder, '..')

/** --O1 keeps linear constraints; --O2 solves them and leaves only products of signals. */
export type Optimization = '--O1' | '--O2'

export interface Compiled {
  readonly r1cs: Uint8Array
  readonly wasm: Uint8Array
  /** Which wire each named signal is, or none: see `symbols.ts`. */
  readonly symbols: string
}

/** `source` is a path below this folder. */
export function compile(source: string, optimization: Optimization): Compiled {
  // The compiler sees only what lies below its working directory, which is the repository.
  mkdirSync(path.join(circuitsFolder, '.cache'), { recursive: true })
  const folder = mkdtempSync(path.join(circuitsFolder, '.cache', 'compile-'))
  try {
    const command = [
      ...[process.execPath, path.join(repository, 'node_modules/circom2/cli.js')],
      ...[path.join(circuitsFolder, source), '--r1cs', '--wasm', '--sym', optimization, '--prime', 'bn128'],
      ...['-l', path.join(repository, 'node_modules'), '-o', path.join(folder)],
    ]
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: repository })
    if (exitCode !== 0) throw new Error(`circom refused ${source}:\n${stdout}${stderr}`)
    const name = path.basename(source, '.circom')
    return {
      r1cs: new Uint8Array(readFileSync(path.join(folder, `${name}.r1cs`))),
      wasm: new Uint8Array(readFileSync(path.join(folder, `${name}_js`, `${name}.wasm`))),
      symbols: readFileSync(path.join(folder, `${name}.sym`), 'utf8'),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
