/**
 * Between a worker's handshake and its work (docs/spec/admission.md): carries out what `@shardy/admission` decides. It draws the
 * seeds and the cells, keeps what a worker has committed to until it is judged, and tells the gateway who is in.
 */
import {
  type AdmissionPolicy,
  type ChainPlan,
  type Effect,
  emptyState,
  type Input,
  type Likeness,
  type Measurement,
  nextDueMs,
  type Reason,
  step,
  type Verdict,
} from '@shardy/admission'
import {
  type Benchmark,
  type Cell,
  type ChainSize,
  decodeOpening,
  drawBenchmark,
  drawCells,
  encodeBenchmark,
  nextSize,
  type Opening,
  operationsOf,
  sizePolicies,
} from '@shardy/chain'
import {
  type BenchmarkOpening,
  type BenchmarkRoot,
  type Digest,
  type DurationMs,
  describeRefusal,
  encodeFrame,
  type RefusalCode,
  type Sha256,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { OpeningsJudge } from './openings.ts'

export interface AdmissionParts {
  readonly clock: Clock
  readonly sha256: Sha256
  readonly judge: OpeningsJudge
  readonly log: Log
  random(length: number): Uint8Array
  send(workerId: WorkerId, frame: Uint8Array): void
  refuse(workerId: WorkerId, code: RefusalCode, message: string): void
  /** Gives it nothing new, or something again. Resolves once that is decided. */
  hold(workerId: WorkerId, isHeld: boolean): Promise<void> | undefined
  /** Whether anything is left that was given to it. */
  isComputing(workerId: WorkerId): boolean
  admitted(workerId: WorkerId, measurement: Measurement): void
  /** `askedAtMs`: when it was asked to. */
  remeasured(workerId: WorkerId, measurement: Measurement, askedAtMs: TimeMs): void
}

export type BenchmarkFrame =
  | { readonly type: 'benchmarkRoot'; readonly body: BenchmarkRoot }
  | { readonly type: 'benchmarkOpening'; readonly body: BenchmarkOpening }

export interface Admission {
  arrived(workerId: WorkerId, likeness: Likeness, roundTripMs: number): void
  left(workerId: WorkerId): void
  changed(workerId: WorkerId, likeness: Likeness): void
  wanted(workerId: WorkerId, reason: Extract<Reason, 'drift' | 'quarantine'>): void
  presence(workerId: WorkerId, state: 'available' | 'hidden' | 'paused'): void
  heard(workerId: WorkerId, frame: BenchmarkFrame): void
  /** Those that wait to be measured for the first time, in their order. */
  line(): readonly WorkerId[]
  close(): void
}

interface SizedPlan extends ChainPlan {
  readonly size: ChainSize
}

/** What was asked of a worker, and what of it has come. */
interface Dossier {
  readonly benchmarkId: string
  readonly benchmark: Benchmark
  readonly askedAtMs: TimeMs
  root: Digest | undefined
  drawn: readonly Cell[]
  openedAtMs: number
  roundTripMs: number
  readonly openings: Opening[]
  /** What is wrong with what came, for all to see. */
  flaw: string | undefined
}

/** How often it is looked whether those that are held have finished. */
const lookMs = 20

function planOf(policy: AdmissionPolicy): (likeness: Likeness, rate: number | undefined) => SizedPlan {
  const { targetMs, cpuFirstOperations, gpuFirstOperations, liteFirstOperations } = policy
  const sizes = {
    cpu: { ...sizePolicies.cpu, targetMs, firstOperations: cpuFirstOperations },
    gpu: { ...sizePolicies.gpu, targetMs, firstOperations: gpuFirstOperations },
    lite: { ...sizePolicies.lite, targetMs, firstOperations: liteFirstOperations },
  }
  return ({ chain, device }, rate) => {
    const size = nextSize(rate, chain === 'lite' ? sizes.lite : sizes[device])
    return { chain, operations: operationsOf(size), size }
  }
}

export function createAdmission(policy: AdmissionPolicy, parts: AdmissionParts): Admission {
  const { clock, sha256, log } = parts
  const state = emptyState({ policy, sha256, seed: parts.random(32), plan: planOf(policy) })
  parts.judge.prepare()
  const dossiers = new Map<WorkerId, Dossier>()
  /** Whose remaining work is waited for. */
  const held = new Set<WorkerId>()
  let isClosed = false
  let cancelTimer = (): void => {}
  let cancelLook: (() => void) | undefined

  type Said = Input extends infer Each ? (Each extends Input ? Omit<Each, 'atMs'> : never) : never

  function post(input: Said): void {
    if (isClosed) return
    for (const effect of step(state, { ...input, atMs: clock.nowMs() } as Input)) perform(effect)
    cancelTimer()
    const dueMs = nextDueMs(state)
    if (dueMs === undefined || isClosed) return
    cancelTimer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => post({ kind: 'tick' }))
  }

  function perform(effect: Effect): void {
    if (effect.kind === 'ignored') return log.debug('benchmarkFrameIgnored', { reason: effect.reason })
    const { workerId } = effect
    switch (effect.kind) {
      case 'wait':
        return parts.send(workerId, waitsFrame(effect.position))
      case 'hold':
        return void hold(workerId)
      case 'release':
        held.delete(workerId)
        return void parts.hold(workerId, false)
      case 'ask':
        return ask(effect)
      case 'open':
        return open(effect)
      case 'judge':
        return void judge(workerId, effect.benchmarkId)
      case 'admit':
        dossiers.delete(workerId)
        return parts.admitted(workerId, effect.measurement)
      case 'remeasured': {
        const askedAtMs = dossiers.get(workerId)?.askedAtMs
        if (askedAtMs === undefined) throw new Error('nobody is measured without being asked')
        dossiers.delete(workerId)
        return parts.remeasured(workerId, effect.measurement, askedAtMs)
      }
      case 'refuse':
        forget(workerId)
        log.info('workerNotAdmitted', { workerId, code: effect.code, detail: effect.message })
        return parts.refuse(workerId, effect.code, effect.message)
    }
  }

  function forget(workerId: WorkerId): void {
    dossiers.delete(workerId)
    held.delete(workerId)
  }

  async function hold(workerId: WorkerId): Promise<void> {
    held.add(workerId)
    await parts.hold(workerId, true)
    look()
  }

  function look(): void {
    for (const workerId of [...held]) {
      if (parts.isComputing(workerId)) continue
      held.delete(workerId)
      post({ kind: 'quiet', workerId })
    }
    if (held.size === 0 || isClosed) return
    cancelLook ??= clock.after(lookMs, () => {
      cancelLook = undefined
      look()
    })
  }

  function ask({ workerId, benchmarkId, plan, withinMs }: Extract<Effect, { kind: 'ask' }>): void {
    const benchmark = drawBenchmark(parts.random(32).toHex() as Digest, (plan as SizedPlan).size)
    dossiers.set(workerId, {
      benchmarkId,
      benchmark,
      askedAtMs: clock.nowMs(),
      root: undefined,
      drawn: [],
      openedAtMs: 0,
      roundTripMs: 0,
      openings: [],
      flaw: undefined,
    })
    const parameters = encodeBenchmark(benchmark)
    parts.send(
      workerId,
      encodeFrame('benchmark', { benchmarkId, parameters, withinMs: withinMs as DurationMs }),
    )
  }

  /** Drawn only now, so that nobody could compute these cells alone. */
  function open({ workerId, benchmarkId, cells }: Extract<Effect, { kind: 'open' }>): void {
    const dossier = dossiers.get(workerId)
    if (dossier === undefined) return
    dossier.drawn = drawCells(dossier.benchmark, cells, parts.random(32), sha256)
    dossier.openedAtMs = clock.nowMs()
    const { rows } = dossier.benchmark
    const indexes = dossier.drawn.map(({ segment, row }) => segment * rows + row)
    parts.send(workerId, encodeFrame('benchmarkOpen', { benchmarkId, indexes }))
  }

  async function judge(workerId: WorkerId, benchmarkId: string): Promise<void> {
    const dossier = dossiers.get(workerId)
    if (dossier?.root === undefined) throw new Error('nothing is judged before its root is here')
    const { benchmark, root, drawn, openings, flaw } = dossier
    const verdict: Verdict =
      flaw === undefined
        ? await parts.judge.check({ benchmark, root, drawn, openings })
        : { kind: 'wrong', reason: flaw }
    if (verdict.kind === 'unknown') log.warn('benchmarkNotJudged', { workerId, detail: verdict.reason })
    post({ kind: 'judged', workerId, benchmarkId, verdict })
  }

  function takeOpening(workerId: WorkerId, { benchmarkId, index, opening }: BenchmarkOpening): void {
    const dossier = dossiers.get(workerId)
    const next = dossier?.drawn[dossier.openings.length]
    const isOurs = dossier !== undefined && next !== undefined && dossier.benchmarkId === benchmarkId
    // Of no benchmark that waits for one: admission counts it as stray.
    if (!isOurs) return post({ kind: 'opened', workerId, benchmarkId, roundTripMs: 0 })
    if (dossier.openings.length === 0) dossier.roundTripMs = clock.nowMs() - dossier.openedAtMs
    const wanted = next.segment * dossier.benchmark.rows + next.row
    const decoded = decodeOpening(opening)
    if (index !== wanted) dossier.flaw = `cell ${index} came where cell ${wanted} was next`
    else if (decoded.ok) dossier.openings.push(decoded.value)
    else dossier.flaw = `cell ${index} is malformed: ${describeRefusal(decoded.refusal)}`
    if (dossier.flaw === undefined && dossier.openings.length < dossier.drawn.length) return
    post({ kind: 'opened', workerId, benchmarkId, roundTripMs: dossier.roundTripMs })
  }

  return {
    arrived(workerId, likeness, roundTripMs) {
      forget(workerId)
      post({ kind: 'arrived', workerId, likeness, roundTripMs })
    },
    left(workerId) {
      forget(workerId)
      post({ kind: 'left', workerId })
    },
    changed: (workerId, likeness) => post({ kind: 'changed', workerId, likeness }),
    wanted: (workerId, reason) => post({ kind: 'wanted', workerId, reason }),
    presence: (workerId, presence) => post({ kind: 'presence', workerId, state: presence }),
    heard(workerId, frame) {
      if (frame.type === 'benchmarkOpening') return takeOpening(workerId, frame.body)
      const { benchmarkId, root, stableBytes } = frame.body
      const dossier = dossiers.get(workerId)
      // A second root for the same chain is not another try.
      if (dossier?.benchmarkId === benchmarkId) dossier.root ??= root
      post({ kind: 'root', workerId, benchmarkId, stableBytes })
    },
    line: () =>
      [...state.line].filter(({ measurement }) => measurement === undefined).map(({ workerId }) => workerId),
    close() {
      isClosed = true
      cancelTimer()
      cancelLook?.()
      parts.judge.close()
    },
  }
}

export function waitsFrame(position: number): Uint8Array {
  const message =
    position === 1 ? 'you are next to be measured' : `you are number ${position} in line to be measured`
  return encodeFrame('idle', { constraint: 'waitsForBenchmark', message })
}
