/**
 * Many small tasks in few requests (spec W36, W37). Each has an idempotency key, one of its own where the caller gives none, so
 * a request whose answer was lost is sent again without a task being taken twice.
 */
import {
  type Client,
  type ErrorCode,
  errors,
  readBytes,
  orchestratorRoutes as routes,
  UnexpectedAnswerError,
} from '@shardy/api'
import {
  type BatchSubmission,
  batchContentType,
  batchOutcome,
  batchSubmission,
  batchSubmissionMax,
  describeRefusal,
  encodeHex,
  inlinePayloadBytesMax,
  type MicroCredit,
  outcomeBytesMax,
  type ProofKind,
  type SharedTerms,
  submissionBytesMax,
  submissionProgramsMax,
  type TaskId,
  type TaskKind,
  type VerifyPolicy,
} from '@shardy/protocol'

export interface ManyTask {
  readonly kind: TaskKind
  /** Canonical bytes. Tasks that share them should share the array too: it is sent once. */
  readonly program: Uint8Array
  /** At most 16 KiB; larger inputs go one by one. Workers that compute the task see it. */
  readonly input: Uint8Array
  readonly seed?: bigint | undefined
  readonly idempotencyKey?: string | undefined
}

/** What all of them say. Left out means as when one task is submitted. */
export interface ManyTerms {
  readonly verify?: VerifyPolicy | undefined
  readonly proof?: ProofKind | undefined
  readonly priority?: number | undefined
  readonly tierMin?: number | undefined
  readonly features?: readonly string[] | undefined
  readonly region?: string | undefined
  /** For each. */
  readonly rewardMicroCredit?: bigint | undefined
  readonly timeoutMs?: number | undefined
  readonly output?: 'keep' | 'digest' | undefined
  readonly allowInexact?: boolean | undefined
}

export interface SubmitManyOptions {
  readonly onProgress?: ((answered: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export type ManyOutcome =
  | { readonly ok: true; readonly taskId: TaskId; readonly isNew: boolean }
  | RefusedTask

/** What is told when one task alone is refused. */
export interface RefusedTask {
  readonly ok: false
  readonly code: ErrorCode
  readonly detail: string
  /** Which field was wrong, what it was, and what it may be. */
  readonly field?: string | undefined
  readonly value?: string | undefined
  readonly bound?: string | undefined
  /** Set when it may be taken later; nothing here asks again by itself. */
  readonly retryAfterMs?: number | undefined
}

function sharedTerms(terms: ManyTerms): SharedTerms {
  const { verify, proof, priority, tierMin = 0, features = [], region = '', timeoutMs } = terms
  return {
    verify,
    proof,
    priority,
    tierMin,
    features,
    region,
    rewardMicroCredit: terms.rewardMicroCredit as MicroCredit | undefined,
    timeoutMs,
    digestOnly: terms.output === 'digest',
    allowInexact: terms.allowInexact ?? false,
  }
}

/** As few requests as the bounds on tasks, programs and bytes allow, in the order of the tasks. */
export function* batchesOf(tasks: readonly ManyTask[], terms: ManyTerms): Generator<BatchSubmission> {
  const shared = sharedTerms(terms)
  let programs: BatchSubmission['programs'][number][] = []
  let places = new Map<Uint8Array, Map<TaskKind, number>>()
  let batch: BatchSubmission['tasks'][number][] = []
  let bytes = 0
  for (const { kind, program, input, seed = 0n, idempotencyKey = randomKey() } of tasks) {
    if (input.length > inlinePayloadBytesMax) {
      throw new RangeError(
        `an input has ${input.length} bytes; in a batch it has at most ${inlinePayloadBytesMax}`,
      )
    }
    // Tags, lengths and the program's place take less than 32 bytes beside what is counted.
    const taskBytes = input.length + idempotencyKey.length + 32
    const isKnown = places.get(program)?.get(kind) !== undefined
    const isFull =
      batch.length === batchSubmissionMax ||
      (!isKnown && programs.length === submissionProgramsMax) ||
      bytes + taskBytes + (isKnown ? 0 : program.length + 32) > bytesMax
    if (isFull && batch.length > 0) {
      yield { programs, terms: shared, tasks: batch }
      programs = []
      places = new Map()
      batch = []
      bytes = 0
    }
    const ofProgram = places.get(program) ?? new Map<TaskKind, number>()
    places.set(program, ofProgram)
    let place = ofProgram.get(kind)
    if (place === undefined) {
      place = programs.push({ kind, program }) - 1
      ofProgram.set(kind, place)
      bytes += program.length + 32
    }
    bytes += taskBytes
    batch.push({ program: place, idempotencyKey, seed, input })
  }
  if (batch.length > 0) yield { programs, terms: shared, tasks: batch }
}

/** Room for the terms. */
const bytesMax = submissionBytesMax - 64 * 1024

const randomKey = (): string => encodeHex(crypto.getRandomValues(new Uint8Array(16)))

export async function submitMany(
  client: Client,
  url: string,
  tasks: readonly ManyTask[],
  terms: ManyTerms = {},
  { onProgress, signal }: SubmitManyOptions = {},
): Promise<readonly ManyOutcome[]> {
  const found: ManyOutcome[] = []
  // Made before anything is sent, so that what cannot be said takes nothing with it.
  for (const batch of [...batchesOf(tasks, terms)]) {
    signal?.throwIfAborted()
    const body = new Uint8Array(batchSubmission.encode(batch))
    const headers = { 'content-type': batchContentType }
    const response = await client.open(routes.submitTasks, {}, { body, headers, signal, isRepeatable: true })
    const bytes = await readBytes(response.body, outcomeBytesMax)
    const unexpected = (detail: string) =>
      new UnexpectedAnswerError(routes.submitTasks, url, response.status, detail)
    if (bytes === undefined) throw unexpected(`more than ${outcomeBytesMax} bytes`)
    const decoded = batchOutcome.decode(bytes)
    if (!decoded.ok) throw unexpected(describeRefusal(decoded.refusal))
    const { outcomes } = decoded.value
    if (outcomes.length !== batch.tasks.length) {
      throw unexpected(`${outcomes.length} outcomes of ${batch.tasks.length} tasks`)
    }
    for (const { taskId, isNew, code, ...told } of outcomes) {
      if (taskId !== undefined) found.push({ ok: true, taskId, isNew })
      else if (Object.hasOwn(errors, code)) found.push({ ok: false, code: code as ErrorCode, ...told })
      else throw unexpected(`the unknown code ${JSON.stringify(code)}`)
    }
    onProgress?.(found.length, tasks.length)
  }
  return found
}
