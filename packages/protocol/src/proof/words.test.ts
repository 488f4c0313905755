import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { bases, checkMechanisms } from '../task.ts'
import { proofKinds } from '../values.ts'
import { footingWords, type PlainWords, proofWords, wordsOfVerdict } from './words.ts'

const page = readFileSync(path.join(import.meta.dir, '../../../../docs/spec/proofs.md'), 'utf8')
const all: readonly (readonly [name: string, words: PlainWords])[] = [
  ...Object.entries(proofWords).map(([kind, words]) => [`proof \`${kind}\``, words] as const),
  ...Object.entries(footingWords).map(([footing, words]) => [`verdict by \`${footing}\``, words] as const),
]

const row = ([name, words]: (typeof all)[number]) =>
  `| ${[name, words.statement, words.proves, words.provesNot, words.verifiedBy, words.cost, words.trust].join(' | ')} |`

test('the table of docs/spec/proofs.md is what these words make', () => {
  const rows = page.split('\n').filter((line) => /^\| (proof|verdict by) `/.test(line))
  expect(rows).toEqual(all.map(row))
})

test('every kind of proof and every basis of a verdict has words', () => {
  expect(Object.keys(proofWords).toSorted()).toEqual([...proofKinds].toSorted())
  const footings = [...bases.filter((basis) => basis !== 'checked'), ...checkMechanisms]
  expect(Object.keys(footingWords).toSorted()).toEqual(footings.toSorted())
})

describe.each([...all])('%s', (_name, words) => {
  test('is said in ASCII on one line, and fits a table', () => {
    for (const text of Object.values(words)) expect(text).toMatch(/^[\x20-\x7b\x7d\x7e]+$/)
    expect(words.short).not.toMatch(/^[A-Z]|\.$/)
    expect(words.short.length).toBeLessThanOrEqual(160)
  })
})

test('no proof is called a verification of the result', () => {
  for (const { short } of Object.values(proofWords)) expect(short).not.toMatch(/verif|correct|guarantee/i)
  expect(proofWords.v2.short).toContain('does not show that the answer is right')
  expect(proofWords.v3.short).toContain('nothing of the other blocks')
})

test('a verdict has the words of how it was checked, where that is said', () => {
  expect(wordsOfVerdict('checked', 'projection')).toBe(footingWords.projection)
  expect(wordsOfVerdict('checked', undefined)).toBeUndefined()
  expect(wordsOfVerdict('agreement', undefined)).toBe(footingWords.agreement)
  expect(wordsOfVerdict('trusted', 'recomputation')).toBe(footingWords.trusted)
})
