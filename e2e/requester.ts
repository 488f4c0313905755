/** A requester in a few lines over the typed client, for tests that look at what the orchestrator answers. */
import {
  type Client,
  createClient,
  type EventView,
  followTask,
  orchestratorRoutes as routes,
  type Submission,
  type TaskView,
} from '@shardy/api'
import { evaluate, matmulProgram } from '@shardy/tensor'
import type { Network } from './network.ts'

export const clientOf = ({ url, apiKey }: Pick<Network, 'url' | 'apiKey'>, triesMax?: number): Client =>
  createClient({ baseUrl: url, apiKey, triesMax })

export interface Example {
  readonly submission: Submission
  readonly input: Uint8Array
  /** As the definition has it. */
  readonly output: Uint8Array
}

export function example(m: number, k: number, n: number, more: Partial<Submission> = {}): Example {
  const program = { op: 'matmul', m, k, n } as const
  const input = crypto.getRandomValues(new Uint8Array(m * k + k * n))
  return {
    input,
    output: evaluate(matmulProgram(program), input),
    submission: { kind: 'program', program, input: { base64: input.toBase64() }, ...more },
  }
}

export async function submit(client: Client, { submission }: Example): Promise<TaskView> {
  return client.call(routes.submitTask, { body: submission })
}

/** Follows the task to its end. */
export async function finish(
  client: Client,
  taskId: string,
  signal?: AbortSignal,
): Promise<{ readonly task: TaskView; readonly events: readonly EventView[] }> {
  const events: EventView[] = []
  for await (const event of followTask(client, taskId, { signal })) events.push(event)
  return { events, task: await client.call(routes.getTask, { params: { taskId } }) }
}

export async function outputOf(client: Client, taskId: string): Promise<Uint8Array> {
  return (await client.open(routes.taskOutput, { params: { taskId } })).bytes()
}
