/** Random products with the answer that the definition gives, and the few calls that most tests make with them. */
import { expect } from 'bun:test'
import {
  type EventView,
  isFinalEvent,
  type Problem,
  readEvents,
  type Submission,
  type TaskView,
} from '@shardy/api'
import { sha256 } from '@shardy/crypto/native'
import { type Digest, encodeHex } from '@shardy/protocol'
import { evaluate, matmulProgram } from '@shardy/tensor'
import type { Call, TestNetwork } from './network.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface Example {
  readonly submission: Submission
  readonly input: Bytes
  readonly output: Bytes
}

export const digestOf = (bytes: Uint8Array): Digest => encodeHex(sha256(bytes)) as Digest

export const randomBytes = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

export function example(
  more: Partial<Submission> = {},
  [m, k, n]: readonly [number, number, number] = [3, 5, 7],
): Example {
  const program = { op: 'matmul', m, k, n } as const
  const input = randomBytes(m * k + k * n)
  const submission = { kind: 'program', program, input: { base64: input.toBase64() }, ...more } as const
  return { submission, input, output: new Uint8Array(evaluate(matmulProgram(program), input)) }
}

export async function submit(
  network: TestNetwork,
  submission: Submission = example().submission,
  call: Call = {},
): Promise<TaskView> {
  const response = await network.request('/v1/tasks', { ...call, json: submission })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as TaskView
}

export async function taskOf(network: TestNetwork, taskId: string): Promise<TaskView> {
  return (await (await network.request(`/v1/tasks/${taskId}`)).json()) as TaskView
}

/** The problem that a response carries, checked to be one. */
export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await response.json()) as Problem
  expect(problem.status).toBe(response.status)
  return problem
}

export async function refused(response: Response | Promise<Response>): Promise<string> {
  return (await problemOf(await response)).code
}

/** Follows a task's events until one fulfils the condition, or to the end. */
export async function follow(
  network: TestNetwork,
  taskId: string,
  until: (event: EventView) => boolean = isFinalEvent,
): Promise<readonly EventView[]> {
  const { body } = await network.request(`/v1/tasks/${taskId}/events`)
  const events: EventView[] = []
  if (body === null) return events
  for await (const data of readEvents(body)) {
    const event = JSON.parse(data) as EventView
    events.push(event)
    if (until(event)) break
  }
  return events
}

export async function finish(network: TestNetwork, taskId: string): Promise<TaskView> {
  await follow(network, taskId)
  return taskOf(network, taskId)
}
