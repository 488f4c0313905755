/**
 * Runs the witness generator that circom writes as WebAssembly: signals in by the hash of their names, 32-bit words through a shared
 * element, all wires out. Each run is a new instance, since a generator keeps what it was given.
 */
import { elementLength } from '../bn254/bytes.ts'
import { fieldOrder } from '../bn254/orders.ts'
import type { CircuitInputs } from '../system.ts'

/** The generator is no generator of this field, or refused its inputs: a constraint does not hold for them. */
export class WitnessError extends Error {
  override readonly name = 'WitnessError'
}

export interface WitnessGenerator {
  readonly wireCount: number
  /** 32 bytes for each wire, the little end first. */
  generate(inputs: CircuitInputs): Promise<Uint8Array>
}

interface Exports {
  init(isChecked: number): void
  getVersion(): number
  getFieldNumLen32(): number
  getRawPrime(): void
  getWitnessSize(): number
  getInputSize(): number
  getInputSignalSize(hashHigh: number, hashLow: number): number
  setInputSignal(hashHigh: number, hashLow: number, position: number): void
  readSharedRWMemory(word: number): number
  writeSharedRWMemory(word: number, value: number): void
  getWitness(wire: number): void
}

const words = elementLength / 4
/** What the generator's exceptions are called in circom's own words. */
const exceptions: Readonly<Record<number, string>> = {
  1: 'signal not found',
  2: 'too many signals set',
  3: 'signal already set',
  4: 'a constraint does not hold',
  5: 'not enough memory',
  6: 'input signal array access exceeds the size',
}

export async function openWitnessGenerator(wasm: Uint8Array): Promise<WitnessGenerator> {
  const module = await WebAssembly.compile(new Uint8Array(wasm))
  const probe = await instantiate(module)
  probe.getRawPrime()
  if (probe.getVersion() !== 2 || probe.getFieldNumLen32() !== words || readShared(probe) !== fieldOrder)
    throw new WitnessError('the generator is not one of circom 2 over the scalar field of BN254')
  const wireCount = probe.getWitnessSize()
  const inputCount = probe.getInputSize()

  return {
    wireCount,
    async generate(inputs) {
      const instance = await instantiate(module)
      instance.init(0)
      let set = 0
      for (const [name, value] of Object.entries(inputs)) {
        const list = typeof value === 'bigint' ? [value] : value
        const [high, low] = hashOf(name)
        if (instance.getInputSignalSize(high, low) !== list.length)
          throw new WitnessError(
            `the circuit takes another number of entries for ${name} than ${list.length}`,
          )
        for (const [position, entry] of list.entries()) {
          writeShared(instance, entry < 0n ? entry + fieldOrder : entry)
          instance.setInputSignal(high, low, position)
          set++
        }
      }
      if (set !== inputCount)
        throw new WitnessError(`the circuit takes ${inputCount} inputs, and ${set} were given`)
      const witness = new Uint32Array(wireCount * words)
      for (let wire = 0; wire < wireCount; wire++) {
        instance.getWitness(wire)
        for (let word = 0; word < words; word++)
          witness[wire * words + word] = instance.readSharedRWMemory(word)
      }
      return new Uint8Array(witness.buffer)
    },
  }
}

export function readWire(witness: Uint8Array, wire: number): bigint {
  let value = 0n
  for (let at = elementLength - 1; at >= 0; at--)
    value = (value << 8n) | BigInt(witness[wire * elementLength + at] ?? 0)
  return value
}

async function instantiate(module: WebAssembly.Module): Promise<Exports> {
  const ignore = (): void => {}
  const instance = await WebAssembly.instantiate(module, {
    runtime: {
      exceptionHandler(code: number) {
        throw new WitnessError(`the witness generator stopped: ${exceptions[code] ?? `exception ${code}`}`)
      },
      printErrorMessage: ignore,
      writeBufferMessage: ignore,
      showSharedRWMemory: ignore,
    },
  })
  return instance.exports as unknown as Exports
}

function readShared(instance: Exports): bigint {
  let value = 0n
  for (let word = words - 1; word >= 0; word--)
    value = (value << 32n) | BigInt(instance.readSharedRWMemory(word) >>> 0)
  return value
}

function writeShared(instance: Exports, value: bigint): void {
  if (value >> 32n === 0n) {
    instance.writeSharedRWMemory(0, Number(value))
    for (let word = 1; word < words; word++) instance.writeSharedRWMemory(word, 0)
    return
  }
  let rest = value
  for (let word = 0; word < words; word++) {
    instance.writeSharedRWMemory(word, Number(rest & 0xffff_ffffn))
    rest >>= 32n
  }
}

/** FNV-1a of 64 bits, in halves. */
function hashOf(name: string): readonly [high: number, low: number] {
  let hash = 0xcbf2_9ce4_8422_2325n
  for (const byte of new TextEncoder().encode(name))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n)
  return [Number(hash >> 32n), Number(hash & 0xffff_ffffn)]
}
