// How each ending of a test file is counted. The last group runs bun itself, because its reports are what we rely on.

import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { judge, parseReport, summary } from './junit.mjs'

const suites = (inner: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bun test"><testsuite name="a.test.ts">${inner}</testsuite></testsuites>`

describe('parseReport', () => {
  test('names a test by the suites around it, without the file', () => {
    const inner =
      '<testsuite name="outer &lt;x&gt; &amp; &quot;y&quot;"><testsuite name="inner"><testcase name="deep" time="0.5" line="4" /></testsuite><testcase name="shallow" /></testsuite>'
    expect(parseReport(suites(inner))).toEqual([
      { name: 'outer <x> & "y" › inner › deep', seconds: 0.5, line: 4, outcome: 'passed', note: '' },
      { name: 'outer <x> & "y" › shallow', seconds: 0, line: 0, outcome: 'passed', note: '' },
    ])
  })

  test('counts a failure and an error as failed, a skip and a todo as skipped', () => {
    const inner = [
      '<testcase name="a"><failure type="E" message="is &#10;&#x41; &gt;">text</failure></testcase>',
      '<testcase name="b"><error message="outside" /></testcase>',
      '<testcase name="c"><skipped /></testcase>',
      '<testcase name="d"><skipped message="TODO" /></testcase>',
    ].join('')
    expect(parseReport(suites(inner)).map(({ outcome, note }) => [outcome, note])).toEqual([
      ['failed', 'is \nA >'],
      ['failed', 'outside'],
      ['skipped', ''],
      ['skipped', 'TODO'],
    ])
  })

  test('is not misled by tags inside comments, CDATA and attributes', () => {
    const inner =
      '<!-- <testcase name="no" /> --><testcase name="a > b" classname="&lt;testcase /&gt;"><failure message="x"><![CDATA[</testcase><testcase name="no" />]]></failure></testcase>'
    expect(parseReport(suites(inner)).map((one) => one.name)).toEqual(['a > b'])
  })

  test.each(['', 'not xml', '<testsuites><testsuite name="a"><testcase name="cut'])('refuses %p', (text) => {
    expect(() => parseReport(text)).toThrow('does not end')
  })
})

describe('judge', () => {
  const passing = suites('<testcase name="a" />')
  const failing = suites('<testcase name="a"><failure message="x" /></testcase>')
  const table: ReadonlyArray<readonly [string, string | undefined, string, string]> = [
    ['a green file', passing, '', ''],
    ['a failing file', failing, 'ended with exit code 1', ''],
    [
      'no report, though the runner is content',
      undefined,
      '',
      'the file ran no test, or left the process early',
    ],
    ['no report from a crashed runner', undefined, 'was ended by SIGSEGV', 'the runner was ended by SIGSEGV'],
    ['a report cut short', passing.slice(0, -5), '', 'the report cannot be read'],
    ['a report without tests', suites(''), '', 'the file ran no test'],
    [
      'an error outside every test',
      passing,
      'ended with exit code 1',
      'every test passed, yet the runner ended',
    ],
  ]
  for (const [name, report, ending, problem] of table) {
    test(name, () => {
      const judged = judge({ report, ending })
      if (problem === '') expect(judged.problem).toBe('')
      else expect(judged.problem).toContain(problem)
    })
  }
})

test('summary names skips only when there are some', () => {
  expect(summary({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed')
  expect(summary({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped')
})

describe('what bun reports', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })

  function run(source: string) {
    const folder = mkdtempSync(path.join(tmpdir(), 'shardy-junit-'))
    folders.push(folder)
    writeFileSync(path.join(folder, 'a.test.ts'), source)
    const file = path.join(folder, 'report.xml')
    const args = ['test', '--reporter=junit', `--reporter-outfile=${file}`, './a.test.ts']
    const { exitCode } = Bun.spawnSync([process.execPath, ...args], {
      cwd: folder,
      stdout: 'ignore',
      stderr: 'ignore',
    })
    const report = existsSync(file) ? readFileSync(file, 'utf8') : undefined
    const { cases, problem } = judge({
      report,
      ending: exitCode === 0 ? '' : `ended with exit code ${exitCode}`,
    })
    return { outcomes: cases.map((one) => one.outcome), isGreen: problem === '' && exitCode === 0, problem }
  }

  const use = "import { test, beforeAll, expect } from 'bun:test'\n"

  test('passes, failures, skips and todos', () => {
    const source = `${use}test('a', () => {})\ntest('b', () => { expect(1).toBe(2) })\ntest.skip('c', () => {})\ntest.todo('d')`
    expect(run(source)).toEqual({
      outcomes: ['passed', 'failed', 'skipped', 'skipped'],
      isGreen: false,
      problem: '',
    })
  })

  const bad: ReadonlyArray<readonly [string, string]> = [
    ['a file that cannot be imported', `${use}import './missing.ts'\ntest('a', () => {})`],
    ['an error at the top of a file', `${use}test('a', () => {})\nthrow new Error('top')`],
    ['a file without tests', 'export {}'],
    ['a test that leaves the process content', `${use}test('a', () => { process.exit(0) })`],
    ['a hook that throws', `${use}beforeAll(() => { throw new Error('hook') })\ntest('a', () => {})`],
    ['a rejection that nobody awaits', `${use}test('a', () => { Promise.reject(new Error('late')) })`],
    ['a test that times out', `${use}test('a', () => new Promise(() => {}), 10)`],
  ]
  for (const [name, source] of bad) {
    test(`${name} is not green`, () => {
      const { outcomes, isGreen, problem } = run(source)
      expect(isGreen).toBe(false)
      expect(problem !== '' || outcomes.includes('failed')).toBe(true)
    })
  }
})
