/**
 * What is done with more than a requester's rights: keys, the audit log, and the policy on what may be run. The audit
 * log is checked here, by whoever asks, and not believed.
 */
import {
  type AuditBreak,
  type AuditHead,
  type AuditPage,
  auditStart,
  createClient,
  type DeadLetter,
  type DeadLetterPage,
  type Denial,
  type DenialView,
  type DispatchOrder,
  type DispatchView,
  followChain,
  type KeyOrder,
  type KeyView,
  type NewKey,
  type OffenceEvidence,
  type OffencePage,
  type PolicyRules,
  type PolicyView,
  orchestratorRoutes as routes,
  type WorkerOrder,
  type WorkerView,
} from '@shardy/api'
import { loadSha256 } from '@shardy/crypto'
import type { RequesterConfig } from './requester.ts'

export type OperatorConfig = Pick<
  RequesterConfig,
  'url' | 'apiKey' | 'fetch' | 'sha256' | 'wait' | 'triesMax'
>

export type AuditVerdict =
  | { readonly ok: true; readonly head: AuditHead }
  /** The first record that does not fit. */
  | { readonly ok: false; readonly kind: 'broken'; readonly broken: AuditBreak }
  /** The chain holds, but it is another than the one that was noted, or ends before it. */
  | { readonly ok: false; readonly kind: 'notAsNoted'; readonly noted: AuditHead; readonly found: string }
  /** The orchestrator says that the log goes on where it gave nothing more. */
  | { readonly ok: false; readonly kind: 'cut'; readonly head: AuditHead; readonly claimed: AuditHead }

export interface AuditCheckOptions {
  /** A head that was noted earlier, somewhere else. */
  readonly noted?: AuditHead | undefined
  readonly onProgress?: ((records: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PageRequest {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export interface Operator {
  createKey(order: KeyOrder): Promise<NewKey>
  keys(): Promise<readonly KeyView[]>
  revokeKey(keyId: string): Promise<KeyView>
  audit(query?: { readonly cursor?: string; readonly limit?: number }): Promise<AuditPage>
  /** Fetches the whole log and computes its chain anew. */
  verifyAudit(options?: AuditCheckOptions): Promise<AuditVerdict>
  policy(): Promise<PolicyView>
  setPolicy(rules: PolicyRules): Promise<PolicyView>
  denyProgram(denial: Denial): Promise<DenialView>
  allowProgram(programId: string): Promise<void>
  denied(): Promise<readonly DenialView[]>
  deadLetters(query?: PageRequest): Promise<DeadLetterPage>
  deadLetter(taskId: string): Promise<DeadLetter>
  requeue(taskId: string, order?: { readonly timeoutMs?: number }): Promise<DeadLetter>
  purge(taskId: string): Promise<void>
  dispatch(): Promise<DispatchView>
  /** All that is stored, as it comes: whole only when its last section is there (`verifyBackup`). */
  backup(): Promise<AsyncIterable<Uint8Array>>
  operate(order: DispatchOrder): Promise<DispatchView>
  operateWorker(workerId: string, order: WorkerOrder): Promise<WorkerView>
  offences(query?: PageRequest): Promise<OffencePage>
  /** What is asked here is believed only once `checkOffence` has repeated it. */
  offence(deliveryId: string): Promise<OffenceEvidence>
}

const pageLimit = 1_000
/** More than an orchestrator keeps of anything that is asked for as a whole. */
const pagesMax = 1_000

export function createOperator(config: OperatorConfig): Operator {
  const client = createClient({ ...config, baseUrl: config.url })

  async function all<T>(
    page: (
      cursor: string | undefined,
    ) => Promise<{ readonly found: readonly T[]; readonly nextCursor?: string }>,
  ): Promise<readonly T[]> {
    const whole: T[] = []
    let cursor: string | undefined
    for (let pages = 0; pages < pagesMax; pages++) {
      const { found, nextCursor } = await page(cursor)
      whole.push(...found)
      if (nextCursor === undefined) break
      cursor = nextCursor
    }
    return whole
  }
  const queryOf = (cursor: string | undefined, limit: number) => ({
    limit: String(limit),
    ...(cursor !== undefined && { cursor }),
  })
  const nextOf = (nextCursor: string | undefined) => (nextCursor === undefined ? {} : { nextCursor })

  const operator: Operator = {
    createKey: (order) => client.call(routes.createKey, { body: order }),
    keys: () =>
      all(async (cursor) => {
        const page = await client.call(routes.listKeys, { query: queryOf(cursor, pageLimit) })
        return { found: page.keys, ...nextOf(page.nextCursor) }
      }),
    revokeKey: (keyId) => client.call(routes.revokeKey, { params: { keyId } }),
    audit: ({ cursor, limit = 100 } = {}) => client.call(routes.audit, { query: queryOf(cursor, limit) }),
    async verifyAudit({ noted, onProgress, signal } = {}) {
      const sha256 = config.sha256 ?? (await loadSha256())
      let head: AuditHead = { sequence: 0, hash: auditStart }
      for (;;) {
        signal?.throwIfAborted()
        const page = await operator.audit({ cursor: String(head.sequence), limit: pageLimit })
        for (const record of page.records) {
          const followed = followChain(head, [record], sha256)
          if (!followed.ok) return { ok: false, kind: 'broken', broken: followed.broken }
          head = followed.head
          if (noted?.sequence === head.sequence && noted.hash !== head.hash) {
            return { ok: false, kind: 'notAsNoted', noted, found: head.hash }
          }
        }
        onProgress?.(head.sequence)
        // The head was read before the page, so the page may lead further, but never less far.
        if (page.records.length > 0 && page.head.sequence > head.sequence) continue
        if (page.head.sequence > head.sequence) return { ok: false, kind: 'cut', head, claimed: page.head }
        if (page.nextCursor !== undefined && page.records.length > 0) continue
        if (noted !== undefined && noted.sequence > head.sequence) {
          return { ok: false, kind: 'notAsNoted', noted, found: `nothing behind record ${head.sequence}` }
        }
        return { ok: true, head }
      }
    },
    policy: () => client.call(routes.policy),
    setPolicy: (rules) => client.call(routes.setPolicy, { body: rules }),
    denyProgram: (denial) => client.call(routes.denyProgram, { body: denial }),
    async allowProgram(programId) {
      await client.call(routes.allowProgram, { params: { programId } })
    },
    denied: () =>
      all(async (cursor) => {
        const page = await client.call(routes.listDenied, { query: queryOf(cursor, pageLimit) })
        return { found: page.denied, ...nextOf(page.nextCursor) }
      }),
    deadLetters: ({ cursor, limit = 50 } = {}) =>
      client.call(routes.listDeadLetters, { query: queryOf(cursor, limit) }),
    deadLetter: (taskId) => client.call(routes.getDeadLetter, { params: { taskId } }),
    requeue: (taskId, order = {}) =>
      client.call(routes.requeueDeadLetter, { params: { taskId }, body: order }),
    async purge(taskId) {
      await client.call(routes.purgeDeadLetter, { params: { taskId } })
    },
    dispatch: () => client.call(routes.dispatch),
    async backup() {
      const { body } = await client.open(routes.backup)
      return (body ?? new ReadableStream()) as unknown as AsyncIterable<Uint8Array>
    },
    operate: (order) => client.call(routes.operateDispatch, { params: { order } }),
    operateWorker: (workerId, order) => client.call(routes.operateWorker, { params: { workerId, order } }),
    offences: ({ cursor, limit = 50 } = {}) =>
      client.call(routes.listOffences, { query: queryOf(cursor, limit) }),
    offence: (deliveryId) => client.call(routes.getOffence, { params: { deliveryId } }),
  }
  return operator
}
