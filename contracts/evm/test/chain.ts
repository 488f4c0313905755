// A real EVM in a process of its own: anvil, started for one test file and ended with it.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const startMsMax = 20_000
const transactionGas = 10_000_000n
// Of calls in one JSON-RPC batch.
const batchMax = 64

export type Answer =
  | { readonly ok: true; readonly data: string }
  | { readonly ok: false; readonly data: string }
export type Call = { readonly to: string; readonly data: string; readonly gas?: bigint }
export type Receipt = { readonly status: boolean; readonly gasUsed: bigint; readonly contract: string }

export type Chain = {
  deploy(bytecode: string): Promise<Receipt>
  /** What each call returns, or with what data it reverts: '0x' where there is none, as when gas runs out. */
  call(calls: readonly Call[]): Promise<readonly Answer[]>
  send(call: Call): Promise<Receipt>
  close(): Promise<void>
}

/** The binary for this platform, or undefined where npm brought none. */
function findAnvil(): string | undefined {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const binary = path.join(
      path.dirname(manifest),
      'bin',
      process.platform === 'win32' ? 'anvil.exe' : 'anvil',
    )
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

/** False only where npm brought none and may: on Linux with x64 a missing binary is a fault. */
export const hasChain = (process.platform === 'linux' && process.arch === 'x64') || findAnvil() !== undefined

export async function openChain(): Promise<Chain> {
  const binary = findAnvil()
  if (binary === undefined) throw new Error(`npm brought no anvil for ${process.platform}-${process.arch}`)
  const child = Bun.spawn(
    [binary, '--port', '0', '--accounts', '1', '--hardfork', 'prague', '--threads', '1'],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  )
  const url = await listeningAt(child.stdout)
  const [from] = (await request(url, 'eth_accounts', [])) as string[]
  const send = async (transaction: object): Promise<Receipt> => {
    // The receipt as soon as the block with the transaction is there.
    const receipt = (await request(url, 'eth_sendTransactionSync', [{ from, ...transaction }])) as Record<
      string,
      string
    >
    return {
      status: receipt.status === '0x1',
      gasUsed: BigInt(receipt.gasUsed ?? 0),
      contract: receipt.contractAddress ?? '',
    }
  }
  return {
    deploy: (bytecode) => send({ data: bytecode, gas: `0x${transactionGas.toString(16)}` }),
    send: ({ to, data, gas = transactionGas }) => send({ to, data, gas: `0x${gas.toString(16)}` }),
    async call(calls) {
      const answers: Answer[] = []
      for (let at = 0; at < calls.length; at += batchMax)
        answers.push(...(await callBatch(url, calls.slice(at, at + batchMax))))
      return answers
    },
    async close() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

async function listeningAt(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const deadline = AbortSignal.timeout(startMsMax)
  const reader = stdout.getReader()
  deadline.addEventListener('abort', () => reader.cancel())
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`anvil did not start:\n${text}`)
    text += new TextDecoder().decode(value)
    const found = /Listening on (\S+)/.exec(text)
    if (found === null) continue
    // Read on, so that the process never waits for a full pipe.
    void (async () => {
      while (!(await reader.read()).done);
    })()
    return `http://${found[1]}`
  }
}

type Reply = {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string; readonly data?: unknown }
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.json()
}

async function request(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const { result, error } = (await post(url, { jsonrpc: '2.0', id: 1, method, params })) as Reply
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}

async function callBatch(url: string, calls: readonly Call[]): Promise<readonly Answer[]> {
  const replies = (await post(
    url,
    calls.map(({ to, data, gas = 30_000_000n }, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'eth_call',
      params: [{ to, data, gas: `0x${gas.toString(16)}` }, 'latest'],
    })),
  )) as readonly Reply[]
  const byId = new Map(replies.map((reply) => [reply.id, reply]))
  return calls.map((_, id) => {
    const reply = byId.get(id)
    if (typeof reply?.result === 'string') return { ok: true, data: reply.result }
    // Anvil's words for the two ways in which a call ends without a result; anything else is a fault of the test.
    const error = reply?.error
    if (error === undefined || !/revert|OutOfGas|out of gas/i.test(error.message))
      throw new Error(`eth_call: ${error?.message ?? 'no answer'}`)
    return { ok: false, data: typeof error.data === 'string' ? error.data : '0x' }
  })
}
