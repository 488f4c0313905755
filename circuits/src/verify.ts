// `npm run verify -w @shardy/circuits`, a part of `npm run artifacts`: whether artifacts/ is what the manifest says, and
// every key belongs to its circuit as it compiles now. Names each fault, and ends with 1 when there is one.

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { WrittenVersion } from '@shardy/proofs'
import type { Curve } from 'ffjavascript'
import { groth16, type MemoryFile, wtns, zKey } from 'snarkjs'
import { compile } from './compile.ts'
import { openCurve } from './curve.ts'
import { drawInputs } from './draw.ts'
import { findKeyFaults } from './keyCheck.ts'
import { artifactFile, describeFile, digest, readManifest } from './manifest.ts'
import { checkShape, decodeR1cs } from './r1cs.ts'
import { readSetup } from './setup.ts'
import { type Statement, statements } from './statements.ts'
import { decodeZkey, hashContribution } from './zkey.ts'

async function findFaults(curve: Curve, statement: Statement, version: WrittenVersion): Promise<string[]> {
  const { wasm, zkey, vkey } = version.files
  const faults = [wasm, zkey, vkey]
    .filter((file) => !isDeepStrictEqual(describeFile(file.path), file))
    .map((file) => `${file.path} is not the file that the manifest describes`)
  if (version.constraints !== statement.constraints || version.publicSignals !== statement.publicSignals)
    faults.push('the manifest has another shape than the statement')

  const compiled = compile(statement.source, statement.optimization)
  const r1cs = decodeR1cs(compiled.r1cs)
  checkShape(r1cs, statement)
  if (digest(compiled.r1cs) !== version.files.r1cs.sha256)
    faults.push('its circuit compiles to other constraints than the manifest names')
  if (digest(compiled.wasm) !== wasm.sha256) faults.push(`${wasm.path} is not what its circuit compiles to`)

  const key = new Uint8Array(readFileSync(artifactFile(zkey.path)))
  const verificationKey = JSON.parse(readFileSync(artifactFile(vkey.path), 'utf8'))
  if (!isDeepStrictEqual(plain(await zKey.exportVerificationKey(key)), verificationKey))
    faults.push(`${vkey.path} is not the verifying half of ${zkey.path}`)
  const hashes = decodeZkey(key).contributions.map((one) => hashContribution(curve, one))
  if (
    !isDeepStrictEqual(
      hashes,
      version.contributions.map((one) => one.hash),
    )
  )
    faults.push('the manifest names other contributions than the key holds')
  faults.push(...(await findKeyFaults(curve, { key, r1cs, setup: readSetup(statement.name) })))
  if (faults.length === 0) faults.push(...(await tryKey(statement, key, compiled.wasm, verificationKey)))
  return faults
}

/** One proof of a statement that nobody chose; it fixes the points of the public signals too. */
async function tryKey(
  { kind }: Statement,
  key: Uint8Array,
  wasm: Uint8Array,
  verificationKey: Parameters<typeof groth16.verify>[0],
): Promise<string[]> {
  const witness: MemoryFile = { type: 'mem' }
  await wtns.calculate(drawInputs(kind), wasm, witness)
  const { proof, publicSignals } = await groth16.prove(key, witness.data ?? new Uint8Array())
  const faults: string[] = []
  if (!(await groth16.verify(verificationKey, publicSignals, proof))) faults.push('refuses an honest proof')
  for (const index of publicSignals.keys()) {
    const other = publicSignals.with(index, String(BigInt(publicSignals[index] ?? 0) + 1n))
    if (await groth16.verify(verificationKey, other, proof))
      faults.push(`accepts a proof for another public signal ${index}`)
  }
  return faults
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

async function main(): Promise<number> {
  const curve = await openCurve()
  const { versions } = readManifest()
  let faulty = 0
  const tell = (name: string, faults: readonly string[]) => {
    console.log(`${faults.length === 0 ? '✓' : '✗'} ${name}`)
    for (const fault of faults) console.error(`  ${name}: ${fault}`)
    faulty += faults.length
  }
  for (const version of versions) {
    const statement = statements.find((one) => one.name === version.circuit)
    const name = `${version.circuit}, verifier version ${version.verifierVersion}`
    const faults = statement === undefined ? ['no such circuit'] : await findFaults(curve, statement, version)
    tell(name, faults)
  }
  for (const { kind } of statements) {
    const active = versions.filter((version) => version.kind === kind && version.status === 'active')
    if (active.length !== 1) tell(`kind ${kind}`, [`${active.length} versions are active instead of one`])
  }
  return faulty === 0 ? 0 : 1
}

process.exit(await main())
