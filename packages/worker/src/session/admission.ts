/** The handshake (spec W10–W14): challenge → hello → welcome, or a refusal that says why. */
import {
  type Challenge,
  type Hello,
  helloPayload,
  negotiateVersion,
  orchestratorIdOf,
  type RefusalCode,
  type RefusalFrame,
  type Welcome,
} from '@shardy/protocol'
import { heartbeatMsMax, heartbeatMsMin } from './bounds.ts'
import { lose, stop } from './connection.ts'
import type { InputOf } from './input.ts'
import { presenceOf } from './presence.ts'
import type { Connection } from './state.ts'
import { change, report, send, sendOn, type Turn } from './turn.ts'

type ConnectionOf<Kind extends Connection['kind']> = Extract<Connection, { readonly kind: Kind }>

export function challenged(turn: Turn, connection: ConnectionOf<'opened'>, challenge: Challenge): void {
  const { rules } = turn
  const { versionMin, versionMax, publicKey, nonce, timeMs } = challenge
  const version = negotiateVersion(challenge)
  if (version === undefined) return stop(turn, { kind: 'unsupportedVersion', versionMin, versionMax })
  const id = orchestratorIdOf(publicKey, rules.sha256)
  const hello: Omit<Hello, 'signature'> = {
    version,
    publicKey: rules.publicKey,
    agent: rules.agent,
    kinds: rules.kinds,
    executor: rules.executor,
    adapter: rules.adapter,
  }
  const orchestrator = { publicKey, id, clockOffsetMs: timeMs - turn.nowMs }
  change(turn, { connection: { ...connection, kind: 'challenged', orchestrator, hello } })
  turn.effects.push({
    kind: 'signHello',
    connection: connection.number,
    payload: helloPayload(hello, nonce, id),
  })
}

export function helloSigned(turn: Turn, { signature }: InputOf<'helloSigned'>): void {
  const { connection } = turn.state
  if (connection.kind !== 'challenged') return
  const { number, giveUpAtMs, orchestrator, hello } = connection
  change(turn, { connection: { kind: 'helloSent', number, giveUpAtMs, orchestrator } })
  sendOn(turn, number, 'hello', { ...hello, signature })
}

export function helloUnsigned(turn: Turn, { text }: InputOf<'helloUnsigned'>): void {
  if (turn.state.connection.kind === 'challenged') stop(turn, { kind: 'signingFailed', text })
}

export function welcomed(turn: Turn, connection: ConnectionOf<'helloSent'>, welcome: Welcome): void {
  const { rules, nowMs } = turn
  const { sessionId, heartbeatMs } = welcome
  if (heartbeatMs < heartbeatMsMin || heartbeatMs > heartbeatMsMax) {
    return lose(turn, { kind: 'unusableHeartbeat', heartbeatMs })
  }
  const payloadBytesMax = Math.min(rules.payloadBytesMax, welcome.payloadBytesMax)
  const { number, orchestrator } = connection
  change(turn, {
    connection: {
      kind: 'admitted',
      number,
      orchestrator,
      sessionId,
      heartbeatMs,
      payloadBytesMax,
      sequence: 0,
      nextHeartbeatAtMs: nowMs + heartbeatMs,
      heardAtMs: nowMs,
      receiving: undefined,
      sendingUntilMs: 0,
    },
  })
  report(turn, { kind: 'admitted', sessionId, orchestratorId: orchestrator.id })
  const { operationsPerSecond, slots, offer } = rules
  send(turn, 'profileV2', { operationsPerSecond, payloadBytesMax, slots, ...offer })
  send(turn, 'presence', { state: presenceOf(turn.state) })
}

/** Trying again would be refused again. */
const fatal: ReadonlySet<RefusalCode> = new Set(['unsupportedVersion', 'badSignature', 'identityInUse'])

export function refused(turn: Turn, { code, message: text }: RefusalFrame): void {
  // After a broken line the orchestrator may hold on to our old session for some heartbeats: that is not a rival. In
  // an admitted session it is one: whoever comes later with the same identity takes its place.
  const { connection, ghostUntilMs } = turn.state
  const ghost = code === 'identityInUse' && connection.kind !== 'admitted' && turn.nowMs < ghostUntilMs
  if (fatal.has(code) && !ghost) stop(turn, { kind: 'refused', code, text })
  else lose(turn, { kind: 'refused', code, text })
}
