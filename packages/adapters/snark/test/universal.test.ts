/** What PLONK and FFLONK refuse beyond what every proof system does, and what snarkjs would have let pass. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { baseOrder, fieldOrder, type ProofSystem, type Statement, type SystemVerifier } from '@shardy/proofs'
import type { ProofSystemFixture } from '@shardy/proofs/conformance'
import fc from 'fast-check'
import {
  fflonk,
  makeUniversalKey,
  plonk,
  type UniversalKey,
  type UniversalName,
  UniversalProverError,
} from '../src/index.ts'
import { listen, withSnarkjs } from '../src/snarkjs.ts'
import { readElement, writeElement } from '../src/systems/field.ts'
import { compileCircuit } from './circuits.ts'
import { strayTwistPoint } from './twist.ts'
import { inputsOf, openUniversalFixture, signalsOf } from './universal.ts'

// Every step makes or follows keys; a busy machine takes its time.
setDefaultTimeout(60_000)

type Json = Readonly<Record<string, unknown>>

const jsonOf = ({ statements: [first] }: ProofSystemFixture<UniversalKey>): Json =>
  (first?.json ?? {}) as Json

interface Story {
  readonly name: UniversalName
  readonly system: ProofSystem<UniversalKey>
  /** Where the row's first number stands, behind its points. */
  readonly numbersAt: number
  /** Where a commitment stands that no challenge before the last depends on. */
  readonly lastCommitmentAt: number
  readonly point: string
  readonly number: string
}

const stories: readonly Story[] = [
  { name: 'plonk', system: plonk, numbersAt: 576, lastCommitmentAt: 512, point: 'S2', number: 'k1' },
  { name: 'fflonk', system: fflonk, numbersAt: 256, lastCommitmentAt: 192, point: 'C0', number: 'wr' },
]

for (const { name, system, numbersAt, lastCommitmentAt, point, number } of stories) {
  describe(name, () => {
    let fixture: ProofSystemFixture<UniversalKey>
    let verifier: SystemVerifier
    let statement: Statement
    let key: Json

    beforeAll(async () => {
      fixture = await openUniversalFixture(name, system)
      key = fixture.key as Json
      const parsed = await system.parseKey(key)
      if (!parsed.ok) throw new Error(parsed.refusal.detail)
      const opened = await system.openVerifier(parsed.value)
      if (!opened.ok) throw new Error(opened.refusal.detail)
      verifier = opened.value
      const proof = system.proofFromJson(jsonOf(fixture))
      if (!proof.ok) throw new Error(proof.refusal.detail)
      statement = { proof: proof.value, signals: signalsOf(inputsOf(0)) }
    })

    const codeOf = async (proof: Uint8Array) => {
      const verdict = await verifier.verify(proof, statement.signals)
      return verdict.ok ? 'ok' : verdict.refusal.code
    }
    const edited = (at: number, value: (old: bigint) => bigint): Uint8Array => {
      const bytes = statement.proof.slice()
      writeElement(bytes, at, value(readElement(bytes, at)))
      return bytes
    }

    test('snarkjs accepts what is proved here, under the same key', async () => {
      const json = system.proofToJson(statement.proof)
      const signals = statement.signals.map(String)
      const isTrue = await withSnarkjs((snarkjs) =>
        snarkjs[name].verify(
          key,
          signals,
          json.ok ? json.value : {},
          listen('', () => {}),
        ),
      )
      expect(isTrue).toBe(true)
    })

    test('a point at infinity, off the curve, or not canonical is named', async () => {
      for (let at = 0; at < numbersAt; at += 64) {
        const infinite = statement.proof.slice()
        infinite.fill(0, at, at + 64)
        expect(await codeOf(infinite)).toBe('infinity')
        expect(await codeOf(edited(at, (x) => (x + 1n) % baseOrder))).toBe('offCurve')
        expect(await codeOf(edited(at, (x) => x + baseOrder))).toBe('nonCanonical')
        expect(await codeOf(edited(at + 32, (y) => y + baseOrder))).toBe('nonCanonical')
      }
    })

    test('a number that is not below the modulus is named, and another number is false', async () => {
      for (let at = numbersAt; at < statement.proof.length; at += 32) {
        expect(await codeOf(edited(at, (value) => value + fieldOrder))).toBe('nonCanonical')
        expect(await codeOf(edited(at, (value) => (value + 1n) % fieldOrder))).toBe('false')
      }
    })

    test('a commitment negated, or another point of the curve in its place, is false', async () => {
      for (let at = 0; at < numbersAt; at += 64)
        expect(await codeOf(edited(at + 32, (y) => baseOrder - y))).toBe('false')
      const moved = statement.proof.slice()
      moved.set(statement.proof.subarray(0, 64), lastCommitmentAt)
      expect(await codeOf(moved)).toBe('false')
    })

    test('JSON in another spelling is refused', () => {
      const json = jsonOf(fixture)
      const text = JSON.stringify(json)
      const first = /"(\d{60,})"/.exec(text)?.[1] ?? ''
      const spellings: readonly (readonly [string, string])[] = [
        [`0${first}`, 'nonCanonical'],
        [String(BigInt(first) + baseOrder), 'nonCanonical'],
        [`+${first}`, 'malformed'],
        [` ${first}`, 'malformed'],
        [`0x${BigInt(first).toString(16)}`, 'malformed'],
        ['1'.repeat(100_000), 'malformed'],
      ]
      for (const [spelling, code] of spellings) {
        const refused = system.proofFromJson(JSON.parse(text.replace(first, spelling)))
        expect(refused).toMatchObject({ ok: false, refusal: { code } })
      }
      expect(system.proofFromJson(JSON.parse(text.replace('"1"]', '"0"]')))).toMatchObject({
        refusal: { code: 'infinity' },
      })
      expect(system.proofFromJson(JSON.parse(text.replace('"1"]', '"2"]')))).toMatchObject({
        refusal: { code: 'malformed' },
      })
    })

    test('whatever stands in a proof, it is refused and nothing throws', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 768, maxLength: 768 }), async (bytes) => {
          expect(await codeOf(bytes)).not.toBe('ok')
        }),
        { numRuns: 50 },
      )
      fc.assert(fc.property(fc.jsonValue(), (json) => expect(system.proofFromJson(json).ok).toBe(false)))
      fc.assert(
        fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(jsonOf(fixture))), (json, field) => {
          fc.pre(json !== jsonOf(fixture)[field])
          expect(system.proofFromJson({ ...jsonOf(fixture), [field]: json }).ok).toBe(false)
        }),
      )
    })

    describe('a key', () => {
      const edits: readonly (readonly [string, string, (key: Json) => Json])[] = [
        ['signalCount', 'without signals', (key) => ({ ...key, nPublic: 0 })],
        ['signalCount', 'with more signals than are taken', (key) => ({ ...key, nPublic: 65 })],
        ['signalCount', 'with its count as a string', (key) => ({ ...key, nPublic: '4' })],
        ['malformed', 'of a domain that the field does not have', (key) => ({ ...key, power: 29 })],
        ['malformed', 'of a domain smaller than its signals', (key) => ({ ...key, power: 1 })],
        ['malformed', 'with another root of one', (key) => ({ ...key, w: '7' })],
        ['malformed', 'of another domain than its root', (key) => ({ ...key, power: 5 })],
        ['malformed', 'without a point', ({ [point]: _, ...key }) => key],
        ['malformed', 'without a number', ({ [number]: _, ...key }) => key],
        [
          'nonCanonical',
          'with a number that is not below the modulus',
          (key) => ({ ...key, [number]: String(fieldOrder) }),
        ],
        ['infinity', 'with a point at infinity', (key) => ({ ...key, [point]: ['0', '1', '0'] })],
        ['offCurve', 'with a point off the curve', (key) => ({ ...key, [point]: ['1', '1', '1'] })],
        ['malformed', 'without its secret in the second group', (key) => ({ ...key, X_2: [] })],
        [
          'infinity',
          'with that at infinity',
          (key) => ({
            ...key,
            X_2: [
              ['0', '0'],
              ['1', '0'],
              ['0', '0'],
            ],
          }),
        ],
        [
          'offCurve',
          'with that off the curve',
          (key) => ({
            ...key,
            X_2: [
              ['1', '2'],
              ['3', '4'],
              ['1', '0'],
            ],
          }),
        ],
        ['wrongSubgroup', 'with that outside the subgroup', (key) => ({ ...key, X_2: strayTwistPoint() })],
      ]
      for (const [code, story, edit] of edits) {
        test(`${story}: ${code}`, async () => {
          const parsed = await system.parseKey(edit(key))
          const outcome = parsed.ok ? await system.openVerifier(parsed.value) : parsed
          expect(outcome).toMatchObject({ ok: false, refusal: { code } })
        })
      }

      test('of the other system is named', async () => {
        const other = name === 'plonk' ? fflonk : plonk
        expect(await other.parseKey(key)).toMatchObject({ refusal: { code: 'wrongSystem' } })
      })
    })

    describe('a prover', () => {
      test('proves nothing for inputs that are not all there, or too many', async () => {
        const prover = await system.openProver(fixture.files)
        const inputs = inputsOf(0)
        const { witness: _, ...rest } = inputs
        await expect(prover.prove(rest)).rejects.toBeInstanceOf(UniversalProverError)
        await expect(prover.prove({ ...inputs, more: 1n })).rejects.toBeInstanceOf(UniversalProverError)
      })

      test('is not opened on a key of another system, or on no key', async () => {
        const other = name === 'plonk' ? fflonk : plonk
        await expect(other.openProver(fixture.files)).rejects.toThrow('another system')
        const none = { ...fixture.files, zkey: new Uint8Array(3) }
        await expect(system.openProver(none)).rejects.toThrow('no proving key')
      })

      test('has no key when there are too few powers of tau', async () => {
        const { r1cs } = await compileCircuit('larger')
        await expect(makeUniversalKey(name, { r1cs, ptau: new Uint8Array(40) })).rejects.toBeInstanceOf(
          UniversalProverError,
        )
      })
    })
  })
}
