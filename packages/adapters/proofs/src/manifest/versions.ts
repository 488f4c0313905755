/** Which key of a manifest is used for what, and which is refused. Rotating keys is a change of statuses here and of nothing else. */
import type { MadeProofKind } from '@shardy/protocol'
import { type Outcome, refuse } from '../refusal.ts'
import type { KeyVersion, Manifest } from './manifest.ts'

/** What a new delivery is proven with; undefined where no version of the kind is active. */
export function activeVersion({ versions }: Manifest, kind: MadeProofKind): KeyVersion | undefined {
  return versions.find((each) => each.kind === kind && each.status === 'active')
}

/** The version that a proof names, when proofs of it are still taken. */
export function acceptedVersion(
  { versions }: Manifest,
  kind: MadeProofKind,
  verifierVersion: number,
): Outcome<KeyVersion> {
  const found = versions.find((each) => each.verifierVersion === verifierVersion)
  if (found === undefined) {
    const known = versions.map((each) => each.verifierVersion).join(', ') || 'none'
    return refuse('unknownVersion', `no key has version ${verifierVersion}; known are ${known}`)
  }
  if (found.kind !== kind)
    return refuse('wrongKind', `version ${verifierVersion} is of kind ${found.kind}, asked for was ${kind}`)
  if (found.status === 'retired')
    return refuse('retiredVersion', `version ${verifierVersion} was retired: its proofs are no longer taken`)
  return { ok: true, value: found }
}
