/** Admission of a worker (spec W10–W14): the challenge sent, the hello that must answer it, and what is refused. */
import {
  type Challenge,
  type Hello,
  helloPayload,
  type OrchestratorId,
  type PublicKey,
  protocolVersion,
  type RefusalCode,
  type Sha256,
  type Signature,
  type TimeMs,
  type WorkerId,
  workerIdOf,
} from '@shardy/protocol'

export interface Admitted {
  readonly workerId: WorkerId
  readonly hello: Hello
}

export interface Refused {
  readonly code: RefusalCode
  readonly message: string
}

export function makeChallenge(nonce: string, publicKey: PublicKey, timeMs: TimeMs): Challenge {
  return { versionMin: protocolVersion, versionMax: protocolVersion, nonce, publicKey, timeMs }
}

export type Verify = (publicKey: PublicKey, payload: Uint8Array, signature: Signature) => Promise<boolean>

/** A hello signed over any other nonce, or for another orchestrator, does not verify here. */
export async function admit(
  hello: Hello,
  challenge: Challenge,
  orchestratorId: OrchestratorId,
  { verify, sha256 }: { readonly verify: Verify; readonly sha256: Sha256 },
): Promise<Admitted | Refused> {
  if (hello.version < challenge.versionMin || hello.version > challenge.versionMax) {
    return {
      code: 'unsupportedVersion',
      message: `version ${hello.version}; spoken here: ${challenge.versionMin} to ${challenge.versionMax}`,
    }
  }
  const payload = helloPayload(hello, challenge.nonce, orchestratorId)
  if (!(await verify(hello.publicKey, payload, hello.signature))) {
    return {
      code: 'badSignature',
      message: 'the hello is not signed by its key over this nonce and this orchestrator',
    }
  }
  return { workerId: workerIdOf(hello.publicKey, sha256), hello }
}
