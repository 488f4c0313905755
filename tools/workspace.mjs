// Where things are: the repository's root, its workspace packages, and the binaries that npm installed.
// Reads package.json files only, so it works before anything is installed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

export const bun = path.join(root, 'node_modules', 'bun', 'bin', 'bun.exe')

/**
 * @typedef {{
 *   folder: string,
 *   name: string,
 *   exports: Readonly<Record<string, unknown>>,
 *   dependencies: ReadonlySet<string>,
 *   devDependencies: ReadonlySet<string>,
 * }} Package
 */

/**
 * The package that a folder (relative to `base`, '' for the root) describes in its package.json.
 * @param {string} base
 * @param {string} folder
 * @returns {Package | undefined}
 */
export function readPackage(base, folder) {
  const file = path.join(base, folder, 'package.json')
  if (!existsSync(file)) return undefined
  const json = JSON.parse(readFileSync(file, 'utf8'))
  const exported = typeof json.exports === 'string' ? { '.': json.exports } : (json.exports ?? {})
  return {
    folder,
    name: json.name ?? '',
    exports: exported,
    dependencies: new Set([
      ...Object.keys(json.dependencies ?? {}),
      ...Object.keys(json.optionalDependencies ?? {}),
      ...Object.keys(json.peerDependencies ?? {}),
    ]),
    devDependencies: new Set(Object.keys(json.devDependencies ?? {})),
  }
}

/**
 * The folders that the root's `workspaces` name, sorted; each holds a package.json.
 * @param {string} base
 * @returns {string[]}
 */
export function workspaceFolders(base) {
  /** @type {{ workspaces?: string[] }} */
  const { workspaces = [] } = JSON.parse(readFileSync(path.join(base, 'package.json'), 'utf8'))
  return workspaces
    .flatMap((pattern) => expand(base, pattern))
    .filter((folder) => existsSync(path.join(base, folder, 'package.json')))
    .sort()
}

/**
 * A pattern is a folder, or a folder followed by a star for each folder in it.
 * @param {string} base
 * @param {string} pattern
 * @returns {string[]}
 */
function expand(base, pattern) {
  if (!pattern.endsWith('/*')) return existsSync(path.join(base, pattern)) ? [pattern] : []
  const parent = pattern.slice(0, -2)
  if (!existsSync(path.join(base, parent))) return []
  return readdirSync(path.join(base, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map((entry) => `${parent}/${entry.name}`)
}
