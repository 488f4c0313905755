// The project's own files below some folders, in a stable order: installed packages, builds and hidden folders excluded.

import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'

const foreign = new Set(['node_modules', 'dist', 'coverage'])

/**
 * @param {string} base
 * @param {readonly string[]} folders relative to `base`; one that does not exist holds no files
 * @returns {string[]} paths relative to `base`, with forward slashes, sorted
 */
export function filesBelow(base, folders) {
  /** @type {string[]} */
  const found = []
  const walk = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(path.join(base, folder), { withFileTypes: true })) {
      const at = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && !foreign.has(entry.name) && !entry.name.startsWith('.')) walk(at)
      else if (entry.isFile()) found.push(at)
    }
  }
  for (const folder of folders) if (existsSync(path.join(base, folder))) walk(folder)
  return [...new Set(found)].sort()
}
