/**
 * Signs the orchestrator's statements. Statements that arrive while a signature is being made share the next one
 * (spec S4), so signing costs one signature per turn of the event loop however many deliveries go out.
 */
import {
  type Attestation,
  batchStatements,
  type Sha256,
  type Signature,
  type Statement,
  statementsPerBatchMax,
} from '@shardy/protocol'

export interface Signer {
  attest(statement: Statement): Promise<Attestation>
}

interface Waiting {
  readonly statement: Statement
  readonly resolve: (attestation: Attestation) => void
  readonly reject: (error: unknown) => void
}

export function createSigner(sign: (payload: Uint8Array) => Promise<Signature>, sha256: Sha256): Signer {
  let waiting: Waiting[] = []
  let signing = false

  async function work(): Promise<void> {
    signing = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, statementsPerBatchMax)
      waiting = waiting.slice(batch.length)
      try {
        const { payload, attest } = batchStatements(
          batch.map(({ statement }) => statement),
          sha256,
        )
        const attestations = attest(await sign(payload))
        batch.forEach(({ resolve }, index) => {
          resolve(attestations[index] as Attestation)
        })
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    signing = false
  }

  return {
    attest: (statement) =>
      new Promise((resolve, reject) => {
        waiting.push({ statement, resolve, reject })
        // A microtask later, so that the statements of one turn are signed together.
        if (!signing) {
          signing = true
          queueMicrotask(() => void work())
        }
      }),
  }
}
