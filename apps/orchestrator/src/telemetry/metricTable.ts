/**
 * Every metric with its help, unit and labels, in one table. A label takes one of a closed list of words, so that the
 * number of series is known before the first of them is counted; no id is ever a label.
 */
import { errors, orchestratorRoutes } from '@shardy/api'
import { outcomes } from '@shardy/protocol'
import { exponential } from './instruments.ts'

export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** Without `_total`, which a counter's samples get. A unit is its last word. */
  readonly name: string
  readonly help: string
  readonly unit?: 'seconds' | 'bytes'
  readonly labels?: Readonly<Record<string, readonly string[]>>
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[]
}

const latencies = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
]
const sizes = exponential(1, 4, 9)

const statuses = [200, 201, 202, 204, 206, 404, ...Object.values(errors).map(({ status }) => status)]
export const httpStatuses = [...new Set(statuses.sort((left, right) => left - right).map(String)), 'other']
export const httpRoutes = [...Object.keys(orchestratorRoutes), 'other']
export const tiers = ['1', '2', '3', 'none'] as const
export const presences = ['available', 'hidden', 'paused'] as const
export const closeReasons = ['slowConsumer', 'cursorTooOld', 'notAllowed', 'stopping', 'failed'] as const

export const metricTable = {
  tasks: {
    kind: 'gauge',
    name: 'shardy_tasks',
    help: 'Tasks that have not ended, by status.',
    labels: { status: ['waiting', 'running'] },
  },
  tasksSubmitted: { kind: 'counter', name: 'shardy_tasks_submitted', help: 'Tasks taken durably.' },
  tasksEnded: {
    kind: 'counter',
    name: 'shardy_tasks_ended',
    help: 'Tasks that ended, by their last status.',
    labels: { status: ['verified', 'accepted', 'dead', 'cancelled'] },
  },
  deadLetters: { kind: 'gauge', name: 'shardy_dead_letters', help: 'Dead letters that are kept.' },
  deliveries: {
    kind: 'counter',
    name: 'shardy_deliveries',
    help: 'Deliveries that were settled, by outcome.',
    labels: { outcome: [...outcomes] },
  },
  queueDepth: { kind: 'gauge', name: 'shardy_queue_depth', help: 'Inputs that wait to be decided on.' },
  oldestWaiting: {
    kind: 'gauge',
    name: 'shardy_oldest_waiting_seconds',
    help: 'Age of the oldest task that nobody computes yet.',
    unit: 'seconds',
  },
  dispatch: {
    kind: 'histogram',
    name: 'shardy_dispatch_seconds',
    help: 'Time from accepting a task to handing it out, and from there to its verdict.',
    unit: 'seconds',
    labels: { stage: ['accepted_to_delivered', 'delivered_to_verdict'] },
    buckets: latencies,
  },
  checks: {
    kind: 'histogram',
    name: 'shardy_check_seconds',
    help: 'Checks of results, by what they found.',
    unit: 'seconds',
    labels: { verdict: ['right', 'wrong', 'failed'] },
    buckets: latencies,
  },
  checksWaiting: {
    kind: 'gauge',
    name: 'shardy_checks_waiting',
    help: 'Results that are being checked or wait for a thread that checks them.',
  },
  commitOperations: {
    kind: 'histogram',
    name: 'shardy_commit_operations',
    help: 'Rows written in one commit.',
    buckets: sizes,
  },
  commitSeconds: {
    kind: 'histogram',
    name: 'shardy_commit_seconds',
    help: 'Time that a commit took to be durable.',
    unit: 'seconds',
    buckets: latencies,
  },
  outboxEntries: {
    kind: 'gauge',
    name: 'shardy_outbox_entries',
    help: 'Entries that the book has not applied yet.',
  },
  outboxLag: {
    kind: 'gauge',
    name: 'shardy_outbox_lag_seconds',
    help: 'Age of the oldest entry that the book has not applied yet.',
    unit: 'seconds',
  },
  bookTotal: {
    kind: 'gauge',
    name: 'shardy_book_total_microcredits',
    help: 'Sum over all accounts of the book. Anything but 0 is a bug.',
  },
  workers: {
    kind: 'gauge',
    name: 'shardy_workers',
    help: 'Connected workers, by tier and presence.',
    labels: { tier: tiers, presence: presences },
  },
  bytes: {
    kind: 'counter',
    name: 'shardy_bytes',
    help: 'Payload bytes, by whom they went to or came from.',
    unit: 'bytes',
    labels: { peer: ['worker', 'requester'], direction: ['in', 'out'] },
  },
  rateLimited: {
    kind: 'counter',
    name: 'shardy_rate_limited_requests',
    help: 'Requests refused because of their rate, by what was over its limit.',
    labels: { limit: ['key', 'address'] },
  },
  httpRequests: {
    kind: 'counter',
    name: 'shardy_http_requests',
    help: 'Answered HTTP requests, by route and status.',
    labels: { route: httpRoutes, status: httpStatuses },
  },
  httpSeconds: {
    kind: 'histogram',
    name: 'shardy_http_request_seconds',
    help: 'Time from a request to the head of its answer, by route.',
    unit: 'seconds',
    labels: { route: httpRoutes },
    buckets: latencies,
  },
  eventsLogged: { kind: 'counter', name: 'shardy_events', help: 'Events committed to the event log.' },
  eventLogBytes: {
    kind: 'gauge',
    name: 'shardy_event_log_bytes',
    help: 'Bytes of events that are kept.',
    unit: 'bytes',
  },
  eventFollowers: {
    kind: 'gauge',
    name: 'shardy_event_followers',
    help: 'Open event streams, by transport.',
    labels: { transport: ['sse', 'websocket'] },
  },
  eventFollowersClosed: {
    kind: 'counter',
    name: 'shardy_event_followers_closed',
    help: 'Event streams that were ended from this side, by reason.',
    labels: { reason: closeReasons },
  },
  logLinesDropped: {
    kind: 'counter',
    name: 'shardy_log_lines_dropped',
    help: 'Log lines given up because nobody read them fast enough.',
  },
  scrapeFailures: {
    kind: 'counter',
    name: 'shardy_scrape_failures',
    help: 'Figures that could not be read for a scrape.',
  },
  eventLoopLag: {
    kind: 'gauge',
    name: 'shardy_event_loop_lag_p99_seconds',
    help: 'How late the event loop was in 99 of 100 cases, since the last scrape.',
    unit: 'seconds',
  },
  residentMemory: {
    kind: 'gauge',
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of this process.',
    unit: 'bytes',
  },
  storeBytes: {
    kind: 'gauge',
    name: 'shardy_store_bytes',
    help: 'Bytes of files below the data folder.',
    unit: 'bytes',
  },
  space: {
    kind: 'gauge',
    name: 'shardy_space',
    help: 'How it stands with room on the disk, 1 for what is: low refuses new work, spent has given up the reserve.',
    labels: { state: ['enough', 'low', 'spent'] },
  },
  diskFree: {
    kind: 'gauge',
    name: 'shardy_disk_free_bytes',
    help: "Bytes that may still be written to the data folder's disk.",
    unit: 'bytes',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>
