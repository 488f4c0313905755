// The WASM kernels: each crate compiled with plain rustc, without cargo or an installed target, into a TypeScript module
// that holds the bytes. Equal bytes need an equal compiler, so only the release named here rebuilds; everywhere else the
// digest of the sources that the module carries still shows whether it was made from these.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { Failure } from './failure.mjs'
import { root } from './workspace.mjs'

/** Debian's `rustc-web` is this release, and `rust-web-src` its sources; `lld` brings the linker. */
const release = '1.96.0'
const building = path.join(root, '.cache', 'kernels')
const stackBytes = 64 * 2 ** 10

/**
 * @typedef {{ crate: string, artifact: string, noun: string, memoryBytes: number, memoryMaxBytes?: number,
 *   level: '3' | 's', isScalar?: true }} Kernels
 *   `crate` is the folder in crates/, `noun` begins the names in the artifact. Level `s` is for code that loops of fixed
 *   length would otherwise be unrolled in: a quarter of the size and as fast. Scalar code is compiled without SIMD, which
 *   the compiler would use for products of words, and lose: no engine has an instruction for them.
 */

/** @type {readonly Kernels[]} */
export const kernels = [
  {
    crate: 'kernels',
    artifact: 'packages/adapters/compute/src/wasm/kernels.wasm.ts',
    noun: 'kernel',
    memoryBytes: 32 * 2 ** 20,
    level: '3',
  },
  {
    crate: 'field',
    artifact: 'packages/adapters/proofs/src/field/field.wasm.ts',
    noun: 'field',
    memoryBytes: 2 ** 20,
    level: 's',
  },
  {
    crate: 'curve',
    artifact: 'packages/adapters/proofs/src/bn254/curve.wasm.ts',
    noun: 'curve',
    memoryBytes: 2 ** 20,
    memoryMaxBytes: 2 ** 30,
    level: '3',
    isScalar: true,
  },
]

/** @param {Kernels} kernels */
const codegenOf = ({ isScalar }) => [
  '--edition=2024',
  '--target=wasm32-unknown-unknown',
  '-Ccodegen-units=1',
  '-Zunstable-options',
  '-Cpanic=immediate-abort',
  `-Ctarget-feature=${isScalar ? '' : '+simd128,'}+bulk-memory`,
]

/** @typedef {{ rustc: string, library: string, linker: string }} Toolchain */

/**
 * Fails when the module does not come from these sources, or when a rebuild gives other bytes.
 * @param {Kernels} kernels
 */
export async function verifyKernels(kernels) {
  const { crate, artifact } = kernels
  const present = read(artifact)
  if (!present.includes(sourcesDigest(crate)))
    throw new Failure(`${artifact} was made from other sources than those in crates/${crate}`, {
      next: 'npm run artifacts -- --write  makes it again, where rustc is installed',
    })
  const found = await findToolchain()
  if (typeof found === 'string') {
    console.log(`– ${artifact} comes from these sources by its digest, and was not rebuilt: ${found}`)
    return
  }
  if (present !== (await make(kernels, found)))
    throw new Failure(`${artifact} holds other bytes than its sources give`, {
      next: 'npm run artifacts -- --write  makes it again; then read the difference',
    })
}

/** @param {Kernels} kernels */
export async function writeKernels(kernels) {
  const { crate, artifact } = kernels
  const found = await findToolchain()
  if (typeof found !== 'string') writeFileSync(path.join(root, artifact), await make(kernels, found))
  else if (read(artifact).includes(sourcesDigest(crate)))
    console.log(`– ${artifact} comes from these sources by its digest, and was not rebuilt: ${found}`)
  else
    throw new Failure(`${artifact} cannot be made here: ${found}`, {
      next: 'Install rustc-web, rust-web-src and lld (Debian), then run the command again.',
    })
}

/** @param {string} artifact */
function read(artifact) {
  const file = path.join(root, artifact)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** @param {string} crate */
function sourcesDigest(crate) {
  const folder = path.join(root, 'crates', crate)
  const hash = createHash('sha256')
  const sources = readdirSync(path.join(folder, 'src')).sort()
  for (const name of ['Cargo.toml', ...sources.map((name) => `src/${name}`)])
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(folder, name)))
      .update('\0')
  return hash.digest('hex')
}

/** @returns {Promise<Toolchain | string>} the toolchain, or why there is none in words */
async function findToolchain() {
  const linker = onPath('wasm-ld')
  if (linker === undefined) return 'there is no wasm-ld (it comes with lld)'
  const seen = []
  for (const rustc of [...new Set([onPath('rustc'), '/usr/bin/rustc'])]) {
    if (rustc === undefined || !existsSync(rustc)) continue
    const version = await quietly('asking rustc for its release', rustc, ['--version'])
    const library = path.join(
      (await quietly('asking rustc for its sysroot', rustc, ['--print', 'sysroot'])).trim(),
      'lib/rustlib/src/rust/library',
    )
    const own = version.split(' ')[1] ?? ''
    if (own === release && existsSync(library)) return { rustc, library, linker }
    seen.push(`rustc ${own}${own === release ? ' without its sources' : ''}`)
  }
  return `it takes rustc ${release} with its sources, and there is ${seen.join(', ') || 'no rustc'}`
}

/** @param {string} name */
function onPath(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file))
}

/**
 * @param {Kernels} kernels
 * @param {Toolchain} toolchain
 * @returns {Promise<string>} the text of the module
 */
async function make(kernels, { rustc, library, linker }) {
  const { crate, memoryBytes, memoryMaxBytes = memoryBytes, level, isScalar } = kernels
  const codegen = codegenOf(kernels)
  const folder = path.join(root, 'crates', crate)
  mkdirSync(building, { recursive: true })
  const core = path.join(building, `libcore-${release}${isScalar ? '-scalar' : ''}.rlib`)
  const label = `building crates/${crate}`
  const remap = `--remap-path-prefix=${library}=core`
  if (!existsSync(core)) {
    const from = path.join(library, 'core/src/lib.rs')
    const options = [
      '--crate-name=core',
      '--crate-type=rlib',
      '-Zforce-unstable-if-unmarked',
      '--cap-lints=allow',
    ]
    await quietly(label, rustc, [...options, '-Copt-level=3', ...codegen, remap, '-o', core, from])
  }
  // The kernels need nothing of it (memory is copied by instructions), yet rustc wants a crate of that name.
  const builtins = path.join(building, 'libcompiler_builtins.rlib')
  const empty = path.join(building, 'empty.rs')
  writeFileSync(empty, '#![feature(compiler_builtins)]\n#![compiler_builtins]\n#![no_std]\n')
  const crates = [`--extern=core=${core}`, `--extern=compiler_builtins=${builtins}`]
  await quietly(label, rustc, [
    ...['--crate-name=compiler_builtins', '--crate-type=rlib', `--extern=core=${core}`],
    ...['-Copt-level=3', ...codegen],
    ...['-o', builtins, empty],
  ])
  const wasm = path.join(building, `${crate}.wasm`)
  await quietly(label, rustc, [
    ...[`--crate-name=shardy_${crate}`, '--crate-type=cdylib', '-Cstrip=symbols', '-Dwarnings', ...crates],
    ...[`-Copt-level=${level}`, ...codegen],
    ...[`-Clinker=${linker}`, `-Clink-arg=--initial-memory=${memoryBytes}`],
    ...[`-Clink-arg=--max-memory=${memoryMaxBytes}`, `-Clink-arg=-zstack-size=${stackBytes}`],
    ...[`--remap-path-prefix=${folder}=${crate}`, '-o', wasm, path.join(folder, 'src/lib.rs')],
  ])
  return moduleText(kernels, readFileSync(wasm))
}

/**
 * @param {Kernels} kernels
 * @param {Buffer} wasm
 */
function moduleText({ crate, noun }, wasm) {
  return `// Made by tools/kernels.mjs from crates/${crate} with rustc ${release}: change those, then \`npm run artifacts -- --write\`.

/** SHA-256 over the names and bytes of the sources. */
export const ${noun}Sources = '${sourcesDigest(crate)}'

/** The module, ${wasm.length} bytes. */
export const ${noun}Base64 =
  '${wasm.toString('base64')}'
`
}

/**
 * @param {string} label
 * @param {string} program
 * @param {readonly string[]} args
 */
function quietly(label, program, args) {
  // The features that build core itself are for nightlies; this says that we mean it.
  return runQuietly({ label, program, args, cwd: root, env: { ...process.env, RUSTC_BOOTSTRAP: '1' } })
}
