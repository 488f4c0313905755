/**
 * What every proof system must do, run on each of them. A fixture brings true statements of one key and the key of another statement with
 * as many signals. Whatever is wrong is refused by name, alone and in a batch, and nothing throws.
 */
import { beforeAll, describe, expect, test } from 'bun:test'
import { fieldOrder } from './bn254/orders.ts'
import type { RefusalCode, Verdict } from './refusal.ts'
import type {
  CircuitInputs,
  ProofSystem,
  ProvingFiles,
  PublicSignals,
  Statement,
  SystemVerifier,
} from './system.ts'

export interface ProofSystemFixture<Key> {
  readonly system: ProofSystem<Key>
  /** As snarkjs exports it, parsed. */
  readonly key: unknown
  /** For the same number of signals; the statements do not hold under it. */
  readonly otherKey: unknown
  /** At least four, all true under `key`, with different signals, and what makes the prover prove them. */
  readonly statements: readonly {
    readonly json: unknown
    readonly signals: PublicSignals
    readonly inputs: CircuitInputs
  }[]
  /** Of `key`. */
  readonly files: ProvingFiles
}

export function proofSystemConformance<Key>(open: () => Promise<ProofSystemFixture<Key>>): void {
  let fixture: ProofSystemFixture<Key>
  let verifier: SystemVerifier
  let statements: readonly Statement[]

  beforeAll(async () => {
    fixture = await open()
    verifier = await openOn(fixture.system, fixture.key)
    statements = fixture.statements.map(({ json, signals }) => {
      const proof = fixture.system.proofFromJson(json)
      if (!proof.ok) throw new Error(proof.refusal.detail)
      return { proof: proof.value, signals }
    })
    if (statements.length < 4) throw new Error('a fixture needs four true statements')
  })

  const codeOf = (verdict: Verdict | undefined): RefusalCode | 'ok' | undefined =>
    verdict === undefined ? undefined : verdict.ok ? 'ok' : verdict.refusal.code

  async function expectEverywhere(item: Statement, codes: readonly (RefusalCode | 'ok')[]): Promise<void> {
    expect(codes).toContain(codeOf(await verifier.verify(item.proof, item.signals)) as RefusalCode)
    const [first, second] = statements as [Statement, Statement]
    const verdicts = await verifier.verifyBatch([first, item, second])
    expect(verdicts).toHaveLength(3)
    expect(codeOf(verdicts[0])).toBe('ok')
    expect(codes).toContain(codeOf(verdicts[1]) as RefusalCode)
    expect(codeOf(verdicts[2])).toBe('ok')
  }

  describe('what is true', () => {
    test('is accepted alone', async () => {
      for (const { proof, signals } of statements)
        expect(await verifier.verify(proof, signals)).toEqual({ ok: true })
    })

    test('is accepted together, and an empty batch has no verdicts', async () => {
      expect(await verifier.verifyBatch(statements)).toEqual(statements.map(() => ({ ok: true })))
      expect(await verifier.verifyBatch([])).toEqual([])
    })

    test('may stand in a batch twice', async () => {
      const [first] = statements as [Statement]
      expect(await verifier.verifyBatch([first, first])).toEqual([{ ok: true }, { ok: true }])
    })

    test('keeps its form from JSON to bytes and back', () => {
      for (const [index, { proof }] of statements.entries()) {
        expect(proof).toHaveLength(fixture.system.proofLength)
        const json = fixture.system.proofToJson(proof)
        expect(json).toEqual({ ok: true, value: fixture.statements[index]?.json } as never)
      }
    })
  })

  describe('what is proven', () => {
    test('is true, and another time the same with other bytes', async () => {
      const prover = await fixture.system.openProver(fixture.files)
      const [{ signals, inputs }] = fixture.statements as [(typeof fixture.statements)[0]]
      const [first, second] = [await prover.prove(inputs), await prover.prove(inputs)]
      expect(first.signals).toEqual(signals)
      expect(first.proof).not.toEqual(second.proof)
      expect(await verifier.verifyBatch([first, second])).toEqual([{ ok: true }, { ok: true }])
    })

    test('is nothing for which there is no witness', async () => {
      const prover = await fixture.system.openProver(fixture.files)
      const [{ inputs }, other] = fixture.statements as typeof fixture.statements &
        [{ inputs: CircuitInputs }]
      for (const name of Object.keys(inputs)) {
        const wrong = { ...inputs, [name]: other?.inputs[name] as bigint }
        await expect(prover.prove(wrong)).rejects.toThrow()
      }
    })

    test('needs a key and a circuit that belong together', async () => {
      const { zkey, wasm } = fixture.files
      for (const files of [
        { zkey: zkey.slice(0, 40), wasm },
        { zkey: new Uint8Array(0), wasm },
      ]) {
        await expect(fixture.system.openProver(files)).rejects.toThrow()
      }
    })
  })

  describe('what is false', () => {
    test('is refused: every signal of another statement', async () => {
      const [first, second] = statements as [Statement, Statement]
      for (let index = 0; index < verifier.signalCount; index++) {
        const own = first.signals[index] as bigint
        const other = second.signals[index] as bigint
        const changed = other === own ? (own + 1n) % fieldOrder : other
        await expectEverywhere({ proof: first.proof, signals: first.signals.with(index, changed) }, ['false'])
      }
    })

    test('is refused: the proof of another statement', async () => {
      const [first, second] = statements as [Statement, Statement]
      await expectEverywhere({ proof: second.proof, signals: first.signals }, ['false'])
    })

    test('is refused: the proof under another key', async () => {
      const other = await openOn(fixture.system, fixture.otherKey)
      const [{ proof, signals }] = statements as [Statement]
      expect(codeOf(await other.verify(proof, signals))).toBe('false')
    })

    test('is named in a batch, wherever and however often it stands there', async () => {
      const [first, second, third] = statements as [Statement, Statement, Statement]
      const bad = { proof: first.proof, signals: second.signals }
      for (const pattern of ['x', 'xx', 'x..', '..x', '.x.x.', 'xxx.', '....x']) {
        const items = [...pattern].map((mark, index) =>
          mark === 'x' ? bad : index % 2 === 0 ? second : third,
        )
        const verdicts = await verifier.verifyBatch(items)
        expect(verdicts.map((verdict) => (verdict.ok ? '.' : 'x')).join('')).toBe(pattern)
      }
    })
  })

  describe('what is malformed', () => {
    test('is refused: a proof that is short, long or empty', async () => {
      const [{ proof, signals }] = statements as [Statement]
      for (const length of [0, 1, 31, 32, proof.length - 32, proof.length - 1])
        await expectEverywhere({ proof: proof.slice(0, length), signals }, ['malformed'])
      for (const more of [1, 32, 100_000]) {
        const long = new Uint8Array(proof.length + more)
        long.set(proof)
        await expectEverywhere({ proof: long, signals }, ['malformed'])
      }
    })

    test('is refused: too few signals, too many, or none', async () => {
      const [{ proof, signals }] = statements as [Statement]
      for (const wrong of [
        [],
        signals.slice(1),
        signals.slice(0, -1),
        [...signals, 0n],
        [...signals, ...signals],
      ])
        await expectEverywhere({ proof, signals: wrong }, ['signalCount'])
    })

    test('is refused: signals outside the field, equal modulo its order or not', async () => {
      const [{ proof, signals }] = statements as [Statement]
      for (let index = 0; index < signals.length; index++)
        for (const wrong of [
          (signals[index] as bigint) + fieldOrder,
          fieldOrder,
          -1n,
          2n ** 256n,
          1n << 100_000n,
        ])
          await expectEverywhere({ proof, signals: signals.with(index, wrong) }, ['nonCanonical'])
    })

    test('is refused: any bit of a proof changed, by some name', async () => {
      const [{ proof, signals }] = statements as [Statement]
      for (let bit = 0; bit < 8 * proof.length; bit += 61) {
        const changed = proof.slice()
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(codeOf(await verifier.verify(changed, signals))).not.toBe('ok')
      }
    })

    test('is refused: JSON that is no proof', () => {
      const { system } = fixture
      const json = fixture.statements[0]?.json as Readonly<Record<string, unknown>>
      for (const wrong of [null, undefined, 1, '', 'proof', [], {}, [json]])
        expect(codeOf(system.proofFromJson(wrong))).not.toBe('ok')
      for (const field of Object.keys(json)) {
        const { [field]: _, ...rest } = json
        expect(codeOf(system.proofFromJson(rest))).not.toBe('ok')
        for (const wrong of [null, 1, '', 'x', [], ['1'], {}])
          expect(codeOf(system.proofFromJson({ ...json, [field]: wrong }))).not.toBe('ok')
      }
      expect(codeOf(system.proofFromJson({ ...json, more: '1' }))).toBe('malformed')
      expect(codeOf(system.proofFromJson({ ...json, protocol: 'stark' }))).toBe('wrongSystem')
      expect(codeOf(system.proofFromJson({ ...json, curve: 'bls12381' }))).toBe('wrongCurve')
    })

    test('is refused: a key that is none, or of another system or curve', async () => {
      const { system } = fixture
      const key = fixture.key as Readonly<Record<string, unknown>>
      for (const wrong of [null, 1, 'key', [], {}])
        expect(codeOf(await system.parseKey(wrong))).not.toBe('ok')
      expect(codeOf(await system.parseKey({ ...key, protocol: 'stark' }))).toBe('wrongSystem')
      expect(codeOf(await system.parseKey({ ...key, curve: 'bls12381' }))).toBe('wrongCurve')
    })
  })
}

async function openOn<Key>(system: ProofSystem<Key>, json: unknown): Promise<SystemVerifier> {
  const key = await system.parseKey(json)
  if (!key.ok) throw new Error(key.refusal.detail)
  const verifier = await system.openVerifier(key.value)
  if (!verifier.ok) throw new Error(verifier.refusal.detail)
  return verifier.value
}
