// Installs the npm packages exactly as the lockfile names them, when node_modules does not hold them already.
// A stamp makes the usual case cheap. No package's install script runs except Bun's, which puts its binary in place.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { Failure } from './failure.mjs'
import { workspaceFolders } from './workspace.mjs'

/** @param {string} base */
export function isInstalled(base) {
  return read(stampFile(base)) === stamp(base)
}

/**
 * @param {string} base
 * @param {(pid: number) => void} onStart told of the process that changes node_modules
 */
export async function install(base, onStart) {
  if (!matchesLockfile(base)) {
    const npm = npmCommand()
    await runQuietly({
      label: 'installing npm packages',
      program: npm.program,
      args: [
        ...npm.args,
        'ci',
        '--ignore-scripts',
        '--include=dev',
        '--include=optional',
        '--no-audit',
        '--no-fund',
      ],
      cwd: base,
      onStart,
      next: 'Mend what npm says above. If package.json and the lockfile disagree, run: npm install',
    })
  }
  await placeBun(base)
  writeFileSync(stampFile(base), stamp(base))
}

/** @param {string} base */
const stampFile = (base) => path.join(base, 'node_modules', '.shardy-installed')

/**
 * Everything that decides what belongs in node_modules.
 * @param {string} base
 */
function stamp(base) {
  const hash = createHash('sha256')
  const manifests = workspaceFolders(base).map((folder) => `${folder}/package.json`)
  for (const file of ['package-lock.json', '.npmrc', 'package.json', ...manifests])
    hash.update(`${file}\0${read(path.join(base, file))}\0`)
  return `${hash.digest('hex')} ${platform()}\n`
}

const platform = () => `node-${process.versions.node.split('.')[0]} ${process.platform}-${process.arch}`

/**
 * True when npm's own record of node_modules says that a person's `npm install` already put this lockfile in place.
 * @param {string} base
 */
function matchesLockfile(base) {
  const stamped = read(stampFile(base))
  if (stamped !== '' && !stamped.endsWith(` ${platform()}\n`)) return false
  const wanted = lockedPackages(path.join(base, 'package-lock.json'))
  const present = lockedPackages(path.join(base, 'node_modules', '.package-lock.json'))
  if (wanted === undefined || present === undefined) return false
  const root = JSON.parse(read(path.join(base, 'package.json')))
  const declared = [
    ['', root],
    ...workspaceFolders(base).map((at) => [at, JSON.parse(read(path.join(base, at, 'package.json')))]),
  ]
  for (const [folder, manifest] of declared) {
    for (const field of ['dependencies', 'devDependencies', 'optionalDependencies'])
      if (!sameEntries(manifest[field], wanted[folder]?.[field])) return false
  }
  for (const [at, entry] of Object.entries(wanted)) {
    if (at === '') continue
    const found = present[at]
    if (
      found === undefined
        ? entry.optional !== true
        : found.version !== entry.version || found.link !== entry.link
    )
      return false
    if (at.startsWith('node_modules/') && found !== undefined && !existsSync(path.join(base, at)))
      return false
  }
  return Object.keys(present).every((at) => at in wanted)
}

/**
 * @typedef {{ version?: string, link?: boolean, optional?: boolean } & Record<string, Record<string, string> | undefined>} Locked
 * @param {string} file
 * @returns {Record<string, Locked> | undefined}
 */
function lockedPackages(file) {
  const text = read(file)
  return text === '' ? undefined : JSON.parse(text).packages
}

/**
 * @param {Record<string, string>} [left]
 * @param {Record<string, string>} [right]
 */
function sameEntries(left = {}, right = {}) {
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}

/** The npm that started us, else the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath ?? ''
  if (running.endsWith('npm-cli.js')) return { program: process.execPath, args: [running] }
  return { program: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] }
}

/** @param {string} base */
async function placeBun(base) {
  const binary = path.join(base, 'node_modules', 'bun', 'bin', 'bun.exe')
  if (!runs(binary))
    await runQuietly({
      label: 'putting the bun binary in place',
      program: process.execPath,
      args: [path.join('node_modules', 'bun', 'install.js')],
      cwd: base,
      next: `Bun has a build for Linux, macOS and Windows on x64 and arm64; this is ${process.platform}-${process.arch}.`,
    })
  if (!runs(binary))
    throw new Failure(`bun was installed but does not run: ${binary} --version`, {
      output: String(spawnSync(binary, ['--version'], { encoding: 'utf8' }).stderr ?? ''),
      next: 'Delete node_modules and run the command again; if it fails again, bun does not support this machine.',
    })
}

/** @param {string} binary */
const runs = (binary) => spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
