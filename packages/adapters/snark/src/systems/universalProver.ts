/** Keys and proofs of PLONK and FFLONK by snarkjs. A key needs powers of tau and no ceremony of its own. */
import { type ProvingFiles, type PublicSignals, type SystemProver, signalsFromJson } from '@shardy/proofs'
import { ByteReader } from '../ceremony/bytes.ts'
import { readContainer } from '../ceremony/container.ts'
import { listen, withSnarkjs } from '../snarkjs.ts'
import type { MemoryFile } from '../snarkjsTypes.ts'
import { type ProofForm, proofFromJson, type UniversalName } from './proofForm.ts'

/** How a .zkey names its system. */
const protocolIds = { plonk: 2, fflonk: 10 } as const

/** A key or a circuit that cannot be used, or inputs for which nothing can be proved. */
export class UniversalProverError extends Error {
  override readonly name = 'UniversalProverError'
}

export interface UniversalKeyFiles {
  readonly zkey: Uint8Array
  /** As snarkjs exports it. */
  readonly vkey: Readonly<Record<string, unknown>>
}

export async function makeUniversalKey(
  name: UniversalName,
  { r1cs, ptau }: { readonly r1cs: Uint8Array; readonly ptau: Uint8Array },
): Promise<UniversalKeyFiles> {
  return withSnarkjs(async (snarkjs) => {
    const to: MemoryFile = { type: 'mem' }
    const logger = listen('making a key', () => {})
    const result = await snarkjs[name].setup(r1cs, ptau, to, logger).catch((cause: unknown) => {
      throw new UniversalProverError(`no ${name} key can be made: ${cause}`, { cause })
    })
    if (result === -1 || to.data === undefined)
      throw new UniversalProverError(`no ${name} key can be made: ${logger.complaints.join('; ')}`)
    const vkey = await snarkjs.zKey.exportVerificationKey(to.data, logger)
    return { zkey: to.data, vkey }
  })
}

export async function openUniversalProver(
  name: UniversalName,
  form: ProofForm,
  { zkey, wasm }: ProvingFiles,
): Promise<SystemProver> {
  refuseOtherKey(name, zkey)
  return {
    async prove(inputs) {
      return withSnarkjs(async (snarkjs) => {
        const witness: MemoryFile = { type: 'mem' }
        await snarkjs.wtns.calculate(inputs, wasm, witness).catch((cause: unknown) => {
          throw new UniversalProverError(`no witness for these inputs: ${cause}`, { cause })
        })
        if (witness.data === undefined) throw new UniversalProverError('no witness was written')
        const { proof, publicSignals } = await snarkjs[name].prove(
          zkey,
          witness.data,
          listen('proving', () => {}),
        )
        const bytes = proofFromJson(form, proof)
        if (!bytes.ok)
          throw new UniversalProverError(`snarkjs made no ${name} proof: ${bytes.refusal.detail}`)
        return { proof: bytes.value, signals: signalsOf(publicSignals) }
      })
    },
  }
}

function signalsOf(json: readonly string[]): PublicSignals {
  const signals = signalsFromJson(json)
  if (!signals.ok) throw new UniversalProverError(`snarkjs made no public signals: ${signals.refusal.detail}`)
  return signals.value
}

function refuseOtherKey(name: UniversalName, zkey: Uint8Array): void {
  const container = readContainer(zkey, 'zkey')
  if (!container.ok) throw new UniversalProverError(`this is no proving key: ${container.detail}`)
  const header = container.sections.get(1)
  if (header?.length !== 4 || new ByteReader(header).u32() !== protocolIds[name])
    throw new UniversalProverError(`this is a key of another system than ${name}`)
}
