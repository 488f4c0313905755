/** What dispatch knows of a worker that has joined: its own word where nothing is measured, and what was measured. */
import type { Likeness, Measurement, Reason } from '@shardy/admission'
import type { Profile } from '@shardy/dispatch'
import { encodeFrame, type Hello, messageLengthMax, type ProfileV2 } from '@shardy/protocol'

export interface Measured {
  readonly tier: number
  readonly operationsPerSecond: number
  readonly memoryBytes: number
  readonly latencyMs: number
}

/** The same for a person, with where it comes from. */
export interface MeasuredFacts {
  readonly chain: 'product' | 'lite'
  readonly tier: number
  readonly operationsPerSecond: number
  /** Alone; more than what counts where it was far slower together with others. */
  readonly soloOperationsPerSecond: number
  readonly stableBytes: number
  readonly roundTripMs: number
  readonly measuredAtMs: number
  readonly reason: Reason
}

/** A worker that never measured its hidden tab is taken to be as slow as browsers make them. */
const hiddenPermilleUnknown = 300

export function profileOf(hello: Hello, said: ProfileV2, measured: Measured): Profile {
  const { payloadBytesMax, slots, prefetch, features, hardwareClass, region, operator, askMicroCredit } = said
  return {
    kinds: hello.kinds,
    tier: measured.tier,
    operationsPerSecond: measured.operationsPerSecond,
    hiddenPermille: said.hiddenPermille === 0 ? hiddenPermilleUnknown : said.hiddenPermille,
    operator,
    hardwareClass,
    features,
    region,
    latencyMs: measured.latencyMs,
    payloadBytesMax,
    memoryBytes: measured.memoryBytes,
    slots,
    prefetch,
    askMicroCredit,
  }
}

/** Of a worker that nobody measures. */
export function believed({ operationsPerSecond, memoryBytes }: ProfileV2): Measured {
  return { tier: 1, operationsPerSecond, memoryBytes, latencyMs: 0 }
}

/** No more memory than it says that it has, and no more than it says that it tried. */
export function measuredProfile(said: ProfileV2, measurement: Measurement): Measured {
  const { tier, operationsPerSecond, stableBytes, roundTripMs } = measurement
  const memoryBytes = said.memoryBytes === 0 ? stableBytes : Math.min(said.memoryBytes, stableBytes)
  return { tier, operationsPerSecond, memoryBytes, latencyMs: roundTripMs }
}

export function measuredOf(measurement: Measurement): MeasuredFacts {
  const { shared: _, ...facts } = measurement
  return facts
}

/** By what rounds are put together, the strongest first. Whoever runs no programs computes the lite chain. */
export function likenessOf(
  { kinds, executor }: Hello,
  { hardwareClass }: ProfileV2,
  address: string,
): Likeness {
  const isLite = !kinds.some((kind) => kind === 'program' || kind === 'shader')
  return {
    chain: isLite ? 'lite' : 'product',
    device: executor === 'webgpu' ? 'gpu' : 'cpu',
    groups: [`address ${address}`, ...(hardwareClass === '' ? [] : [`class ${hardwareClass}`])],
  }
}

/** For a person: what was measured, of what, and why it may be less than last time. */
export function admittedFrame(measurement: Measurement): Uint8Array {
  const { chain, tier, operationsPerSecond, shared } = measurement
  const what = chain === 'lite' ? 'byte steps of lite' : 'int8 multiply-adds'
  const together =
    shared === undefined ? '' : `, as slow as when asked together with ${shared.with.size} other workers`
  const message = `tier ${tier}: ${(operationsPerSecond / 1e9).toFixed(3)} billion ${what} a second${together}`
  return encodeFrame('admitted', { tier, operationsPerSecond, message: message.slice(0, messageLengthMax) })
}
