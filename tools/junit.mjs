// Reads the JUnit report of one test file and counts it. What bun leaves out counts as a failure: a file that could not
// be imported or that left the process has no report, and an error outside every test shows only in the exit code.

/**
 * @typedef {{ name: string, seconds: number, line: number, outcome: 'passed' | 'failed' | 'skipped', note: string }} Case
 *   `note` is a failure's message, or what the report says about a skip.
 */

/**
 * @param {string} xml
 * @returns {Case[]}
 */
export function parseReport(xml) {
  /** @type {Case[]} */
  const cases = []
  /** The suites around the present place. @type {string[]} */
  const suites = []
  /** @type {Case | undefined} */
  let open
  let isClosed = false
  for (const { closes, name, attributes, isEmpty } of tags(xml)) {
    if (name === 'testsuites' && closes) isClosed = true
    if (name === 'testsuite' && closes) suites.pop()
    if (name === 'testsuite' && !closes && !isEmpty) suites.push(attributes.name ?? '')
    if (name === 'testcase' && !closes) {
      open = {
        // The outermost suite is the file, which the reader of a summary sees anyway.
        name: [...suites.slice(1), attributes.name ?? ''].join(' › '),
        seconds: Number(attributes.time ?? 0),
        line: Number(attributes.line ?? 0),
        outcome: 'passed',
        note: '',
      }
      cases.push(open)
    }
    if ((name === 'failure' || name === 'error') && !closes && open !== undefined) {
      open.outcome = 'failed'
      open.note = attributes.message ?? ''
    }
    if (name === 'skipped' && !closes && open !== undefined) {
      open.outcome = 'skipped'
      open.note = attributes.message ?? ''
    }
  }
  if (!isClosed) throw new Error('the report does not end with </testsuites>')
  return cases
}

/**
 * @param {{ report: string | undefined, ending: string }} run the report's text, and '' or how the runner ended badly
 * @returns {{ cases: Case[], problem: string }} `problem` is '' or counts as one failure more
 */
export function judge({ report, ending }) {
  if (report === undefined) {
    const why = ending === '' ? 'the file ran no test, or left the process early' : `the runner ${ending}`
    return { cases: [], problem: `no report: ${why}` }
  }
  /** @type {Case[]} */
  let cases
  try {
    cases = parseReport(report)
  } catch (error) {
    return {
      cases: [],
      problem: `the report cannot be read: ${error instanceof Error ? error.message : error}`,
    }
  }
  if (cases.length === 0) return { cases, problem: 'the file ran no test' }
  const isExplained = ending === '' || cases.some((one) => one.outcome === 'failed')
  return { cases, problem: isExplained ? '' : `every test passed, yet the runner ${ending}` }
}

/**
 * The line that ends every run; other programs read it.
 * @param {{ passed: number, failed: number, skipped: number }} count
 */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

const tag =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<(\/?)([\w:-]+)((?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g
const attribute = /([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/** @param {string} xml */
function* tags(xml) {
  for (const [, slash, name, text = '', end] of xml.matchAll(tag)) {
    if (name === undefined) continue
    /** @type {Record<string, string>} */
    const attributes = {}
    for (const [, key = '', double, single] of text.matchAll(attribute))
      attributes[key] = decode(double ?? single ?? '')
    yield { closes: slash === '/', name, attributes, isEmpty: end === '/' }
  }
}

/** @type {Readonly<Record<string, string>>} */
const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** @param {string} text */
function decode(text) {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    const code =
      hex === undefined ? (decimal === undefined ? Number.NaN : Number(decimal)) : Number.parseInt(hex, 16)
    if (Number.isNaN(code)) return entities[name] ?? whole
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
