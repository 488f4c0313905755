/** A whole ceremony with three people and a beacon, and every way in which somebody might tamper with one. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createV2Prover, openVerifier, parseManifest, parseVerifyingKey, v2Signals } from '@shardy/proofs'
import fc from 'fast-check'
import { dataOf } from '../src/ceremony/phase1.ts'
import {
  CeremonyError,
  type CeremonyRefusalCode,
  type ContributionEntry,
  contribute,
  finalizeCeremony,
  initCeremony,
  type Transcript,
  verifyCeremony,
} from '../src/index.ts'
import { withSnarkjs } from '../src/snarkjs.ts'
import type { MemoryFile } from '../src/snarkjsTypes.ts'
import { type CompiledCircuit, compileCircuit } from './circuits.ts'
import { contributionsOf, editContributions, editSection, flip, sectionsOf } from './keyEditor.ts'

// Every step makes or follows keys; a busy machine takes its time.
setDefaultTimeout(60_000)

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] }

const beaconHex = '00112233445566778899aabbccddeeff'
const nowMs = () => 1_760_000_000_000
let home: string
let whole: string
/** A fresh copy of the whole ceremony for each test. */
let folder: string
let circuit: CompiledCircuit

const inHome = (...parts: string[]) => path.join(home, ...parts)
let folders = 0
/** Where nothing is yet. */
const fresh = (name: string) => inHome(`${name}-${folders++}`)
const read = async (file: string) => new Uint8Array(await readFile(path.join(folder, file)))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const add = (name: string, to = folder) =>
  contribute({ folder: to, name, nowMs, askEntropy: async () => Buffer.from(`typed by ${name}`) })

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'shardy-ceremony-'))
  circuit = await compileCircuit('taskProofV2')
  await writeFile(inHome('task-proof-v2.r1cs'), circuit.r1cs)
  await writeFile(inHome('v2.wasm'), circuit.wasm)
  for (const name of ['otherOfSameSize', 'larger'] as const)
    await writeFile(inHome(`${name}.r1cs`), (await compileCircuit(name)).r1cs)
  whole = inHome('whole')
  await initCeremony({
    r1cs: inHome('task-proof-v2.r1cs'),
    phase1: { kind: 'development', power: 4 },
    folder: whole,
  })
  for (const name of ['Alice', 'Bob', 'Çarol 三']) await add(name, whole)
})
beforeEach(async () => {
  folder = fresh('copy')
  await cp(whole, folder, { recursive: true })
})
afterAll(() => rm(home, { recursive: true }))

async function verdictOf(options: { r1cs?: string; ptau?: string; phase1?: boolean } = {}) {
  const verdict = await verifyCeremony({ folder, ...options })
  return verdict.ok ? 'holds' : verdict.refusal.code
}

async function editTranscript(edit: (transcript: Mutable<Transcript>) => void): Promise<void> {
  const file = path.join(folder, 'ceremony.json')
  const transcript = JSON.parse(await readFile(file, 'utf8'))
  edit(transcript)
  await writeFile(file, JSON.stringify(transcript))
}

/** Replaces a file, and what the transcript says of its bytes, as a careful forger would. */
async function replace(file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path.join(folder, file), bytes)
  await editTranscript((transcript) => {
    const entries = [
      transcript.circuit,
      transcript.phase1,
      transcript.firstKey,
      ...transcript.contributions.map(({ key }) => key),
    ]
    for (const entry of entries) {
      if (entry.file === file) Object.assign(entry, { sha256: sha256(bytes), bytes: bytes.length })
      if (entry.file === file && 'blake2b512' in entry)
        entry.blake2b512 = createHash('blake2b512').update(bytes).digest('hex')
    }
  })
}

/** Numbers and links anew, so that the transcript agrees with itself. */
function relink(transcript: Mutable<Transcript>): void {
  let previous = transcript.firstKey.circuitHash
  for (const [position, entry] of transcript.contributions.entries()) {
    entry.index = position + 1
    entry.previous = previous
    entry.key.file = `key-000${position + 1}.zkey`
    previous = entry.hash
  }
}

const last = 'key-0003.zkey'

describe('a ceremony', () => {
  test('holds, against the verifier’s own files and with its powers of tau', async () => {
    const ptau = path.join(whole, 'phase1.ptau')
    expect(await verdictOf({ r1cs: inHome('task-proof-v2.r1cs'), ptau, phase1: true })).toBe('holds')
  })

  test('says what was checked', async () => {
    const verdict = await verifyCeremony({ folder })
    expect(verdict).toMatchObject({
      ok: true,
      report: {
        people: 3,
        isClosed: false,
        comparedCircuit: false,
        comparedPhase1: false,
        checkedPhase1: false,
      },
    })
  })

  test('holds without the keys of earlier contributions', async () => {
    for (const file of ['key-0000.zkey', 'key-0001.zkey', 'key-0002.zkey']) await rm(path.join(folder, file))
    expect(await verdictOf()).toBe('holds')
    await add('Dave')
    expect(await verdictOf()).toBe('holds')
  })

  test('is closed by a beacon, and gives a key, a verifying key and an entry for the manifest', async () => {
    const into = inHome('keys')
    const request = { folder, into, beaconHex, verifierVersion: 4, wasm: inHome('v2.wasm'), nowMs }
    const { manifestEntry, transcript } = await finalizeCeremony(request)
    expect(await verdictOf()).toBe('holds')
    expect(transcript.contributions.map(({ name, kind }) => [name, kind])).toEqual([
      ['Alice', 'person'],
      ['Bob', 'person'],
      ['Çarol 三', 'person'],
      ['beacon', 'beacon'],
    ])
    expect(manifestEntry).toMatchObject({
      verifierVersion: 4,
      kind: 'v2',
      status: 'accepted',
      trust: 'development',
      circuit: 'task-proof-v2',
      constraints: 1,
      publicSignals: 4,
    })
    for (const file of [manifestEntry.files.zkey, manifestEntry.files.vkey, manifestEntry.files.wasm]) {
      const bytes = new Uint8Array(await readFile(path.join(into, file?.path ?? '')))
      expect({ bytes: bytes.length, sha256: sha256(bytes) }).toMatchObject({
        bytes: file?.bytes ?? 0,
        sha256: file?.sha256 ?? '',
      })
    }
    const vkey = JSON.parse(await readFile(path.join(into, 'task-proof-v2.vkey.json'), 'utf8'))
    expect(parseManifest({ format: 1, versions: [manifestEntry] }).ok).toBe(true)

    // The network's own prover and verifier work with what came out, and with nothing of another ceremony.
    const statement = { taskId: 1n, seed: 2n, outputLength: 3n, resultDigest: 4n }
    const zkey = new Uint8Array(await readFile(path.join(into, 'task-proof-v2.zkey')))
    const proof = (await createV2Prover(zkey)).prove(statement)
    const key = parseVerifyingKey(vkey)
    const verifier = key.ok ? await openVerifier(key.value) : key
    if (!verifier.ok) throw new Error(verifier.refusal.detail)
    expect(verifier.value.verify(proof, v2Signals(statement))).toEqual({ ok: true })
    const before = (await createV2Prover(await read('key-0003.zkey'))).prove(statement)
    expect(verifier.value.verify(before, v2Signals(statement))).toMatchObject({ refusal: { code: 'false' } })

    // Nobody contributes any more, nothing is overwritten, and the same beacon gives the same key again.
    await expect(add('Late')).rejects.toThrow('closed')
    await expect(finalizeCeremony(request)).rejects.toThrow('not empty')
    const again = await finalizeCeremony({ ...request, into: inHome('again') })
    expect(again.manifestEntry).toEqual(manifestEntry)
    await expect(
      finalizeCeremony({ ...request, into: inHome('other'), beaconHex: `${beaconHex}00` }),
    ).rejects.toThrow('another beacon')
    expect(await readdir(home)).not.toContain('other')
  })

  test('has the trust of a ceremony when more than one person made the powers of tau', async () => {
    await writeFile(inHome('two.ptau'), await powersByTwo())
    const other = fresh('two')
    await initCeremony({
      r1cs: inHome('task-proof-v2.r1cs'),
      phase1: { kind: 'file', file: inHome('two.ptau') },
      folder: other,
    })
    await add('Alice', other)
    const request = {
      folder: other,
      into: `${other}-keys`,
      beaconHex,
      verifierVersion: 5,
      wasm: inHome('v2.wasm'),
      nowMs,
    }
    const { manifestEntry, transcript } = await finalizeCeremony(request)
    expect([manifestEntry.trust, transcript.phase1.contributions]).toEqual(['ceremony', 2])
    expect(await verifyCeremony({ folder: other, phase1: true })).toMatchObject({ ok: true })
  })

  test('has no more trust when its powers of tau are handed in as a file', async () => {
    const other = fresh('one')
    const transcript = await initCeremony({
      r1cs: inHome('task-proof-v2.r1cs'),
      phase1: { kind: 'file', file: path.join(whole, 'phase1.ptau') },
      folder: other,
    })
    expect(transcript.phase1).toMatchObject({ trust: 'development', contributions: 1 })
  })

  test('overwrites what was typed, and asks for it only when it holds', async () => {
    const typed = Buffer.from('a secret')
    await contribute({ folder, name: 'Dave', nowMs, askEntropy: async () => typed })
    expect([...typed].every((byte) => byte === 0)).toBe(true)
    await replace('key-0004.zkey', flip(await read('key-0004.zkey'), 1_000))
    let isAsked = false
    const asking = async () => {
      isAsked = true
      return undefined
    }
    await expect(contribute({ folder, name: 'Eve', nowMs, askEntropy: asking })).rejects.toThrow(
      CeremonyError,
    )
    expect(isAsked).toBe(false)
  })
})

async function powersByTwo(): Promise<Uint8Array> {
  return withSnarkjs(async ({ powersOfTau, curve }) => {
    const [none, one, two, prepared] = Array.from({ length: 4 }, (): MemoryFile => ({ type: 'mem' }))
    if (none === undefined || one === undefined || two === undefined || prepared === undefined)
      throw new Error('unreachable')
    await powersOfTau.newAccumulator(curve, 3, none)
    await powersOfTau.contribute(dataOf(none), one, 'one', 'a')
    await powersOfTau.contribute(dataOf(one), two, 'two', 'b')
    await powersOfTau.preparePhase2(dataOf(two), prepared)
    return dataOf(prepared)
  })
}

describe('stopped half-way', () => {
  test('between the key and the transcript: the same person finishes, and no key is made twice', async () => {
    const before = await readFile(path.join(folder, 'ceremony.json'))
    const { entry } = await add('Dave')
    await writeFile(path.join(folder, 'ceremony.json'), before)
    const verdict = await verifyCeremony({ folder })
    expect(verdict.ok && verdict.report.unlisted).toBe('key-0004.zkey')
    const resumed = await add('Dave')
    expect([resumed.isResumed, resumed.entry]).toEqual([true, entry])
    expect(await verdictOf()).toBe('holds')
  })

  test('by one person, the next finishes that line and adds their own', async () => {
    const before = await readFile(path.join(folder, 'ceremony.json'))
    await add('Dave')
    await writeFile(path.join(folder, 'ceremony.json'), before)
    const { transcript, isResumed } = await add('Eve')
    expect(isResumed).toBe(false)
    expect(transcript.contributions.map(({ name }) => name).slice(3)).toEqual(['Dave', 'Eve'])
    expect(await verdictOf()).toBe('holds')
  })

  test('a key that does not follow is not taken into the transcript', async () => {
    await writeFile(path.join(folder, 'key-0004.zkey'), await read('key-0002.zkey'))
    await expect(add('Dave')).rejects.toMatchObject({ refusal: { code: 'contributionAdded' } })
    expect(await verdictOf()).toBe('holds')
  })

  test('what a dead writer left is cleared away, and a living one’s is not', async () => {
    const dead = Bun.spawn([process.execPath, '--version'], { stdout: 'ignore' })
    await dead.exited
    const [stale, alive] = [`key-0004.zkey.${dead.pid}.1.partial`, `key-0004.zkey.${process.ppid}.1.partial`]
    for (const file of [stale, alive]) await writeFile(path.join(folder, file), 'x')
    const begun = inHome(`begun.${dead.pid}.1.partial`)
    await cp(whole, begun, { recursive: true })
    const phase1 = { kind: 'file', file: path.join(whole, 'phase1.ptau') } as const
    await initCeremony({ r1cs: inHome('task-proof-v2.r1cs'), phase1, folder: inHome('begun') })
    expect(await readdir(home)).not.toContain(path.basename(begun))
    await add('Dave')
    const files = await readdir(folder)
    expect([files.includes(stale), files.includes(alive)]).toEqual([false, true])
  })

  test('two who contribute at once: one of them wins, and the ceremony holds', async () => {
    const outcomes = await Promise.allSettled([add('Dave'), add('Eve')])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await verdictOf()).toBe('holds')
  })
})

describe('refused by name', () => {
  const stories: readonly (readonly [CeremonyRefusalCode, string, () => Promise<void>])[] = [
    ['keyMissing', 'the last key is not there', () => rm(path.join(folder, last))],
    ['keyTruncated', 'the last byte is missing', async () => replace(last, (await read(last)).slice(0, -1))],
    [
      'keyTruncated',
      'the second half is missing',
      async () => replace(last, (await read(last)).slice(0, 2_000)),
    ],
    ['keyTruncated', 'nothing is left', async () => writeFile(path.join(folder, last), '')],
    [
      'keyMalformed',
      'something stands behind it',
      async () => replace(last, new Uint8Array([...(await read(last)), 0])),
    ],
    ['keyMalformed', 'it is another kind of file', async () => replace(last, circuit.r1cs)],
    [
      'keyTampered',
      'an earlier key was changed',
      async () => writeFile(path.join(folder, 'key-0001.zkey'), flip(await read('key-0001.zkey'), 2_000)),
    ],
    [
      'keyTampered',
      'delta in the header is another point',
      async () => {
        const first = sectionsOf(await read('key-0000.zkey')).get(2) ?? new Uint8Array()
        await replace(
          last,
          editSection(await read(last), 'zkey', 2, () => first),
        )
      },
    ],
    ...[3, 4, 5, 6, 7, 8, 9].map(
      (section) =>
        [
          'keyTampered',
          `a byte of section ${section} was changed`,
          async () =>
            replace(
              last,
              editSection(await read(last), 'zkey', section, (bytes) => flip(bytes, bytes.length - 40)),
            ),
        ] as const,
    ),
    [
      'keyTampered',
      'the points of section 9 are those of the first key: the last contribution was not applied to them',
      async () => {
        const before = sectionsOf(await read('key-0002.zkey')).get(9) ?? new Uint8Array()
        await replace(
          last,
          editSection(await read(last), 'zkey', 9, () => before),
        )
      },
    ],
    [
      'contributionRemoved',
      'the last key is that of the one before',
      async () => replace(last, await read('key-0002.zkey')),
    ],
    [
      'contributionRemoved',
      'the second contribution is missing in the key',
      async () =>
        replace(
          last,
          editContributions(await read(last), (all) => all.toSpliced(1, 1)),
        ),
    ],
    [
      'contributionBroken',
      'the second contribution is missing in the key and the transcript',
      async () => {
        await editTranscript((transcript) => {
          transcript.contributions.splice(1, 1)
          relink(transcript)
        })
        const key = editContributions(await read(last), (all) => all.toSpliced(1, 1))
        await rm(path.join(folder, last))
        await replace('key-0002.zkey', key)
      },
    ],
    [
      'contributionsReordered',
      'two contributions changed places in the key',
      async () =>
        replace(
          last,
          editContributions(await read(last), ([one, two, ...rest]) =>
            [two, one, ...rest].filter((each) => each !== undefined),
          ),
        ),
    ],
    [
      'contributionBroken',
      'two contributions changed places in the key and the transcript',
      async () => {
        await editTranscript((transcript) => {
          const [one, two] = transcript.contributions.splice(0, 2)
          transcript.contributions.unshift(...[two, one].filter((each) => each !== undefined))
          relink(transcript)
        })
        await replace(
          last,
          editContributions(await read(last), ([one, two, ...rest]) =>
            [two, one, ...rest].filter((each) => each !== undefined),
          ),
        )
      },
    ],
    [
      'contributionReplaced',
      'another valid contribution stands in the place of the last',
      async () => {
        const other = fresh('other')
        await cp(folder, other, { recursive: true })
        await rm(path.join(other, last))
        const file = path.join(other, 'ceremony.json')
        const transcript = JSON.parse(await readFile(file, 'utf8'))
        transcript.contributions.pop()
        await writeFile(file, JSON.stringify(transcript))
        await add('Mallory', other)
        await replace(last, new Uint8Array(await readFile(path.join(other, last))))
      },
    ],
    [
      'contributionAdded',
      'the key has one more than the transcript',
      async () => {
        await add('Dave')
        const more = await read('key-0004.zkey')
        await editTranscript((transcript) => void transcript.contributions.pop())
        await replace(last, more)
      },
    ],
    [
      'contributionBroken',
      'a point of a contribution is not on the curve',
      async () =>
        replace(
          last,
          editContributions(await read(last), (all) => all.with(1, flip(all[1] ?? new Uint8Array(), 70))),
        ),
    ],
    [
      'contributionBroken',
      'the proof of a contribution is that of another',
      async () =>
        replace(
          last,
          editContributions(await read(last), (all) => {
            const [donor = new Uint8Array(), victim = new Uint8Array()] = [all[0], all[2]]
            const forged = victim.slice()
            forged.set(donor.slice(192, 320), 192)
            return all.with(2, forged)
          }),
        ),
    ],
    [
      'keyMalformed',
      'a beacon asks a verifier to hash for years',
      async () => {
        await finalizeCeremony({
          folder,
          into: fresh('k'),
          beaconHex,
          verifierVersion: 4,
          wasm: inHome('v2.wasm'),
          nowMs,
        })
        const key = editContributions(await read('key-0004.zkey'), (all) => {
          const beacon = (all[3] ?? new Uint8Array()).slice()
          // Behind the name of six letters: parameter 2, then its value.
          beacon[388 + 4 + 2 + 6 + 1] = 63
          return all.with(3, beacon)
        })
        await replace('key-0004.zkey', key)
      },
    ],
    [
      'keyMalformed',
      'many beacons ask a verifier to hash for hours',
      async () => {
        await finalizeCeremony({
          folder,
          into: fresh('k'),
          beaconHex,
          verifierVersion: 4,
          wasm: inHome('v2.wasm'),
          nowMs,
        })
        const key = editContributions(await read('key-0004.zkey'), (all) => [...all, ...all.slice(3)])
        await replace('key-0004.zkey', key)
      },
    ],
    [
      'contributionBroken',
      'a beacon has another value than the one it was made with',
      async () => {
        await finalizeCeremony({
          folder,
          into: fresh('k'),
          beaconHex,
          verifierVersion: 4,
          wasm: inHome('v2.wasm'),
          nowMs,
        })
        const key = editContributions(await read('key-0004.zkey'), (all) =>
          all.with(3, flip(all[3] ?? new Uint8Array(), (all[3]?.length ?? 1) - 1)),
        )
        await replace('key-0004.zkey', key)
        await editTranscript((transcript) => {
          const beacon = transcript.contributions.at(-1)?.beacon
          Object.assign(beacon ?? {}, { value: `${beaconHex.slice(0, -2)}fe` })
        })
      },
    ],
    [
      'wrongCircuit',
      'another circuit lies in the folder',
      () => writeFile(path.join(folder, 'circuit.r1cs'), 'x'),
    ],
    ['wrongCircuit', 'no circuit lies in the folder', () => rm(path.join(folder, 'circuit.r1cs'))],
    [
      'wrongCircuit',
      'another circuit of the same size, and the transcript agrees',
      async () => replace('circuit.r1cs', new Uint8Array(await readFile(inHome('otherOfSameSize.r1cs')))),
    ],
    [
      'wrongPhase1',
      'other powers of tau lie in the folder',
      async () => writeFile(path.join(folder, 'phase1.ptau'), flip(await read('phase1.ptau'), 9_000)),
    ],
    [
      'wrongPhase1',
      'other powers of tau, and the transcript agrees',
      async () => {
        const other = fresh('powers')
        const request = {
          r1cs: inHome('task-proof-v2.r1cs'),
          phase1: { kind: 'development', power: 4 } as const,
        }
        await initCeremony({ ...request, folder: other })
        await replace('phase1.ptau', new Uint8Array(await readFile(path.join(other, 'phase1.ptau'))))
      },
    ],
    [
      'transcriptMalformed',
      'the transcript is cut',
      async () => writeFile(path.join(folder, 'ceremony.json'), '{'),
    ],
  ]
  for (const [code, story, tamper] of stories) {
    test(`${story}: ${code}`, async () => {
      await tamper()
      expect(await verdictOf()).toBe(code)
    })
  }

  test('the verifier’s circuit is another: wrongCircuit', async () => {
    expect(await verdictOf({ r1cs: inHome('otherOfSameSize.r1cs') })).toBe('wrongCircuit')
    expect(await verdictOf({ r1cs: inHome('larger.r1cs') })).toBe('wrongCircuit')
  })

  test('the verifier’s powers of tau are others: wrongPhase1', async () => {
    const own = inHome('own.ptau')
    await writeFile(own, flip(await read('phase1.ptau'), 9_000))
    expect(await verdictOf({ ptau: own })).toBe('wrongPhase1')
  })

  test('powers of tau that contradict themselves: badPhase1, when they are checked', async () => {
    const ptau = await read('phase1.ptau')
    const twisted = editSection(ptau, 'ptau', 4, (powers) => {
      const swapped = powers.slice()
      swapped.set(powers.slice(2 * 64, 3 * 64), 3 * 64)
      swapped.set(powers.slice(3 * 64, 4 * 64), 2 * 64)
      return swapped
    })
    await writeFile(inHome('twisted.ptau'), twisted)
    folder = fresh('twisted')
    const request = { r1cs: inHome('task-proof-v2.r1cs'), folder }
    await initCeremony({ ...request, phase1: { kind: 'file', file: inHome('twisted.ptau') } })
    await add('Alice')
    expect([await verdictOf(), await verdictOf({ phase1: true })]).toEqual(['holds', 'badPhase1'])
  })

  const edits: readonly (readonly [
    CeremonyRefusalCode,
    string,
    (transcript: Mutable<Transcript>) => void,
  ])[] = [
    [
      'transcriptEdited',
      'a name',
      ({ contributions }) => Object.assign(entry(contributions, 1), { name: 'Mallory' }),
    ],
    [
      'transcriptEdited',
      'a hash',
      ({ contributions }) => Object.assign(entry(contributions, 1), { hash: '0'.repeat(128) }),
    ],
    [
      'transcriptEdited',
      'a link',
      ({ contributions }) => Object.assign(entry(contributions, 1), { previous: '0'.repeat(128) }),
    ],
    [
      'transcriptEdited',
      'a public point',
      ({ contributions }) => Object.assign(entry(contributions, 1).public, { g1s: '0'.repeat(128) }),
    ],
    [
      'transcriptEdited',
      'a person made a beacon',
      ({ contributions }) => Object.assign(entry(contributions, 2), { kind: 'beacon' }),
    ],
    ['transcriptEdited', 'the order', ({ contributions }) => void contributions.reverse()],
    [
      'transcriptEdited',
      'the number of constraints',
      ({ circuit }) => Object.assign(circuit, { constraints: 2 }),
    ],
    ['transcriptEdited', 'the trust', ({ phase1 }) => Object.assign(phase1, { trust: 'ceremony' })],
    ['transcriptEdited', 'the power', ({ phase1 }) => Object.assign(phase1, { power: 5 })],
    [
      'transcriptEdited',
      'the published digest of other powers of tau',
      ({ phase1 }) => Object.assign(phase1, { blake2b512: '0'.repeat(128) }),
    ],
    ['transcriptEdited', 'the length of the circuit', ({ circuit }) => void circuit.bytes++],
    ['transcriptEdited', 'the length of the powers of tau', ({ phase1 }) => void phase1.bytes++],
    ['transcriptEdited', 'the length of the first key', ({ firstKey }) => void firstKey.bytes++],
    [
      'transcriptEdited',
      'the length of an earlier key',
      ({ contributions }) => void entry(contributions, 0).key.bytes++,
    ],
    [
      'transcriptEdited',
      'the length of the last key',
      ({ contributions }) => void entry(contributions, 2).key.bytes++,
    ],
    [
      'transcriptEdited',
      'another file for a key',
      ({ contributions }) => Object.assign(entry(contributions, 2).key, { file: 'key-0001.zkey' }),
    ],
    [
      'keyTampered',
      'the digest of the last key',
      ({ contributions }) => Object.assign(entry(contributions, 2).key, { sha256: '0'.repeat(64) }),
    ],
    [
      'transcriptEdited',
      'the digest of the first key, which is there',
      ({ firstKey }) => Object.assign(firstKey, { sha256: '0'.repeat(64) }),
    ],
    ['transcriptMalformed', 'a path', ({ circuit }) => Object.assign(circuit, { file: '../circuit.r1cs' })],
    ['transcriptMalformed', 'a field more', (transcript) => Object.assign(transcript, { more: 1 })],
    [
      'transcriptMalformed',
      'a hash in capitals',
      ({ contributions }) => Object.assign(entry(contributions, 0), { hash: 'A'.repeat(128) }),
    ],
    [
      'transcriptMalformed',
      'a time that is none',
      ({ contributions }) => Object.assign(entry(contributions, 0), { at: 'yesterday' }),
    ],
    [
      'transcriptMalformed',
      'another format',
      (transcript) => Object.assign(transcript, { format: 'shardy ceremony 2' }),
    ],
    [
      'transcriptMalformed',
      'a name that moves the cursor',
      ({ contributions }) => Object.assign(entry(contributions, 0), { name: 'A\u001b[2J' }),
    ],
  ]
  for (const [code, story, edit] of edits) {
    test(`the transcript was edited, ${story}: ${code}`, async () => {
      await editTranscript(edit)
      expect(await verdictOf()).toBe(code)
    })
  }

  test('the first key’s digest was edited and the file taken away: transcriptEdited', async () => {
    await rm(path.join(folder, 'key-0000.zkey'))
    await editTranscript(({ firstKey }) => Object.assign(firstKey, { sha256: '0'.repeat(64) }))
    expect(await verdictOf()).toBe('transcriptEdited')
  })

  test('any flipped bit of the key, though the transcript has its new digest', async () => {
    const key = await read(last)
    const [seed, numRuns] = [20_261_121, 40]
    await fc.assert(
      fc.asyncProperty(fc.nat(key.length - 1), fc.nat(7), async (offset, bit) => {
        await replace(last, flip(key, offset, 1 << bit))
        expect(await verdictOf()).not.toBe('holds')
      }),
      { seed, numRuns },
    )
  })
})

function entry(entries: Mutable<ContributionEntry>[], position: number): Mutable<ContributionEntry> {
  const found = entries[position]
  if (found === undefined) throw new Error(`there is no contribution ${position}`)
  return found
}

describe('cannot be', () => {
  const request = () => ({ r1cs: inHome('task-proof-v2.r1cs'), folder: fresh('new') })
  const file = (name: string) => ({ kind: 'file', file: inHome(name) }) as const
  const stories: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    [
      'a folder that is not empty',
      () => initCeremony({ ...request(), folder, phase1: file('x') }),
      'not empty',
    ],
    [
      'a circuit that is not there',
      () => initCeremony({ ...request(), r1cs: inHome('none.r1cs'), phase1: file('x') }),
      'no such file',
    ],
    [
      'a circuit that is none',
      () =>
        initCeremony({
          ...request(),
          r1cs: path.join(whole, 'phase1.ptau'),
          phase1: file('x'),
          circuit: 'x',
        }),
      'no circuit',
    ],
    [
      'powers that are none',
      () => initCeremony({ ...request(), phase1: file('task-proof-v2.r1cs') }),
      'no powers of tau',
    ],
    [
      'powers too small',
      () =>
        initCeremony({
          ...request(),
          r1cs: inHome('larger.r1cs'),
          phase1: { kind: 'development', power: 2 },
        }),
      'needs powers of tau to 2^3',
    ],
    [
      'a circuit with a bad name',
      () => initCeremony({ ...request(), circuit: '../x', phase1: file('x') }),
      'no name for a circuit',
    ],
    ['a contributor without a name', () => add(' '), 'no name for a contributor'],
    ['a name with a line break', () => add('a\nb'), 'no name for a contributor'],
    ['a folder without a ceremony', () => add('Dave', home), 'holds no ceremony'],
    [
      'a kind that is none',
      () =>
        finalizeCeremony({
          folder,
          into: inHome('k'),
          beaconHex,
          verifierVersion: 4,
          wasm: inHome('v2.wasm'),
          nowMs,
          kind: 'v9',
        }),
      "no kind of proof 'v9'",
    ],
    [
      'a version that is none',
      () =>
        finalizeCeremony({
          folder,
          into: inHome('k'),
          beaconHex,
          verifierVersion: 70_000,
          wasm: inHome('v2.wasm'),
          nowMs,
        }),
      'from 1 to 65535',
    ],
    [
      'a witness generator that is none',
      () =>
        finalizeCeremony({
          folder,
          into: inHome('k'),
          beaconHex,
          verifierVersion: 4,
          wasm: inHome('task-proof-v2.r1cs'),
          nowMs,
        }),
      'not WebAssembly',
    ],
    [
      'a short beacon',
      () =>
        finalizeCeremony({
          folder,
          into: inHome('k'),
          beaconHex: '0011',
          verifierVersion: 4,
          wasm: inHome('v2.wasm'),
          nowMs,
        }),
      'no beacon',
    ],
    [
      'a beacon that is not hex',
      () =>
        finalizeCeremony({
          folder,
          into: inHome('k'),
          beaconHex: 'zz'.repeat(16),
          verifierVersion: 4,
          wasm: inHome('v2.wasm'),
          nowMs,
        }),
      'no beacon',
    ],
  ]
  for (const [story, act, message] of stories) {
    test(story, async () => {
      await expect(act()).rejects.toBeInstanceOf(CeremonyError)
      await expect(act()).rejects.toThrow(message)
    })
  }

  test('a beacon without people: it would be a key that anyone can forge under', async () => {
    const empty = request().folder
    await initCeremony({
      ...request(),
      folder: empty,
      phase1: { kind: 'file', file: path.join(whole, 'phase1.ptau') },
    })
    await expect(
      finalizeCeremony({
        folder: empty,
        into: inHome('k'),
        beaconHex,
        verifierVersion: 4,
        wasm: inHome('v2.wasm'),
        nowMs,
      }),
    ).rejects.toThrow('nobody has contributed')
  })
})

test('contributions are where the editor of these tests looks for them', async () => {
  expect(contributionsOf(sectionsOf(await read(last)).get(10) ?? new Uint8Array())).toHaveLength(3)
})
