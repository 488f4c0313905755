/**
 * A requester: submits tasks, waits for them, and fetches what came out. Runs in browsers and on servers. Bytes that
 * come back are compared with the digest they were asked by.
 */
import {
  ApiError,
  type BalanceView,
  createClient,
  type EventView,
  encodeBase64,
  type FollowEventsOptions,
  followEvents,
  followTask,
  type Health,
  inlineInputBytesMax,
  isFinalEvent,
  type QuoteView,
  readBytes,
  receiptFromJson,
  orchestratorRoutes as routes,
  type StreamEventView,
  type Submission,
  type TaskPage,
  type TaskView,
  UnreachableError,
  type WorkersView,
  type WorkerView,
} from '@shardy/api'
import { loadSha256 } from '@shardy/crypto'
import { type Digest, encodeHex, payloadBytesMax, type Receipt, type Sha256 } from '@shardy/protocol'
import { type Blobs, encodeProgram, noBlobs, type Program } from '@shardy/tensor'
import { type Campaigns, createCampaigns } from './campaigns.ts'
import { type Entries, matmulInput } from './matmul.ts'
import {
  type ManyOutcome,
  type ManyTask,
  type ManyTerms,
  type SubmitManyOptions,
  submitMany,
} from './submitMany.ts'
import { type UploadOptions, uploadBlob } from './upload.ts'
import { type WaitManyOptions, waitMany } from './waitMany.ts'

export interface RequesterConfig {
  readonly url: string
  readonly apiKey?: string | undefined
  readonly fetch?: typeof fetch | undefined
  /** Faster than WebAssembly where the host has its own. */
  readonly sha256?: Sha256 | undefined
  /** Waits between tries; a test gives its own. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
  readonly triesMax?: number | undefined
  /** Larger inputs are uploaded as blobs. At most what the API takes inline. */
  readonly inlineBytesMax?: number | undefined
  /** The bytes of one part of an upload. */
  readonly partBytes?: number | undefined
}

export interface SubmitOptions {
  /** Submitting twice with one key is one task. A random one is made when none is given, so that tries are safe. */
  readonly idempotencyKey?: string | undefined
  readonly signal?: AbortSignal | undefined
}

const termNames = [
  'seed',
  'verify',
  'redundancy',
  'proof',
  'priority',
  'tierMin',
  'features',
  'region',
  'rewardMicroCredit',
  'timeoutMs',
  'output',
] as const

/** What a task may say besides its program and input. `redundancy: n` is another way to say `verify: quorum(n,n)`. */
export type TaskTerms = Pick<Submission, (typeof termNames)[number]>

export interface MatmulRequest extends TaskTerms, SubmitOptions, UploadOptions {
  readonly m: number
  readonly k: number
  readonly n: number
  /** m × k and k × n, row by row. Workers that compute the task see them. */
  readonly a: Entries
  readonly b: Entries
}

export interface ProgramRequest extends TaskTerms, SubmitOptions, UploadOptions {
  readonly program: Program
  /** The program's inputs, one after the other. Workers that compute the task see them, and the constants. */
  readonly input: Uint8Array<ArrayBuffer>
  /** Those that the program names and that may not be at the orchestrator yet. */
  readonly blobs?: Blobs | undefined
}

export interface ShaderRequest extends TaskTerms, SubmitOptions, UploadOptions {
  /** The canonical bytes of a shader task, as `encodeShaderTask` makes them. */
  readonly task: Uint8Array
  /** What the shader reads. Workers that compute the task see it. */
  readonly input: Uint8Array<ArrayBuffer>
  /** A shader outside the exact subset: honest workers may differ in it. */
  readonly allowInexact?: boolean | undefined
}

/** FNV-1a rounds over the input, for hosts without a GPU: with lanes `lite`, without them `superLite`. */
export interface LiteRequest extends TaskTerms, SubmitOptions, UploadOptions {
  readonly rounds: number
  readonly lanes?: number | undefined
  /** Workers that compute the task see it. */
  readonly input: Uint8Array<ArrayBuffer>
}

export interface QuoteRequest {
  readonly complexity: number
  readonly inputLength?: number | undefined
  readonly outputLength?: number | undefined
  readonly constantBytes?: number | undefined
  /** Deliveries that are paid; as many as `verify` asks unless given. */
  readonly replicas?: number | undefined
  readonly verify?: string | undefined
  readonly proof?: Submission['proof'] | undefined
}

export interface WaitOptions {
  readonly onEvent?: ((event: EventView) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface DownloadOptions {
  readonly onProgress?: ((receivedBytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Requester {
  /** Many tasks from one manifest. */
  readonly campaigns: Campaigns
  submit(submission: Submission, options?: SubmitOptions): Promise<TaskView>
  submitMatmul(request: MatmulRequest): Promise<TaskView>
  submitProgram(request: ProgramRequest): Promise<TaskView>
  submitShader(request: ShaderRequest): Promise<TaskView>
  submitLite(request: LiteRequest): Promise<TaskView>
  /** Small tasks by the thousand; one that is not taken does not keep the others back. */
  submitMany(
    tasks: readonly ManyTask[],
    terms?: ManyTerms,
    options?: SubmitManyOptions,
  ): Promise<readonly ManyOutcome[]>
  /** Follows the task to its end: verified, accepted, dead or cancelled. */
  wait(taskId: string, options?: WaitOptions): Promise<TaskView>
  /** Each as it ends, over one stream of events for all of them. */
  waitMany(taskIds: readonly string[], options?: WaitManyOptions): AsyncGenerator<TaskView>
  /** The events of all own tasks, each once and in order, over as many connections as it takes. */
  events(options?: FollowEventsOptions): AsyncGenerator<StreamEventView>
  get(taskId: string): Promise<TaskView>
  list(query?: { status?: TaskView['status']; limit?: number; cursor?: string }): Promise<TaskPage>
  cancel(taskId: string): Promise<TaskView>
  forget(taskId: string): Promise<void>
  output(taskId: string, options?: DownloadOptions): Promise<Uint8Array<ArrayBuffer>>
  /** As it was sent. */
  input(taskId: string, options?: DownloadOptions): Promise<Uint8Array<ArrayBuffer>>
  receipt(taskId: string): Promise<Receipt>
  upload(bytes: Uint8Array<ArrayBuffer>, options?: UploadOptions): Promise<Digest>
  download(digest: string, options?: DownloadOptions): Promise<Uint8Array<ArrayBuffer>>
  workers(): Promise<WorkersView>
  worker(workerId: string): Promise<WorkerView>
  balance(): Promise<BalanceView>
  /** What work costs by the published rates. */
  quote(work: QuoteRequest): Promise<QuoteView>
  health(): Promise<Health>
}

/** What came is not what its digest names: damaged on the way, or not what was agreed on. */
export class WrongBytesError extends Error {
  override readonly name = 'WrongBytesError'
  readonly expected: string
  readonly actual: string
  constructor(what: string, expected: string, actual: string) {
    super(`${what} should hash to ${expected}, but what came hashes to ${actual}`)
    this.expected = expected
    this.actual = actual
  }
}

/** The orchestrator's receipt is none. */
export class MalformedReceiptError extends Error {
  override readonly name = 'MalformedReceiptError'
  constructor(field: string, reason: string) {
    super(`the receipt cannot be read: ${field}: ${reason}`)
  }
}

const partBytesDefault = 4 * 1024 * 1024
const downloadQuietMsMax = 60_000

export function createRequester(config: RequesterConfig): Requester {
  const { url, inlineBytesMax = inlineInputBytesMax, partBytes = partBytesDefault } = config
  const wait = config.wait ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)))
  const client = createClient({ ...config, baseUrl: url })
  const digestOf = async (bytes: Uint8Array): Promise<Digest> =>
    encodeHex((config.sha256 ?? (await loadSha256()))(bytes)) as Digest

  async function read(
    response: Response,
    what: string,
    digest: string,
    lengthMax: number,
    { onProgress, signal }: DownloadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    let bytes: Uint8Array<ArrayBuffer> | undefined
    try {
      bytes = await readBytes(response.body, lengthMax, {
        quietMsMax: downloadQuietMsMax,
        ...(onProgress && { onBytes: onProgress }),
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw new UnreachableError(url, error)
    }
    if (bytes === undefined) throw new WrongBytesError(what, digest, `more than ${lengthMax} bytes`)
    const actual = await digestOf(bytes)
    if (actual !== digest) throw new WrongBytesError(what, digest, actual)
    return bytes
  }

  /** In the request where it fits, as a blob where it does not. */
  async function givenInput(
    bytes: Uint8Array<ArrayBuffer>,
    options: UploadOptions,
  ): Promise<Submission['input']> {
    return bytes.length <= inlineBytesMax
      ? { base64: encodeBase64(bytes) }
      : { blob: await requester.upload(bytes, options) }
  }

  const requester: Requester = {
    campaigns: createCampaigns(client, { url, wait, randomKey }),
    submit(submission, { idempotencyKey = randomKey(), signal } = {}) {
      const headers = { 'idempotency-key': idempotencyKey }
      return client.call(routes.submitTask, { body: submission, headers }, { signal })
    },
    async submitMatmul({ m, k, n, a, b, idempotencyKey, signal, onProgress, ...rest }) {
      const program = { op: 'matmul', m, k, n } as const
      const input = await givenInput(matmulInput(program, a, b), { onProgress, signal })
      const submission = { kind: 'program', program, input, ...termsOf(rest) } as const
      return requester.submit(submission, { idempotencyKey, signal })
    },
    async submitProgram({
      program,
      input: bytes,
      blobs = noBlobs,
      idempotencyKey,
      signal,
      onProgress,
      ...rest
    }) {
      for (const blob of blobs.values()) {
        await requester.upload(new Uint8Array(blob), { onProgress, signal })
      }
      const input = await givenInput(bytes, { onProgress, signal })
      const base64 = encodeBase64(encodeProgram(program))
      const submission = { kind: 'program', program: { base64 }, input, ...termsOf(rest) } as const
      return requester.submit(submission, { idempotencyKey, signal })
    },
    async submitShader({
      task,
      input: bytes,
      allowInexact = false,
      idempotencyKey,
      signal,
      onProgress,
      ...rest
    }) {
      const input = await givenInput(bytes, { onProgress, signal })
      const program = { base64: encodeBase64(task) }
      const submission = { kind: 'shader', program, input, allowInexact, ...termsOf(rest) } as const
      return requester.submit(submission, { idempotencyKey, signal })
    },
    async submitLite({ rounds, lanes, input: bytes, idempotencyKey, signal, onProgress, ...rest }) {
      const input = await givenInput(bytes, { onProgress, signal })
      const kind = lanes === undefined ? 'superLite' : 'lite'
      const program = { rounds, ...(lanes !== undefined && { lanes }), inputLength: bytes.length }
      return requester.submit({ kind, program, input, ...termsOf(rest) }, { idempotencyKey, signal })
    },
    submitMany: (tasks, terms, options) => submitMany(client, url, tasks, terms, options),
    waitMany: (taskIds, options) => waitMany(requester, taskIds, { wait, ...options }),
    async wait(taskId, { onEvent, signal } = {}) {
      try {
        for await (const event of followTask(client, taskId, { signal, wait: config.wait })) {
          onEvent?.(event)
          if (isFinalEvent(event)) break
        }
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof ApiError || error instanceof UnreachableError)) throw error
        // The line may have failed after the task's end; the task itself knows.
        const task = await requester.get(taskId).catch(() => undefined)
        if (task === undefined || task.status === 'waiting' || task.status === 'running') throw error
        return task
      }
      return requester.get(taskId)
    },
    events: (options = {}) => followEvents(client, { wait: config.wait, ...options }),
    get: (taskId) => client.call(routes.getTask, { params: { taskId } }),
    list: ({ status, limit, cursor } = {}) =>
      client.call(routes.listTasks, {
        query: {
          ...(status !== undefined && { status }),
          ...(limit !== undefined && { limit: String(limit) }),
          ...(cursor !== undefined && { cursor }),
        },
      }),
    cancel: (taskId) => client.call(routes.cancelTask, { params: { taskId } }),
    async forget(taskId) {
      await client.call(routes.forgetTask, { params: { taskId } })
    },
    async output(taskId, options = {}) {
      const { outputDigest, outputLength } = await requester.get(taskId)
      const given = { params: { taskId } }
      const response = await client.open(routes.taskOutput, given, { signal: options.signal })
      // The server has just given an output, so the task has its digest too.
      return read(response, `the output of task ${taskId}`, outputDigest ?? '', outputLength, options)
    },
    async input(taskId, options = {}) {
      const { digest, length } = (await requester.get(taskId)).input
      const response = await client.open(routes.taskInput, { params: { taskId } }, { signal: options.signal })
      return read(response, `the input of task ${taskId}`, digest, length, options)
    },
    async receipt(taskId) {
      const parsed = receiptFromJson(await client.call(routes.taskReceipt, { params: { taskId } }))
      if (!parsed.ok) throw new MalformedReceiptError(parsed.field, parsed.reason)
      return parsed.receipt
    },
    async upload(bytes, options = {}) {
      const digest = await digestOf(bytes)
      await uploadBlob(client, digest, bytes, { partBytes, wait }, options)
      return digest
    },
    async download(digest, options = {}) {
      const response = await client.open(routes.getBlob, { params: { digest } }, { signal: options.signal })
      return read(response, `blob ${digest}`, digest, payloadBytesMax, options)
    },
    workers: () => client.call(routes.workers),
    worker: (workerId) => client.call(routes.getWorker, { params: { workerId } }),
    balance: () => client.call(routes.balance),
    quote({ verify, proof, ...work }) {
      const numbers = Object.entries(work).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)]],
      )
      const query = { ...Object.fromEntries(numbers), ...(verify && { verify }), ...(proof && { proof }) }
      return client.call(routes.quote, { query })
    },
    health: () => client.call(routes.health),
  }
  return requester
}

const randomKey = (): string => encodeHex(crypto.getRandomValues(new Uint8Array(16)))

/** JSON leaves out what is undefined; types do not. */
function termsOf(terms: TaskTerms): TaskTerms {
  const given = termNames.flatMap((name) => (terms[name] === undefined ? [] : [[name, terms[name]]]))
  return Object.fromEntries(given)
}
