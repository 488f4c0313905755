// The floors of the drawing, read from the block ```floors in ARCHITECTURE.md, so that the page and the rule are one.
// A line is a floor's number and its folders (`name/*` is every folder in it), or `folder -> folders` for an exception.

import { Failure } from './failure.mjs'

/**
 * @typedef {{ floor: number, pattern: string }} Place
 * @typedef {{ from: string, to: string }} Exception
 * @typedef {{ places: readonly Place[], exceptions: readonly Exception[], top: number }} Floors
 */

/**
 * @param {string} markdown
 * @returns {Floors}
 */
export function parseFloors(markdown) {
  const blocks = [...markdown.matchAll(/^```floors\n([\s\S]*?)^```$/gm)]
  if (blocks.length !== 1)
    throw new Failure(`ARCHITECTURE.md must hold one block \`\`\`floors; it holds ${blocks.length}`)
  /** @type {Place[]} */
  const places = []
  /** @type {Exception[]} */
  const exceptions = []
  for (const line of (blocks[0]?.[1] ?? '').split('\n').filter((text) => text.trim() !== '')) {
    const [first = '', ...rest] = line.trim().split(/\s+/)
    if (/^\d+$/.test(first) && rest.length > 0)
      places.push(...rest.map((pattern) => ({ floor: Number(first), pattern })))
    else if (rest[0] === '->' && rest.length > 1)
      exceptions.push(...rest.slice(1).map((to) => ({ from: first, to })))
    else throw new Failure(`ARCHITECTURE.md: cannot read this line of the floors: ${line}`)
  }
  return { places, exceptions, top: Math.max(...places.map((place) => place.floor)) }
}

/**
 * The folder that owns a file, and its floor; the longest folder wins.
 * @param {Floors} floors
 * @param {string} file
 * @returns {{ folder: string, floor: number } | undefined}
 */
export function placeOf(floors, file) {
  const found = floors.places
    .map(({ floor, pattern }) => ({ floor, folder: match(pattern, file) }))
    .filter(({ folder }) => folder !== '')
    .sort((left, right) => right.folder.length - left.folder.length)
  return found[0]
}

/**
 * @param {Floors} floors
 * @param {string} from a folder
 * @param {string} to a folder
 */
export function isExcepted(floors, from, to) {
  return floors.exceptions.some(
    (exception) => match(exception.from, from) === from && match(exception.to, to) === to,
  )
}

/**
 * The part of `file` that the pattern names, or '' when the file lies elsewhere.
 * @param {string} pattern
 * @param {string} file
 */
function match(pattern, file) {
  const wanted = pattern.split('/')
  const parts = file.split('/').slice(0, wanted.length)
  if (parts.length < wanted.length) return ''
  return wanted.every((part, index) => part === '*' || part === parts[index]) ? parts.join('/') : ''
}
