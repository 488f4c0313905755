/**
 * PLONK or FFLONK behind the interface that all proof systems share. snarkjs decides whether a proof is true; whether it is
 * one at all (lengths, counts, canonical numbers, points on the curve) is decided before it sees any of it.
 */
import {
  accepted,
  type Outcome,
  type ProofSystem,
  type PublicSignals,
  refuse,
  refuseSignals,
  type Statement,
  type SystemVerifier,
  signalsToJson,
  type Verdict,
} from '@shardy/proofs'
import { listen, withSnarkjs } from '../snarkjs.ts'
import {
  isOnCurve,
  type ProofForm,
  type ProofParts,
  proofFromJson,
  proofToJson,
  readProof,
  type UniversalName,
} from './proofForm.ts'
import { type KeyForm, parseUniversalKey, refuseSecretPoint, type UniversalKey } from './universalKey.ts'
import { openUniversalProver } from './universalProver.ts'

export interface UniversalForm {
  readonly name: UniversalName
  readonly proof: ProofForm
  readonly key: KeyForm
  /** What else must hold between the parts of a proof. */
  readonly isConsistent?: (key: UniversalKey, signals: PublicSignals, parts: ProofParts) => boolean
}

export function universalSystem(form: UniversalForm): ProofSystem<UniversalKey> {
  return {
    name: form.name,
    proofLength: form.proof.proofLength,
    parseKey: (json) => parseUniversalKey(form.key, json),
    openVerifier: (key) => openVerifier(form, key),
    openProver: (files) => openUniversalProver(form.name, form.proof, files),
    proofFromJson: (json) => proofFromJson(form.proof, json),
    proofToJson: (proof) => proofToJson(form.proof, proof),
  }
}

async function openVerifier(form: UniversalForm, key: UniversalKey): Promise<Outcome<SystemVerifier>> {
  const refused = await refuseSecretPoint(key)
  if (refused !== undefined) return refused

  async function verify(proof: Uint8Array, signals: PublicSignals): Promise<Verdict> {
    const wrongSignals = refuseSignals(signals, key.signalCount)
    if (wrongSignals !== undefined) return wrongSignals
    const parts = readProof(form.proof, proof)
    if (!parts.ok) return parts
    for (const [path, point] of parts.value.points)
      if (!isOnCurve(point)) return refuse('offCurve', `${path} is not on the curve`)
    const json = proofToJson(form.proof, proof)
    if (!json.ok) return json
    const isTrue =
      (form.isConsistent?.(key, signals, parts.value) ?? true) &&
      (await withSnarkjs((snarkjs) =>
        snarkjs[form.name].verify(
          key.json,
          signalsToJson(signals),
          json.value,
          listen('verifying', () => {}),
        ),
      ))
    return isTrue ? accepted : refuse('false', 'the proof does not hold for these signals')
  }

  return {
    ok: true,
    value: {
      system: form.name,
      signalCount: key.signalCount,
      verify,
      /** One after the other: nothing is saved by verifying them together. */
      async verifyBatch(items: readonly Statement[]) {
        const verdicts: Verdict[] = []
        for (const { proof, signals } of items) verdicts.push(await verify(proof, signals))
        return verdicts
      },
    },
  }
}
