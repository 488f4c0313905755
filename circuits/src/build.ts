// `npm run build -w @shardy/circuits`: compiles every statement and writes artifacts/. A key stays as long as it is there
// and its circuit compiles to the same constraints; else a new development key is dealt, different each time.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Curve } from 'ffjavascript'
import { circuitsFolder, compile } from './compile.ts'
import { openCurve } from './curve.ts'
import { contributor, dealKey } from './key.ts'
import {
  artifactFile,
  artifactsFolder,
  describeFile,
  digest,
  manifestFile,
  readManifest,
  writeVersion,
} from './manifest.ts'
import { checkShape, decodeR1cs } from './r1cs.ts'
import { encodeSetup, setupFile } from './setup.ts'
import { type Statement, statements } from './statements.ts'
import { decodeZkey, hashContribution } from './zkey.ts'

async function build(curve: Curve, statement: Statement): Promise<string> {
  const { name } = statement
  const { r1cs, wasm } = compile(statement.source, statement.optimization)
  checkShape(decodeR1cs(r1cs), statement)
  mkdirSync(artifactsFolder, { recursive: true })
  writeFileSync(artifactFile(`${name}.wasm`), wasm)

  const known = readManifest().versions.find((one) => one.verifierVersion === statement.verifierVersion)
  const isKept = known?.files.r1cs.sha256 === digest(r1cs) && existsSync(artifactFile(`${name}.zkey`))
  if (!isKept) {
    const { key, verificationKey, setup } = await dealKey(curve, r1cs, statement.domainPower)
    writeFileSync(artifactFile(`${name}.zkey`), key)
    writeFileSync(artifactFile(`${name}.vkey.json`), JSON.stringify(verificationKey))
    writeFileSync(setupFile(name), encodeSetup(setup))
    format(artifactFile(`${name}.vkey.json`), setupFile(name))
  }
  const { contributions } = decodeZkey(new Uint8Array(readFileSync(artifactFile(`${name}.zkey`))))
  writeVersion({
    verifierVersion: statement.verifierVersion,
    kind: statement.kind,
    status: isKept ? known.status : 'active',
    trust: isKept ? known.trust : 'development',
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
    contributions: isKept
      ? known.contributions
      : contributions.map((one) => ({ name: contributor, hash: hashContribution(curve, one) })),
    note: statement.note,
  })
  format(manifestFile)
  return isKept ? 'its key is kept' : 'with a new key'
}

/** The digests in the manifest are of the files as the repository keeps them. */
function format(...files: readonly string[]): void {
  const biome = path.join(circuitsFolder, '../node_modules/@biomejs/biome/bin/biome')
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, biome, 'format', '--write', ...files])
  if (exitCode !== 0) throw new Error(`could not lay out ${files.join(', ')}:\n${stderr}`)
}

const curve = await openCurve()
for (const statement of statements) {
  const startMs = performance.now()
  const how = await build(curve, statement)
  console.log(`✓ ${statement.name}, ${how} (${((performance.now() - startMs) / 1_000).toFixed(1)} s)`)
}
