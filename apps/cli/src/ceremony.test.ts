/** `shardy ceremony …`, from the first key to the manifest entry, by what is typed and what is said. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { shardy } from '../test/terminal.ts'

setDefaultTimeout(60_000)

const beacon = '0x00112233445566778899aabbccddeeff'
let home: string
const at = (name: string) => path.join(home, name)

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'shardy-cli-ceremony-'))
  await writeFile(at('task-proof-v2.r1cs'), taskProofV2())
  await writeFile(at('task-proof-v2.wasm'), Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
})
afterAll(() => rm(home, { recursive: true, force: true }))

test('a whole ceremony of three', async () => {
  const folder = at('whole')
  const begun = await shardy(['ceremony', 'init', at('task-proof-v2.r1cs'), '--power', '4', '--out', folder])
  expect([begun.exit, begun.stdout]).toEqual(['done', expect.stringContaining('DEVELOPMENT ONLY')])
  const asked: string[] = []
  const hashes: string[] = []
  for (const name of ['Alice', 'Bob', 'Carol']) {
    const typed = `the secret of ${name}`
    const done = await shardy(
      ['ceremony', 'contribute', folder, '--name', name, '--json'],
      {},
      {
        askSecret: async (question) => {
          asked.push(question)
          return Buffer.from(typed)
        },
      },
    )
    expect([done.exit, done.stdout + done.stderr]).toEqual(['done', expect.not.stringContaining(typed)])
    hashes.push(JSON.parse(done.stdout).contribution.hash)
  }
  expect(asked).toHaveLength(3)
  const own = ['--r1cs', at('task-proof-v2.r1cs'), '--ptau', path.join(folder, 'phase1.ptau')]
  const open = await shardy(['ceremony', 'verify', folder, ...own, '--phase1'])
  expect(open).toMatchObject({ exit: 'done', stdout: expect.stringContaining('3 contributions by people') })
  const ended = await shardy([
    'ceremony',
    'finalize',
    folder,
    '--beacon',
    beacon,
    '--verifier-version',
    '4',
    '--wasm',
    at('task-proof-v2.wasm'),
    '--out',
    at('keys'),
    '--json',
  ])
  expect(ended.exit).toBe('done')
  const { manifestEntry } = JSON.parse(ended.stdout)
  expect(manifestEntry).toMatchObject({ trust: 'development', kind: 'v2', verifierVersion: 4 })
  expect(manifestEntry.contributions.map(({ hash }: { hash: string }) => hash).slice(0, 3)).toEqual(hashes)
  expect((await readdir(at('keys'))).sort()).toEqual([
    'ceremony.json',
    'manifest-entry.json',
    'task-proof-v2.vkey.json',
    'task-proof-v2.wasm',
    'task-proof-v2.zkey',
  ])
  const closed = await shardy(['ceremony', 'verify', folder, '--json'])
  expect(JSON.parse(closed.stdout)).toMatchObject({ holds: true, isClosed: true, people: 3 })
  const late = await shardy(['ceremony', 'contribute', folder, '--name', 'Late'])
  expect([late.exit, late.stderr]).toEqual(['usage', expect.stringContaining('closed')])
})

test('what was tampered with is named, and the shell is told', async () => {
  const folder = at('tampered')
  await shardy(['ceremony', 'init', at('task-proof-v2.r1cs'), '--power', '4', '--out', folder])
  await shardy(['ceremony', 'contribute', folder, '--name', 'Alice'])
  const key = path.join(folder, 'key-0001.zkey')
  const bytes = await readFile(key)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  await writeFile(key, bytes)
  const words = await shardy(['ceremony', 'verify', folder])
  expect([words.exit, words.stdout]).toEqual(['badCeremony', expect.stringContaining('does NOT hold: ')])
  const json = await shardy(['ceremony', 'verify', folder, '--json'])
  expect(JSON.parse(json.stdout)).toMatchObject({ holds: false, refusal: { code: expect.any(String) } })
  const onTop = await shardy(['ceremony', 'contribute', folder, '--name', 'Bob'])
  expect([onTop.exit, onTop.stderr]).toEqual(['badCeremony', expect.stringContaining('nothing can be built')])
})

const slips: readonly (readonly [string, readonly string[], string, RegExp])[] = [
  ['no powers', ['init', 'x.r1cs', '--out', 'y'], 'usage', /--ptau is missing\nNext: Give --ptau FILE/],
  [
    'two kinds of powers',
    ['init', 'x.r1cs', '--out', 'y', '--ptau', 'p', '--power', '4'],
    'usage',
    /exclude each other/,
  ],
  ['no folder', ['init', 'x.r1cs', '--power', '4'], 'usage', /--out is missing/],
  ['too much power', ['init', 'x.r1cs', '--power', '28', '--out', 'y'], 'usage', /from 3 to 16/],
  [
    'no circuit there',
    ['init', '/nowhere/x.r1cs', '--power', '4', '--out', '/nowhere/y'],
    'file',
    /no such file/,
  ],
  ['no name', ['contribute', 'x'], 'usage', /--name is missing/],
  [
    'no ceremony there',
    ['contribute', '/nowhere', '--name', 'Alice'],
    'file',
    /holds no ceremony.*\nNext: .*init/,
  ],
  ['nothing to verify', ['verify', '/nowhere'], 'file', /holds no ceremony/],
  ['no beacon', ['finalize', 'x', '--out', 'y'], 'usage', /--beacon is missing/],
  [
    'no version',
    ['finalize', 'x', '--out', 'y', '--beacon', beacon],
    'usage',
    /--verifier-version is missing/,
  ],
  [
    'a bad beacon',
    [
      ...['finalize', 'x', '--out', '/nowhere/y', '--beacon', 'tomorrow'],
      ...['--verifier-version', '4', '--wasm', 'w'],
    ],
    'usage',
    /is no beacon/,
  ],
  [
    'no witness generator',
    ['finalize', 'x', '--out', 'y', '--beacon', beacon, '--verifier-version', '4'],
    'usage',
    /--wasm is missing/,
  ],
  [
    'a version that is none',
    ['finalize', 'x', '--out', 'y', '--beacon', beacon, '--verifier-version', '0'],
    'usage',
    /from 1 to 65535/,
  ],
]
for (const [story, words, exit, message] of slips) {
  test(`${story}: ${exit}`, async () => {
    const printed = await shardy(['ceremony', ...words])
    expect([printed.exit, printed.stderr]).toEqual([
      exit as typeof printed.exit,
      expect.stringMatching(message),
    ])
  })
}

test('nothing is overwritten', async () => {
  const words = ['ceremony', 'init', at('task-proof-v2.r1cs'), '--power', '4', '--out', home]
  expect(await shardy(words)).toMatchObject({ exit: 'file', stderr: expect.stringContaining('is not empty') })
})

test('stopped while it works, it leaves nothing', async () => {
  const stop = new AbortController()
  const words = ['ceremony', 'init', at('task-proof-v2.r1cs'), '--power', '10', '--out', at('stopped')]
  const printed = await shardy(words, {}, { signal: stop.signal, tell: () => stop.abort() })
  expect(printed.exit).toBe('interrupted')
  expect((await readdir(home)).filter((name) => name.startsWith('stopped'))).toEqual([])
})

test('killed at any moment, it goes on where it was', async () => {
  const folder = at('killed')
  await shardy(['ceremony', 'init', at('task-proof-v2.r1cs'), '--power', '4', '--out', folder])
  const main = path.resolve(import.meta.dir, 'main.ts')
  const words = ['ceremony', 'contribute', folder, '--name', 'Alice']
  // From before anything is read to about when it is done.
  for (const delayMs of [300, 400, 500, 600]) {
    const child = Bun.spawn([process.execPath, main, ...words], {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    await Promise.race([child.exited, Bun.sleep(delayMs)])
    child.kill('SIGKILL')
    await child.exited
    expect(await shardy(['ceremony', 'verify', folder])).toMatchObject({ exit: 'done' })
  }
  const { stdout } = await shardy([...words, '--json'])
  const { contribution } = JSON.parse(stdout)
  const names = (await readdir(folder)).sort()
  expect(names.filter((name) => name.endsWith('.partial'))).toEqual([])
  expect(names.filter((name) => name.endsWith('.zkey')).at(-1)).toBe(contribution.key.file)
  expect(await shardy(['ceremony', 'verify', folder])).toMatchObject({ exit: 'done' })
}, 30_000)

test('every command says how it is used, and only the ceremony loads what is under the GPL', async () => {
  for (const name of ['init', 'contribute', 'verify', 'finalize']) {
    const { stdout } = await shardy(['ceremony', name, '--help'])
    expect(stdout).toContain(`npx shardy ceremony ${name} `)
    expect(stdout).toContain('Example:')
  }
  const main = path.resolve(import.meta.dir, 'main.ts')
  const script = `process.argv = ['', '', 'list', '--help']; await import(${JSON.stringify(main)}); console.log(Object.keys(require.cache).filter((file) => /snarkjs|ffjavascript|adapters.snark/.test(file)).length, 'curve_bn128' in globalThis)`
  const child = Bun.spawn([process.execPath, '--eval', script], { stdout: 'pipe' })
  expect((await new Response(child.stdout).text()).trimEnd().split('\n').at(-1)).toBe('0 false')
})

/** The compiled relation of task-proof-v2: witness + taskId + seed + outputLen - resultDigest = 0, as one constraint. */
function taskProofV2(): Uint8Array {
  const modulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
  const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]
  const u64 = (value: number) => [...u32(value), 0, 0, 0, 0]
  const field = (value: bigint) => [...Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()]
  const section = (id: number, bytes: readonly number[]) => [...u32(id), ...u64(bytes.length), ...bytes]
  const [taskId, seed, outputLen, resultDigest, witness] = [1, 2, 3, 4, 5]
  const sum = [
    ...[taskId, seed, outputLen].flatMap((wire) => [...u32(wire), ...field(1n)]),
    ...[...u32(resultDigest), ...field(modulus - 1n)],
    ...[...u32(witness), ...field(1n)],
  ]
  const header = [
    ...u32(32),
    ...field(modulus),
    ...u32(6),
    ...u32(0),
    ...u32(4),
    ...u32(1),
    ...u64(6),
    ...u32(1),
  ]
  const constraint = [...u32(0), ...u32(0), ...u32(5), ...sum]
  const labels = [0, 1, 2, 3, 4, 5].flatMap(u64)
  return Uint8Array.from([
    ...Buffer.from('r1cs'),
    ...u32(1),
    ...u32(3),
    ...section(1, header),
    ...section(2, constraint),
    ...section(3, labels),
  ])
}
