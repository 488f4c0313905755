/** Small circuits for tests, compiled from source here. The first is the relation of task-proof-v2. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const inputs = `
  signal input witness;
  signal input taskId;
  signal input seed;
  signal input outputLen;
  signal input resultDigest;
`
const publicInputs = 'public [taskId, seed, outputLen, resultDigest]'

const sources = {
  taskProofV2: { body: 'witness + taskId + seed + outputLen === resultDigest;' },
  /** Of the same size, and another relation. */
  otherOfSameSize: { body: 'witness + 2 * taskId + seed + outputLen === resultDigest;' },
  /** Of another size. */
  larger: {
    body: 'signal square <== witness * witness; square + taskId === resultDigest * seed + outputLen;',
  },
} as const

export interface CompiledCircuit {
  readonly r1cs: Uint8Array
  readonly wasm: Uint8Array
}

const repository = path.resolve(import.meta.dir, '../../../..')

export async function compileCircuit(name: keyof typeof sources): Promise<CompiledCircuit> {
  // The compiler sees only folders below its working directory.
  const folder = await mkdtemp(path.join(tmpdir(), 'shardy-circuit-'))
  try {
    const text = `pragma circom 2.0.0;\ntemplate Relation() {${inputs}${sources[name].body}\n}\ncomponent main {${publicInputs}} = Relation();\n`
    await writeFile(path.join(folder, 'relation.circom'), text)
    const compiler = path.join(repository, 'node_modules/circom2/cli.js')
    const { exitCode, stdout, stderr } = Bun.spawnSync(
      [process.execPath, compiler, 'relation.circom', '--r1cs', '--wasm', '--O1'],
      { cwd: folder },
    )
    if (exitCode !== 0) throw new Error(`circom refused ${name}:\n${stdout}${stderr}`)
    return {
      r1cs: new Uint8Array(await readFile(path.join(folder, 'relation.r1cs'))),
      wasm: new Uint8Array(await readFile(path.join(folder, 'relation_js/relation.wasm'))),
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
