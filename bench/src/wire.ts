/**
 * How fast the meta frame of a delivery is written and read on one core: with our codec, whose reading includes every
 * limit and the check for the one accepted encoding, and with protobufjs on the same message in the same run.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  type Delivery,
  type DeliveryId,
  type Digest,
  decodeFrame,
  delivery,
  encodeFrame,
  type Signature,
  type TaskId,
} from '@shardy/protocol'
import protobuf from 'protobufjs'
import type { Goals, Measured, Progress } from './run.ts'

export const goals: Goals = {
  encodePerSecond: { atLeast: 1_000_000 },
  decodePerSecond: { atLeast: 600_000 },
}

const rounds = 7
const roundMs = 250
const batch = 1_000

/** A matrix product for one of two workers, attested alone. */
const sample: Delivery = {
  taskId: '01234567'.repeat(4) as TaskId,
  deliveryId: '89abcdef'.repeat(4) as DeliveryId,
  kind: 'program',
  program: Uint8Array.from([8, 1, 18, 9, 8, 128, 8, 16, 128, 8, 24, 128, 8]),
  seed: 0x0123456789abcdefn,
  complexity: 2 ** 30,
  payloadLength: 2 * 2 ** 20,
  payloadDigest: 'fedcba9876543210'.repeat(4) as Digest,
  deadlineMs: 1_800_000_030_000 as Delivery['deadlineMs'],
  proof: { kind: 'v2', verifierVersion: 2 },
  commitFirst: true,
  returnOutput: true,
  returnTranscript: false,
  attestation: { signature: new Uint8Array(64).fill(1) as Signature, index: 0, count: 1, path: [] },
}
/** The same as one of a batch of 16: four more hashes. */
const batched: Delivery = {
  ...sample,
  attestation: {
    ...sample.attestation,
    index: 5,
    count: 16,
    path: ['11', '22', '33', '44'].map((byte) => byte.repeat(32)),
  },
}

interface Contest {
  readonly name: string
  readonly operate: () => unknown
}

export async function run({ progress }: { readonly progress: Progress }): Promise<Measured> {
  const contests = [...ours('', sample), ...ours('Batched', batched), ...theirs()]
  const perSecond = new Map<string, number[]>(contests.map(({ name }) => [name, []]))
  // Round by round rather than one after the other, so that a busy moment of the machine hits all of them.
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    for (const { name, operate } of contests) {
      const measured = measure(operate)
      if (round > 0) perSecond.get(name)?.push(measured)
    }
  }
  const medians = [...perSecond].map(([name, values]) => [name, Math.round(median(values))] as const)
  const isPeer = ([name]: readonly [string, number]) => name.startsWith('protobufjs')
  return {
    figures: Object.fromEntries([
      ...medians.filter((entry) => !isPeer(entry)),
      ['frameBytes', encodeFrame('delivery', sample).length],
      ['batchedFrameBytes', encodeFrame('delivery', batched).length],
    ]),
    peers: Object.fromEntries(medians.filter(isPeer)),
  }
}

function ours(label: '' | 'Batched', body: Delivery): readonly Contest[] {
  const bytes = encodeFrame('delivery', body)
  const named = (what: string) => (label === '' ? `${what}PerSecond` : `${what}${label}PerSecond`)
  return [
    { name: named('encode'), operate: () => encodeFrame('delivery', body) },
    {
      name: named('decode'),
      operate: () => {
        const decoded = decodeFrame(bytes, 'orchestrator')
        if (!decoded.ok) throw new Error(`the sample was refused: ${decoded.refusal.kind}`)
        return decoded.value
      },
    },
  ]
}

/** What protobufjs does is less: ids stay bytes, no limit is checked, and any encoding is accepted unless compared. */
function theirs(): readonly Contest[] {
  const proto = path.join(import.meta.dir, '../../packages/protocol/proto/shardy.proto')
  const type = protobuf.parse(readFileSync(proto, 'utf8')).root.lookupType('shardy.v1.Delivery')
  const bytes = delivery.encode(sample)
  const value = type.decode(bytes)
  if (!sameBytes(type.encode(value).finish(), bytes)) throw new Error('protobufjs writes other bytes')
  return [
    { name: 'protobufjsEncodePerSecond', operate: () => type.encode(value).finish() },
    { name: 'protobufjsDecodePerSecond', operate: () => type.decode(bytes) },
    {
      name: 'protobufjsDecodeComparedPerSecond',
      operate: () => {
        const decoded = type.decode(bytes)
        if (!sameBytes(type.encode(decoded).finish(), bytes)) throw new Error('not the one encoding')
        return decoded
      },
    },
  ]
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
  return true
}

/** Keeps results alive, so that none of the work can be left out. */
let sink: unknown

/**
 * Operations in a second of one core's time. The process's CPU time is counted rather than the clock, because other
 * programs may have the core meanwhile; it includes the collector's and the compiler's threads, so it never flatters.
 */
function measure(operate: () => unknown): number {
  const startMs = performance.now()
  const start = process.cpuUsage()
  let count = 0
  while (performance.now() - startMs < roundMs) {
    for (let index = 0; index < batch; index++) sink = operate()
    count += batch
  }
  const { user, system } = process.cpuUsage(start)
  if (sink === undefined) throw new Error('the operation gave nothing')
  return (count / (user + system)) * 1_000_000
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
}
