// The WASM kernels: crates/kernels compiled with plain rustc, without cargo or an installed target, into a TypeScript module
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
const crate = path.join(root, 'crates', 'kernels')
const artifact = path.join(root, 'packages', 'adapters', 'compute', 'src', 'wasm', 'kernels.wasm.ts')
const building = path.join(root, '.cache', 'kernels')
const memoryBytes = 32 * 2 ** 20
const stackBytes = 64 * 2 ** 10

const codegen = [
  '--edition=2024',
  '--target=wasm32-unknown-unknown',
  '-Copt-level=3',
  '-Ccodegen-units=1',
  '-Zunstable-options',
  '-Cpanic=immediate-abort',
  '-Ctarget-feature=+simd128,+bulk-memory',
]

/** @typedef {{ rustc: string, library: string, linker: string }} Toolchain */

/** Fails when the module does not come from these sources, or when a rebuild gives other bytes. */
export async function verifyKernels() {
  const present = existsSync(artifact) ? readFileSync(artifact, 'utf8') : ''
  if (!present.includes(sourcesDigest()))
    throw new Failure('kernels.wasm.ts was made from other sources than those in crates/kernels', {
      next: 'npm run artifacts -- --write  makes it again, where rustc is installed',
    })
  const found = await findToolchain()
  if (typeof found === 'string') {
    console.log(`– kernels.wasm.ts comes from these sources by its digest, and was not rebuilt: ${found}`)
    return
  }
  if (present !== (await make(found)))
    throw new Failure('kernels.wasm.ts holds other bytes than its sources give', {
      next: 'npm run artifacts -- --write  makes it again; then read the difference',
    })
}

export async function writeKernels() {
  const found = await findToolchain()
  if (typeof found !== 'string') writeFileSync(artifact, await make(found))
  else if (existsSync(artifact) && readFileSync(artifact, 'utf8').includes(sourcesDigest()))
    console.log(`– kernels.wasm.ts comes from these sources by its digest, and was not rebuilt: ${found}`)
  else
    throw new Failure(`kernels.wasm.ts cannot be made here: ${found}`, {
      next: 'Install rustc-web, rust-web-src and lld (Debian), then run the command again.',
    })
}

function sourcesDigest() {
  const hash = createHash('sha256')
  const sources = readdirSync(path.join(crate, 'src')).sort()
  for (const name of ['Cargo.toml', ...sources.map((name) => `src/${name}`)])
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(crate, name)))
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
 * @param {Toolchain} toolchain
 * @returns {Promise<string>} the text of the module
 */
async function make({ rustc, library, linker }) {
  mkdirSync(building, { recursive: true })
  const core = path.join(building, `libcore-${release}.rlib`)
  const label = 'building the kernels'
  const remap = `--remap-path-prefix=${library}=core`
  if (!existsSync(core)) {
    const from = path.join(library, 'core/src/lib.rs')
    const options = [
      '--crate-name=core',
      '--crate-type=rlib',
      '-Zforce-unstable-if-unmarked',
      '--cap-lints=allow',
    ]
    await quietly(label, rustc, [...options, ...codegen, remap, '-o', core, from])
  }
  // The kernels need nothing of it (memory is copied by instructions), yet rustc wants a crate of that name.
  const builtins = path.join(building, 'libcompiler_builtins.rlib')
  const empty = path.join(building, 'empty.rs')
  writeFileSync(empty, '#![feature(compiler_builtins)]\n#![compiler_builtins]\n#![no_std]\n')
  const crates = [`--extern=core=${core}`, `--extern=compiler_builtins=${builtins}`]
  await quietly(label, rustc, [
    ...['--crate-name=compiler_builtins', '--crate-type=rlib', `--extern=core=${core}`],
    ...codegen,
    ...['-o', builtins, empty],
  ])
  const wasm = path.join(building, 'kernels.wasm')
  await quietly(label, rustc, [
    ...['--crate-name=shardy_kernels', '--crate-type=cdylib', '-Cstrip=symbols', '-Dwarnings', ...crates],
    ...codegen,
    ...[`-Clinker=${linker}`, `-Clink-arg=--initial-memory=${memoryBytes}`],
    ...[`-Clink-arg=--max-memory=${memoryBytes}`, `-Clink-arg=-zstack-size=${stackBytes}`],
    ...[`--remap-path-prefix=${crate}=kernels`, '-o', wasm, path.join(crate, 'src/lib.rs')],
  ])
  return moduleText(readFileSync(wasm))
}

/** @param {Buffer} wasm */
function moduleText(wasm) {
  return `// Made by tools/kernels.mjs from crates/kernels with rustc ${release}: change those, then \`npm run artifacts -- --write\`.

/** SHA-256 over the names and bytes of the sources. */
export const kernelSources = '${sourcesDigest()}'

/** The module, ${wasm.length} bytes. */
export const kernelBase64 =
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
