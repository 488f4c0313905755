/** With the real keys and proofs: what is taken, what is refused, and keys that rotate while proofs are under way. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { openVerifierPool } from '@shardy/proofs/pool'
import { encodeHex, type TaskProofV2, type ZkProofPayload } from '@shardy/protocol'
import { createTaskProver } from '@shardy/worker/proving'
import { workerIdOf } from '../../test/dispatchTask.ts'
import { openProofs, type ReadProofs } from './openProofs.ts'

const committed = path.join(import.meta.dir, '../../../../circuits/artifacts')
const answer: TaskProofV2 = {
  taskId: '01'.repeat(16) as never,
  seed: 7n,
  outputLength: 12,
  outputDigest: encodeHex(sha256(Uint8Array.of(1, 2, 3))) as never,
}
const prover = createTaskProver(async () => {
  const read = (name: string) => readFile(path.join(committed, name))
  const vkey = JSON.parse((await read('task-proof-v2.vkey.json')).toString())
  return { zkey: await read('task-proof-v2.zkey'), vkey, wasm: undefined }
}, sha256)

let folder: string
let proofs: ReadProofs | undefined

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-proofs-'))
  await cp(committed, folder, { recursive: true })
})
afterEach(async () => {
  proofs?.close()
  proofs = undefined
  await rm(folder, { recursive: true })
})

type Json = ReturnType<typeof JSON.parse>

async function change(act: (versions: Json[]) => Json[]): Promise<void> {
  const file = path.join(folder, 'manifest.json')
  const manifest = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...manifest, versions: act(manifest.versions) }))
}

let pools = 0
async function open(): Promise<ReadProofs> {
  pools = 0
  proofs = await openProofs({
    folder,
    kinds: ['v2', 'v3'],
    sha256,
    openPool(key) {
      pools++
      return openVerifierPool({ key, threads: 1 })
    },
  })
  return proofs
}

async function prove(verifierVersion = 2, about = answer): Promise<ZkProofPayload> {
  const [made] = await prover.prove([{ ...about, kind: 'v2', verifierVersion }])
  return made as ZkProofPayload
}

describe('a proof', () => {
  test('of what the orchestrator knows is taken, and of nothing else', async () => {
    const { verify, wanted, kinds } = await open()
    expect(kinds).toEqual(['v2', 'v3'])
    expect(wanted('v2')).toEqual({ kind: 'v2', verifierVersion: 2 })
    expect(wanted('v3')).toEqual({ kind: 'v3', verifierVersion: 3 })
    const proof = await prove()
    const others: TaskProofV2[] = [
      { ...answer, taskId: '02'.repeat(16) as never },
      { ...answer, seed: 8n },
      { ...answer, outputLength: 13 },
      { ...answer, outputDigest: 'ab'.repeat(32) as never },
    ]
    const flaws = await verify(
      workerIdOf(1),
      [answer, ...others].map((about) => ({ proof, answer: about })),
    )
    const refused = {
      kind: 'refused',
      detail: expect.stringContaining('the proof is refused as false'),
    } as const
    expect(flaws).toEqual([undefined, refused, refused, refused, refused])
  })

  test('with bytes that are no points is refused by name', async () => {
    const { verify } = await open()
    const proof = await prove()
    const changed = [
      new Uint8Array(256),
      new Uint8Array(256).fill(255),
      proof.proof.with(31, (proof.proof[31] as number) ^ 1),
    ]
    const flaws = await verify(
      workerIdOf(1),
      changed.map((bytes) => ({ proof: { ...proof, proof: bytes }, answer })),
    )
    expect(flaws.map((flaw) => flaw?.detail.match(/refused as (\w+)/)?.[1])).toEqual([
      'infinity',
      'nonCanonical',
      'offCurve',
    ])
  })
})

test('keys rotate: new deliveries get the new version, what was under way is taken until its version is retired', async () => {
  const reading = await open()
  const old = { proof: await prove(2), answer }
  const fresh = { proof: await prove(4), answer }
  const verdicts = async () =>
    (await reading.verify(workerIdOf(1), [old, fresh])).map(
      (flaw) => flaw?.detail.match(/refused as (\w+)/)?.[1],
    )
  expect(await verdicts()).toEqual([undefined, 'unknownVersion'])

  await change(([first]) => [
    { ...first, status: 'accepted' },
    { ...first, verifierVersion: 4 },
  ])
  await reading.reload()
  expect(reading.wanted('v2')).toEqual({ kind: 'v2', verifierVersion: 4 })
  expect(await verdicts()).toEqual([undefined, undefined])

  await change(([first, second]) => [{ ...first, status: 'retired' }, second])
  await reading.reload()
  expect(await verdicts()).toEqual(['retiredVersion', undefined])
  // One for each key of kind v2, and one for that of v3.
  expect(pools).toBe(3)

  await change(([first, second]) => [first, { ...second, status: 'accepted' }])
  await reading.reload()
  expect(reading.kinds).toEqual([])
  expect(reading.wanted('v2')).toBeUndefined()
})

describe('what cannot be used is refused, and everything stays as it was', () => {
  const wrongs: readonly (readonly [string, () => Promise<void>, string])[] = [
    ['a manifest that is not JSON', () => writeFile(path.join(folder, 'manifest.json'), '{'), 'JSON'],
    ['a manifest of another form', () => change(([first]) => [{ ...first, trust: 'full' }]), 'trust'],
    [
      'a verifying key with another digest',
      () => writeFile(path.join(folder, 'task-proof-v2.vkey.json'), '{}'),
      'task-proof-v2.vkey.json has 2 bytes',
    ],
    [
      'a proving key with another digest',
      async () => {
        const file = path.join(folder, 'task-proof-v2.zkey')
        const bytes = await readFile(file)
        bytes[100] = (bytes[100] as number) ^ 1
        await writeFile(file, bytes)
      },
      'task-proof-v2.zkey has the digest',
    ],
    [
      'a verifying key that is none',
      async () => {
        const file = path.join(folder, 'task-proof-v2.vkey.json')
        const bytes = Buffer.from((await readFile(file, 'utf8')).replace('"groth16"', '"plonk"  '))
        await writeFile(file, bytes)
        const digest = encodeHex(sha256(bytes))
        await change(([first]) => {
          first.files.vkey.sha256 = digest
          return [first]
        })
      },
      'the key of version 2 is refused',
    ],
  ]
  for (const [what, act, text] of wrongs) {
    test(what, async () => {
      const reading = await open()
      await act()
      await expect(reading.reload()).rejects.toThrow(text)
      expect(await reading.verify(workerIdOf(1), [{ proof: await prove(), answer }])).toEqual([undefined])
      proofs?.close()
      await expect(open()).rejects.toThrow(text)
    })
  }
})

test('gives out the files that the manifest names, and no others', async () => {
  await writeFile(path.join(folder, 'secret'), 'x')
  const { file } = await open()
  const key = file('task-proof-v2.zkey')
  expect(encodeHex(sha256(new Uint8Array((await key?.content.arrayBuffer()) ?? new ArrayBuffer())))).toBe(
    key?.sha256 as string,
  )
  expect(await file('manifest.json')?.content.json()).toMatchObject({ format: 1 })
  for (const name of ['secret', '../../package.json', '', '.', 'task-proof-v2.r1cs']) {
    expect(file(name)).toBeUndefined()
  }
})

test('the manifest that is given out is the one that proofs are verified by', async () => {
  const reading = await open()
  const given = async () => (await reading.file('manifest.json')?.content.json())?.versions[0].status
  await change(([first, ...others]) => [{ ...first, status: 'retired' }, ...others])
  expect(await given()).toBe('active')
  await reading.reload()
  expect(await given()).toBe('retired')
})

test('a proof that nobody had the time for, or the thread, is not said to be refused', async () => {
  const openPool = (key: unknown) => openVerifierPool({ key, threads: 1, queuedMax: 2 })
  proofs = await openProofs({ folder, kinds: ['v2'], sha256, openPool })
  const proof = await prove()
  const flaws = await proofs.verify(
    workerIdOf(1),
    Array.from({ length: 8 }, () => ({ proof, answer })),
  )
  expect(flaws.filter((flaw) => flaw === undefined).length).toBeGreaterThan(0)
  const others = flaws.filter((flaw) => flaw !== undefined)
  expect(others.length).toBeGreaterThan(0)
  for (const { kind, detail } of others)
    expect([kind, detail]).toEqual(['unjudged', expect.stringContaining('wait for a verifier')])
  proofs.close()
  expect(await proofs.verify(workerIdOf(1), [{ proof, answer }])).toMatchObject([{ kind: 'unjudged' }])
})

describe('while the folder is read', () => {
  /** Holds up whatever opens a pool. */
  function gated() {
    const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    return { reached, gate }
  }

  test('another change of it waits, and is the one in use in the end', async () => {
    const { reached, gate } = gated()
    let isHeld = false
    let [opened, closed] = [0, 0]
    proofs = await openProofs({
      folder,
      kinds: ['v2'],
      sha256,
      async openPool(key) {
        if (isHeld) reached.resolve()
        if (isHeld) await gate.promise
        const pool = await openVerifierPool({ key, threads: 1 })
        if (!pool.ok) return pool
        opened++
        const close = (): void => {
          closed++
          pool.value.close()
        }
        return { ok: true, value: { ...pool.value, close } }
      },
    })
    isHeld = true
    await change(([first]) => [
      { ...first, status: 'retired' },
      { ...first, verifierVersion: 4 },
    ])
    const one = proofs.reload()
    await reached.promise
    await change(([first]) => [{ ...first, status: 'active' }])
    const other = proofs.reload()
    gate.resolve()
    await Promise.all([one, other])
    expect(proofs.wanted('v2')).toEqual({ kind: 'v2', verifierVersion: 2 })
    expect(await proofs.verify(workerIdOf(1), [{ proof: await prove(), answer }])).toEqual([undefined])
    expect(opened - closed).toBe(1)
  })

  test('a proof whose version is retired meanwhile is refused by that name', async () => {
    const { reached, gate } = gated()
    proofs = await openProofs({
      folder,
      kinds: ['v2'],
      sha256,
      async openPool() {
        const verify = async () => {
          reached.resolve()
          await gate.promise
          return { ok: true } as const
        }
        const value = { signalCount: 4, verify, waiting: () => 0, running: () => 0, close() {} }
        return { ok: true, value }
      },
    })
    const flaws = proofs.verify(workerIdOf(1), [{ proof: await prove(), answer }])
    await reached.promise
    await change(([first]) => [{ ...first, status: 'retired' }])
    await proofs.reload()
    gate.resolve()
    expect(await flaws).toEqual([{ kind: 'refused', detail: expect.stringContaining('retiredVersion') }])
  })
})
