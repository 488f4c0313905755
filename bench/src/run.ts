// Runs one benchmark by its name and shows its figures: a table for a person, or one line of JSON for a program.
// A benchmark is a file beside this one that exports `run`, and `goals` when some of its figures must reach a bound.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describeMachine } from './machine.ts'

/** Null is a figure that was not measured, and then `why` has the reason. */
export type Figures = Readonly<Record<string, number | null>>
export type Goal = { readonly atLeast?: number; readonly atMost?: number }
export type Goals = Readonly<Record<string, Goal>>
export type Progress = (message: string) => void
export type Reasons = Readonly<Record<string, string>>
export type Measured = {
  readonly figures: Figures
  readonly peers: Figures
  /** Why a figure is missing, or what one must know about it. */
  readonly why?: Reasons
}

export type Benchmark = {
  readonly run: (options: { progress: Progress }) => Promise<Measured>
  readonly goals?: Goals
}

const usage = 2
const folder = import.meta.dir

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json')
  const names = args.filter((word) => !word.startsWith('-'))
  const unknown = args.filter((word) => word.startsWith('-') && word !== '--json')
  const [name] = names
  const known = benchmarks()
  if (name === undefined || names.length > 1 || unknown.length > 0 || !known.includes(name)) {
    for (const word of unknown) console.error(`There is no option ${word}.`)
    if (names.length > 1)
      console.error(`One benchmark at a time; these are ${names.length}: ${names.join(' ')}.`)
    else if (name !== undefined && !known.includes(name)) console.error(`There is no benchmark '${name}'.`)
    console.error('npm run bench -- NAME [--json]')
    console.error(known.length === 0 ? 'No benchmark exists yet.' : `NAME is one of: ${known.join(', ')}`)
    return usage
  }
  const startMs = performance.now()
  const progress: Progress = (message) =>
    console.error(`… ${name} (${((performance.now() - startMs) / 1_000).toFixed(0)} s): ${message}`)
  const benchmark = await load(name)
  const { figures, peers, why = {} } = await benchmark.run({ progress })
  refuseOddFigures({ ...figures, ...peers }, why)
  const machine = describeMachine()
  const [commit, date] = [readCommit(), new Date().toISOString()]
  if (isJson) console.log(JSON.stringify({ bench: name, figures, peers, why, machine, commit, date }))
  else {
    console.log(table(figures, peers, benchmark.goals ?? {}, why))
    console.log(
      `\n${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.platform}, ` +
        `bun ${machine.bun}\n${commit}, ${date}`,
    )
  }
  return 0
}

/** The files that export `run`; the harness and what benchmarks share do not. */
function benchmarks(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => file !== path.basename(import.meta.path))
    .filter((file) =>
      /^export (async function|function|const) run\b/m.test(readFileSync(path.join(folder, file), 'utf8')),
    )
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
}

async function load(name: string): Promise<Benchmark> {
  const loaded: { readonly run?: unknown; readonly goals?: Goals } = await import(`./${name}.ts`)
  if (!isRun(loaded.run)) throw new Error(`bench/src/${name}.ts must export a function run`)
  return loaded.goals === undefined ? { run: loaded.run } : { run: loaded.run, goals: loaded.goals }
}

function isRun(value: unknown): value is Benchmark['run'] {
  return typeof value === 'function'
}

/** JSON turns these into null, and a reader would take them for a figure that was never measured. */
export function refuseOddFigures(figures: Figures, why: Reasons): void {
  for (const [name, value] of Object.entries(figures)) {
    const isExplained = value === null && why[name] !== undefined
    if (!isExplained && !Number.isFinite(value))
      throw new Error(`the figure ${name} is ${value}, which is no measurement`)
  }
}

export function meets(value: number | null, { atLeast = -Infinity, atMost = Infinity }: Goal): boolean {
  return value !== null && value >= atLeast && value <= atMost
}

export function table(figures: Figures, peers: Figures, goals: Goals, why: Reasons = {}): string {
  const goalText = ({ atLeast, atMost }: Goal) =>
    [
      ...(atLeast === undefined ? [] : [`at least ${format(atLeast)}`]),
      ...(atMost === undefined ? [] : [`at most ${format(atMost)}`]),
    ].join(', ')
  const rows = [
    ...Object.entries(figures).map(([name, value]) => {
      const goal = goals[name]
      if (goal === undefined) return [name, format(value), why[name] ?? '']
      return [name, format(value), `${meets(value, goal) ? '✓' : '✗'} ${goalText(goal)}`]
    }),
    ...Object.keys(goals)
      .filter((name) => !(name in figures))
      .map((name) => [name, '—', '✗ was not measured']),
    ...Object.entries(peers).map(([name, value]) => [`peer: ${name}`, format(value), why[name] ?? '']),
  ]
  const nameWidth = Math.max(...rows.map(([name = '']) => name.length))
  const valueWidth = Math.max(...rows.map(([, value = '']) => value.length))
  return rows
    .map(([name = '', value = '', goal = '']) =>
      `${name.padEnd(nameWidth)}  ${value.padStart(valueWidth)}  ${goal}`.trimEnd(),
    )
    .join('\n')
}

function format(value: number | null): string {
  if (value === null) return '—'
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 })
}

function readCommit(): string {
  const git = (...args: readonly string[]) => {
    const { success, stdout } = Bun.spawnSync(['git', ...args], { cwd: folder, stderr: 'ignore' })
    return success ? stdout.toString().trim() : undefined
  }
  const commit = git('rev-parse', 'HEAD')
  if (commit === undefined) return 'unknown'
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-modified`
}

if (import.meta.main) {
  try {
    // Exits at once: a benchmark that left something open must not hang its caller.
    process.exit(await main(Bun.argv.slice(2)))
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}
