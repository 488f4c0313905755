// Compares every import of every TypeScript file with the floors in ARCHITECTURE.md, and refuses circles between files.
// Also applies the purity rule to floors 0 and 1, since it already holds the tokens of each file.

import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { filesBelow } from './files.mjs'
import { isExcepted, parseFloors, placeOf } from './floors.mjs'
import { readImports } from './importReader.mjs'
import { impurities } from './purity.mjs'
import { TokenError, tokenize } from './tokens.mjs'
import { readPackage, workspaceFolders } from './workspace.mjs'

/**
 * @typedef {import('./floors.mjs').Floors} Floors
 * @typedef {import('./importReader.mjs').Import} Import
 * @typedef {import('./workspace.mjs').Package} Package
 * @typedef {{ file: string, line: number, message: string }} Finding
 * @typedef {{ file: string, folder: string, floor: number, isTooling: boolean }} Source
 *   Tooling is what no user of a package runs: tests, configuration, scripts, and all of the top floor.
 * @typedef {{ base: string, floors: Floors, root: Package | undefined, byName: ReadonlyMap<string, Package> }} World
 */

const sourceFile = /\.[cm]?tsx?$/
// A conformance suite is a test that several implementations run.
const testFile = /(\.(test|fuzz)|(^|[./])conformance)\.tsx?$/

/**
 * @param {string} base the repository's root
 * @returns {{ files: number, imports: number, findings: Finding[] }}
 */
export function checkImports(base) {
  const packages = workspaceFolders(base).flatMap((folder) => readPackage(base, folder) ?? [])
  const world = {
    base,
    floors: parseFloors(readFileSync(path.join(base, 'ARCHITECTURE.md'), 'utf8')),
    root: readPackage(base, ''),
    byName: new Map(packages.map((found) => [found.name, found])),
  }
  const files = filesBelow(base, ['']).filter((file) => sourceFile.test(file))
  /** @type {Finding[]} */
  const findings = []
  /** @type {Map<string, string[]>} */
  const edges = new Map()
  let imports = 0
  for (const file of files) {
    const place = placeOf(world.floors, file)
    if (place === undefined) {
      findings.push({ file, line: 1, message: 'stands on no floor: name its folder in ARCHITECTURE.md' })
      continue
    }
    const source = describe(world, file, place)
    try {
      const tokens = tokenize(readFileSync(path.join(base, file), 'utf8'), { jsx: file.endsWith('x') })
      const found = readImports(tokens)
      imports += found.length
      findings.push(...found.flatMap((one) => refuse(world, source, one)))
      if (isPure(source)) findings.push(...impurities(tokens).map((finding) => ({ file, ...finding })))
      edges.set(
        file,
        found.filter((one) => one.form !== 'url').flatMap((one) => target(world, file, one.specifier)),
      )
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      findings.push({ file, line: error.line, message: error.message })
    }
  }
  findings.push(...circles(edges))
  return { files: files.length, imports, findings }
}

/**
 * @param {World} world
 * @param {string} file
 * @param {{ folder: string, floor: number }} place
 * @returns {Source}
 */
function describe(world, file, place) {
  // Outside `src` lie configuration and scripts, and nothing imports the top floor.
  const isShipped = place.floor < world.floors.top && file.startsWith(`${place.folder}/src/`)
  return { file, ...place, isTooling: !isShipped || testFile.test(file) }
}

/** @param {Source} source */
const isPure = (source) => source.floor <= 1 && !source.isTooling

/**
 * @param {World} world
 * @param {Source} source
 * @param {Import} one
 * @returns {Finding[]}
 */
function refuse(world, source, one) {
  const message = reason(world, source, one)
  return message === undefined ? [] : [{ file: source.file, line: one.line, message }]
}

/**
 * @param {World} world
 * @param {Source} source
 * @param {Import} one
 * @returns {string | undefined}
 */
function reason(world, source, one) {
  const { specifier } = one
  if (isPure(source) && one.form === 'dynamic')
    return 'imports dynamically: floors 0 and 1 use static imports only'
  if (specifier === '') {
    if (source.floor === world.floors.top) return undefined
    return 'imports a path that is computed, which cannot be compared with the floors: write it out'
  }
  if (/^\.{1,2}(\/|$)/.test(specifier)) return relativeReason(source, specifier)
  if (specifier.startsWith('/') || /^[a-z]+:\/\//.test(specifier))
    return `imports '${specifier}': an absolute path`
  if (/^(node|bun):/.test(specifier) || specifier === 'bun' || isBuiltin(specifier)) {
    if (specifier === 'bun:test' && source.floor < 2 && !source.isTooling)
      return "imports 'bun:test' outside a test"
    return isPure(source) ? `imports '${specifier}': floors 0 and 1 are pure` : undefined
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const owner = readOwner(world, source)
  const other = world.byName.get(name)
  if (other !== undefined) return packageReason(world, source, one, owner, other)
  if (name.startsWith('@shardy/')) return `imports '${name}', which is no package of this repository`
  return isDeclared(world, source, one, owner, name) ? undefined : undeclared(owner, name)
}

/**
 * @param {Source} source
 * @param {string} specifier
 */
function relativeReason(source, specifier) {
  const aimed = path.posix.join(path.posix.dirname(source.file), specifier.replace(/\?.*$/, ''))
  // Golden files are where packages and languages meet; only tests read them.
  if (source.isTooling && aimed.startsWith('vectors/')) return undefined
  if (aimed !== source.folder && !aimed.startsWith(`${source.folder}/`))
    return `imports '${specifier}', which leaves ${source.folder}: import the other package by its name`
  if (!source.isTooling && testFile.test(aimed)) return `imports the test '${specifier}' outside a test`
  return undefined
}

/**
 * @param {World} world
 * @param {Source} source
 * @param {Import} one
 * @param {Package | undefined} owner
 * @param {Package} other
 */
function packageReason(world, source, one, owner, other) {
  const { specifier } = one
  if (other.folder === source.folder)
    return `imports its own package by name ('${specifier}'): use a relative path`
  const inside = `.${specifier.slice(other.name.length)}`
  if (!(inside in other.exports))
    return `imports '${specifier}', which ${other.folder}/package.json does not export`
  const above = placeOf(world.floors, `${other.folder}/package.json`)
  if (above === undefined)
    return `imports '${specifier}', which stands on no floor: name it in ARCHITECTURE.md`
  if (above.floor >= source.floor && !isExcepted(world.floors, source.folder, other.folder)) {
    const how = above.floor === source.floor ? 'sideways' : 'up'
    return `imports '${specifier}' ${how}: ${source.folder} is on floor ${source.floor}, ${other.folder} on ${above.floor}`
  }
  return isDeclared(world, source, one, owner, other.name) ? undefined : undeclared(owner, other.name)
}

/**
 * What runs must be a dependency; what only a test, a script or the compiler needs may be a development dependency.
 * @param {World} world
 * @param {Source} source
 * @param {Import} one
 * @param {Package | undefined} owner
 * @param {string} name
 */
function isDeclared(world, source, one, owner, name) {
  if (owner === undefined || owner.dependencies.has(name)) return true
  // The root declares no package of ours: npm links every workspace there.
  if (owner.folder === '' && world.byName.has(name)) return true
  const inDevelopment = (/** @type {string} */ wanted) =>
    owner.devDependencies.has(wanted) ||
    (source.isTooling && world.root?.devDependencies.has(wanted) === true)
  const types = `@types/${name.replace(/^@/, '').replace('/', '__')}`
  return one.form === 'type'
    ? inDevelopment(name) || inDevelopment(types)
    : source.isTooling && inDevelopment(name)
}

/**
 * @param {Package | undefined} owner
 * @param {string} name
 */
function undeclared(owner, name) {
  const manifest =
    owner === undefined || owner.folder === '' ? 'package.json' : `${owner.folder}/package.json`
  return `imports '${name}', which ${manifest} does not declare`
}

/**
 * The package whose manifest speaks for a file; a folder without one is spoken for by the root's.
 * @param {World} world
 * @param {Source} source
 */
function readOwner(world, source) {
  return [...world.byName.values()].find((found) => found.folder === source.folder) ?? world.root
}

/**
 * The files of ours that an import leads to.
 * @param {World} world
 * @param {string} file
 * @param {string} specifier
 * @returns {string[]}
 */
function target(world, file, specifier) {
  if (specifier.startsWith('.'))
    return [path.posix.join(path.posix.dirname(file), specifier.replace(/\?.*$/, ''))]
  const name = specifier.split('/').slice(0, 2).join('/')
  const entry = world.byName.get(name)
  const exported = entry?.exports[`.${specifier.slice(name.length)}`]
  return entry !== undefined && typeof exported === 'string' ? [path.posix.join(entry.folder, exported)] : []
}

/**
 * One finding for each circle, told from its first file in the alphabet.
 * @param {ReadonlyMap<string, readonly string[]>} edges
 * @returns {Finding[]}
 */
function circles(edges) {
  /** @type {Map<string, Finding>} */
  const found = new Map()
  /** @type {Set<string>} */
  const finished = new Set()
  /** @type {string[]} */
  const trail = []
  const visit = (/** @type {string} */ file) => {
    const start = trail.indexOf(file)
    if (start !== -1) {
      const circle = trail.slice(start)
      const first = circle.indexOf([...circle].sort()[0] ?? '')
      const told = [...circle.slice(first), ...circle.slice(0, first)]
      const message = `imports itself in a circle: ${[...told, told[0]].join(' → ')}`
      found.set(message, { file: told[0] ?? file, line: 1, message })
      return
    }
    if (finished.has(file)) return
    trail.push(file)
    for (const next of edges.get(file) ?? []) visit(next)
    trail.pop()
    finished.add(file)
  }
  for (const file of edges.keys()) visit(file)
  return [...found.values()]
}
