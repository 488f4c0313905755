/** Proofs of a circuit from its inputs: the witness by what circom made of the circuit, the proof by its key. */
import { ProvingKeyError, parseProvingKey } from '../groth16/provingKey.ts'
import type { ProvingFiles, SystemProver } from '../system.ts'
import { openProver } from './prover.ts'
import { openWitnessGenerator, readWire } from './witness.ts'

export interface CircuitProver extends SystemProver {
  readonly signalCount: number
}

export async function openCircuitProver({ zkey, wasm }: ProvingFiles): Promise<CircuitProver> {
  const key = parseProvingKey(zkey)
  const [generator, prover] = await Promise.all([openWitnessGenerator(wasm), openProver(key)])
  if (generator.wireCount !== key.wireCount)
    throw new ProvingKeyError(`the key has ${key.wireCount} wires, and the generator ${generator.wireCount}`)
  const { signalCount } = key
  return {
    signalCount,
    async prove(inputs) {
      const witness = await generator.generate(inputs)
      // After the wire that is always one.
      const signals = Array.from({ length: signalCount }, (_, index) => readWire(witness, index + 1))
      return { proof: prover.prove(witness), signals }
    },
  }
}
