// `npm run build -w @shardy/circuits -- NAME…`: compiles statements, deals each a new development key, and writes
// artifacts/. A key is different each time it is dealt, so build only when a circuit changed.

import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Curve } from 'ffjavascript'
import { type MemoryFile, zKey } from 'snarkjs'
import { circuitsFolder, compile } from './compile.ts'
import { openCurve } from './curve.ts'
import { deal, type Setup } from './dealer.ts'
import { artifactsFolder, describeFile, digest, manifestFile, writeVersion } from './manifest.ts'
import { checkShape, decodeR1cs } from './r1cs.ts'
import { type Statement, statements } from './statements.ts'

const contributor = 'development dealer'

async function build(curve: Curve, statement: Statement): Promise<void> {
  const { name } = statement
  const { r1cs, wasm } = compile(statement.source, statement.optimization)
  checkShape(decodeR1cs(r1cs), statement)
  const { powers, setup } = deal(curve, statement.domainPower)
  const { key, hash } = await makeKey(r1cs, powers)
  // snarkjs checks every point of the key against the circuit and the dealer's powers, which are then thrown away.
  if (!(await zKey.verifyFromR1cs(r1cs, powers, key)))
    throw new Error(`the new key of ${name} is not its own`)

  mkdirSync(artifactsFolder, { recursive: true })
  const write = (file: string, content: Uint8Array | string) =>
    writeFileSync(path.join(artifactsFolder, file), content)
  write(`${name}.wasm`, wasm)
  write(`${name}.zkey`, key)
  write(`${name}.vkey.json`, JSON.stringify(await zKey.exportVerificationKey(key)))
  writeFileSync(path.join(circuitsFolder, name, 'setup.json'), JSON.stringify(encodeSetup(setup)))
  format(path.join(artifactsFolder, `${name}.vkey.json`), path.join(circuitsFolder, name, 'setup.json'))
  writeVersion({
    verifierVersion: statement.verifierVersion,
    kind: statement.kind,
    status: 'active',
    trust: 'development',
    circuit: name,
    system: 'groth16',
    curve: 'bn254',
    constraints: statement.constraints,
    publicSignals: statement.publicSignals,
    files: {
      wasm: describeFile(`${name}.wasm`),
      zkey: describeFile(`${name}.zkey`),
      vkey: describeFile(`${name}.vkey.json`),
      r1cs: { sha256: digest(r1cs) },
    },
    contributions: [{ name: contributor, hash: Buffer.from(hash).toString('hex') }],
    note: statement.note,
  })
  format(manifestFile)
}

async function makeKey(r1cs: Uint8Array, powers: Uint8Array): Promise<{ key: Uint8Array; hash: Uint8Array }> {
  const first: MemoryFile = { type: 'mem' }
  const last: MemoryFile = { type: 'mem' }
  if ((await zKey.newZKey(r1cs, powers, first)) === -1) throw new Error('snarkjs made no key: see above')
  // A key without a contribution has delta = gamma, and anyone can forge under it.
  const hash = await zKey.contribute(contents(first), last, contributor, randomBytes(64).toString('hex'))
  return { key: contents(last), hash }
}

function contents(file: MemoryFile): Uint8Array {
  if (file.data === undefined) throw new Error('snarkjs wrote nothing')
  return file.data
}

function encodeSetup(setup: Setup): Readonly<Record<keyof Setup, string>> {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  return { tauG2: hex(setup.tauG2), tauDomainG2: hex(setup.tauDomainG2), alphaG2: hex(setup.alphaG2) }
}

/** The digests in the manifest are of the files as the repository keeps them. */
function format(...files: readonly string[]): void {
  const biome = path.join(circuitsFolder, '../node_modules/@biomejs/biome/bin/biome')
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, biome, 'format', '--write', ...files])
  if (exitCode !== 0) throw new Error(`could not lay out ${files.join(', ')}:\n${stderr}`)
}

const names = process.argv.slice(2)
const chosen = statements.filter((statement) => names.includes(statement.name))
if (chosen.length === 0 || chosen.length !== names.length) {
  console.error(
    'npm run build -w @shardy/circuits -- NAME…   deals a new development key to each statement named',
  )
  console.error(`names: ${statements.map((statement) => statement.name).join(', ')}`)
  process.exit(2)
}
const curve = await openCurve()
for (const statement of chosen) {
  const startMs = performance.now()
  await build(curve, statement)
  console.log(`✓ ${statement.name} (${((performance.now() - startMs) / 1_000).toFixed(1)} s)`)
}
