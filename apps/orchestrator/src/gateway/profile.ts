/** What dispatch knows of a worker that has joined: its own word where nothing is measured, and what was measured. */
import type { Profile } from '@shardy/dispatch'
import type { Hello, ProfileV2 } from '@shardy/protocol'

export interface Measured {
  readonly tier: number
  readonly operationsPerSecond: number
  readonly memoryBytes: number
  readonly latencyMs: number
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
