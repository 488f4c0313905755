/**
 * A reader of Prometheus' text formats for tests, by their grammar and not by our writer: it throws at the first line
 * that a scraper would refuse.
 */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly unit: string | undefined
  readonly samples: readonly Sample[]
}

const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/y

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPattern.lastIndex = 0
  while (labelPattern.lastIndex < text.length) {
    const found = labelPattern.exec(text)
    if (found === null) throw new Error(`labels: ${line}`)
    const [, name = '', value = ''] = found
    if (name in labels) throw new Error(`label ${name} twice: ${line}`)
    labels[name] = value.replaceAll(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char))
  }
  return labels
}

function parseNumber(text: string, line: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  if (text === 'NaN') return Number.NaN
  if (!/^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(text)) throw new Error(`number: ${line}`)
  return Number(text)
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

export function parseExposition(text: string, isOpen: boolean): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const lines = text.slice(0, -1).split('\n')
  if (isOpen && lines.pop() !== '# EOF') throw new Error('no end mark')
  const families = new Map<string, { type: string; help: string; unit?: string; samples: Sample[] }>()
  const seen = new Set<string>()
  let current = ''
  for (const line of lines) {
    const told = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (told !== null) {
      const [, word, name = '', rest = ''] = told
      if (word === 'HELP') {
        if (families.has(name)) throw new Error(`family twice: ${line}`)
        families.set(name, { type: '', help: rest, samples: [] })
        current = name
      }
      const family = families.get(name)
      if (family === undefined || name !== current || family.samples.length > 0)
        throw new Error(`order: ${line}`)
      if (word === 'TYPE') family.type = rest
      if (word === 'UNIT') {
        if (!isOpen || !name.endsWith(`_${rest}`)) throw new Error(`unit: ${line}`)
        family.unit = rest
      }
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    const family = families.get(current)
    if (sample === null || family === undefined) throw new Error(`line: ${line}`)
    const [, name = '', inside = '', value = ''] = sample
    const allowed = suffixes[family.type]?.map((suffix) =>
      family.type === 'counter' && !isOpen ? current : `${current}${suffix}`,
    )
    if (!allowed?.includes(name)) throw new Error(`name: ${line}`)
    const labels = parseLabels(inside, line)
    const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`
    if (seen.has(key)) throw new Error(`sample twice: ${line}`)
    seen.add(key)
    family.samples.push({ name, labels, value: parseNumber(value, line) })
  }
  for (const [name, { type, help, samples }] of families) {
    if (type === '' || help === '') throw new Error(`${name} has no type or help`)
    if (type === 'histogram') checkBuckets(name, samples)
  }
  return families as unknown as Map<string, Family>
}

/** Buckets rise, end at +Inf, and the last of them is the count. */
function checkBuckets(name: string, samples: readonly Sample[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest))
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`)
    const count = group.find((sample) => sample.name === `${name}_count`)?.value
    const bounds = buckets.map(({ labels }) => parseNumber(labels.le ?? '', name))
    const rises = (values: readonly number[], by: (a: number, b: number) => boolean): boolean =>
      values.every((value, index) => index === 0 || by(values[index - 1] ?? 0, value))
    if (!rises(bounds, (a, b) => a < b)) throw new Error(`${name}: bounds do not rise`)
    if (
      !rises(
        buckets.map(({ value }) => value),
        (a, b) => a <= b,
      )
    ) {
      throw new Error(`${name}: buckets fall`)
    }
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count) {
      throw new Error(`${name}: the last bucket is not the count`)
    }
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}: no sum`)
  }
}
