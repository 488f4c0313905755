/** Checks a receipt on this machine. Nobody is asked, except for the input when it is to be recomputed. */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { factsOf, type Work } from '@shardy/compute/work'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import { openField } from '@shardy/proofs'
import {
  type BlockCommitments,
  type Digest,
  describeRefusal,
  describeVerify,
  type OrchestratorId,
  payloadBytesMax,
  proofWords,
  type Receipt,
  type TaskId,
} from '@shardy/protocol'
import {
  type AnswerVerdict,
  ApiError,
  checkAnswer,
  checkReceipt,
  createProofVerifier,
  describeProvenBlock,
  describeReceiptProblem,
  type FetchKeyFile,
  type ReceiptFacts,
  type ReceiptProof,
  receiptFromJson,
  UnreachableError,
} from '@shardy/sdk'
import { interpret } from '@shardy/shader'
import {
  type Blobs,
  complexity,
  describeProgram,
  evaluate,
  type Program,
  parseProgram,
  plainProduct,
  programId,
} from '@shardy/tensor'
import type { Call, Command, Outcome } from '../command.ts'
import { Failure, failureOf } from '../failure.ts'
import { readBytesFrom } from '../files.ts'
import { readProgram } from '../programs.ts'
import { bytes, count, credits, printable } from '../wording.ts'

/** A receipt with every delivery that a task may have is far below this. */
const receiptBytesMax = 4 * 1024 * 1024

export const receiptCheck: Command = {
  name: 'receipt check',
  summary: 'check a receipt yourself, without trusting anyone',
  operands: ['FILE'],
  options: {
    task: { value: 'ID', what: 'the task that it must be of' },
    program: {
      value: 'MxKxN|FILE',
      what: 'the product or the program file that you asked for, such as 64x64x64: is it what was computed?',
    },
    input: {
      value: 'FILE',
      what: 'the input that you sent (for a product A then B): is it what the receipt is about?',
    },
    output: { value: 'FILE', what: 'the output that you got: is it what the receipt is about?' },
    check: {
      what: 'check the answer, by random projections where its sums allow it; what is not given is fetched',
    },
    recompute: {
      what: 'compute the answer here as well; without --input the input is fetched from the orchestrator',
    },
    keys: {
      value: 'FOLDER',
      what: 'keys for the proofs in it, with their manifest.json; without it those that came with this program',
    },
    orchestrator: {
      value: 'ID',
      what: 'whose receipt it must be: the id that you wrote down at first contact',
    },
  },
  more:
    'The signatures show which worker keys gave this answer, and what the orchestrator says its verdict rests on. They do not show\n' +
    'that it is right: several keys may belong to one person, and nobody saw the orchestrator check. --check and --recompute do. Nor do they show that task, program and input are yours,\n' +
    'unless you demand them with --task, --program and --input. What was paid, and when, is the word of the orchestrator.\n' +
    'Its id is what `npx shardy health` shows, but that asks the one who is being checked: write it down at first contact.',
  async run(call) {
    const { operands, options, progress } = call
    const [file = ''] = operands
    const receipt = await readReceipt(file)
    const pinned = idOption(options, 'orchestrator', 64)
    const taskId = idOption(options, 'task', 32)
    const demanded = await demandedProgram(options.text('program'))
    const files = [options.text('input'), options.text('output')] as const
    const [given, output] = await Promise.all(
      files.map((each) => (each === undefined ? undefined : readBytesFrom(each, payloadBytesMax))),
    )
    const [isChecked, isRecomputed] = [options.has('check'), options.has('recompute')]
    const input = given ?? (isChecked || isRecomputed ? await fetchInput(call, receipt) : undefined)
    const received = output ?? (isChecked ? await fetchOutput(call, receipt) : undefined)
    const checked = await checkReceipt(receipt, {
      sha256,
      verify: verifySignatureSync,
      orchestratorId: pinned as OrchestratorId | undefined,
      taskId: taskId as TaskId | undefined,
      programId: demanded && programId(demanded, sha256),
      input,
      output: received,
      checkAnswer: isChecked ? (work, bytes, answer) => project(work, bytes, answer, call) : undefined,
      recompute: isRecomputed ? (work, bytes) => compute(work, bytes, call) : undefined,
      verifyProof: createProofVerifier(keyFiles(options.text('keys')), sha256),
      commitments: await commitmentsFor(receipt),
    })
    progress.clear()
    if (checked.ok)
      return {
        json: { ok: true, facts: { ...checked.facts, work: factsOf(checked.facts.work).summary } },
        text: describeFacts(checked.facts, given !== undefined, output !== undefined),
      }
    return refused(
      receipt,
      checked.problems.map((problem) => ({ ...problem, message: describeReceiptProblem(problem) })),
    )
  },
}

/** Only for a receipt that has a block to compare: opening them takes a moment. */
async function commitmentsFor({ deliveries }: Receipt): Promise<BlockCommitments | undefined> {
  if (deliveries.every(({ answer }) => answer?.block === undefined)) return undefined
  const opened = await openField()
  return opened.ok ? opened.field : undefined
}

/** The keys that belong to this repository, or somebody's own. */
function keyFiles(folder = path.join(import.meta.dirname, '../../../../circuits/artifacts')): FetchKeyFile {
  return (name) => readFile(path.join(folder, name))
}

function idOption(
  { text }: Call['options'],
  name: 'orchestrator' | 'task',
  length: number,
): string | undefined {
  const id = text(name)
  if (id === undefined || (id.length === length && /^[0-9a-f]*$/.test(id))) return id
  throw new Failure('usage', `--${name} is '${id}'; an id has ${length} characters 0-9 and a-f`)
}

async function demandedProgram(text: string | undefined): Promise<Program | undefined> {
  if (text === undefined) return undefined
  const [shape, m, k, n] = /^(\d{1,9})x(\d{1,9})x(\d{1,9})$/.exec(text) ?? []
  if (shape === undefined) return readProgram(text)
  const parsed = parseProgram({ op: 'matmul', m: Number(m), k: Number(k), n: Number(n) })
  if (parsed.ok) return parsed.value
  throw new Failure('usage', `--program is '${text}': ${describeRefusal(parsed.refusal)}`)
}

async function readReceipt(file: string): Promise<Receipt> {
  const text = new TextDecoder().decode(await readBytesFrom(file, receiptBytesMax))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Failure('badReceipt', `${file} is no receipt: it is not JSON`, { cause })
  }
  const parsed = receiptFromJson(value)
  if (parsed.ok) return parsed.receipt
  throw new Failure('badReceipt', `${file} is no receipt: ${parsed.field}: ${parsed.reason}`)
}

/** From one's own task where it is there, or else by digest, as of a receipt that somebody else handed on. */
async function fetched(
  { requester, progress }: Call,
  what: 'input' | 'output',
  { taskId, ...receipt }: Receipt,
): Promise<Uint8Array> {
  const [digest, length] =
    what === 'input'
      ? [receipt.inputDigest, receipt.inputLength]
      : [receipt.outputDigest, receipt.outputLength]
  const onProgress = (received: number): void =>
    progress.show(`fetching the ${what}: ${bytes(received)} of ${bytes(length)}`)
  try {
    return await requester[what](taskId, { onProgress })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return await requester.download(digest, { onProgress })
  } finally {
    progress.clear()
  }
}

/** The orchestrator keeps inputs until the task is forgotten. What it sends is checked against the receipt. */
export async function fetchInput(call: Call, receipt: Receipt): Promise<Uint8Array> {
  try {
    return await fetched(call, 'input', receipt)
  } catch (cause) {
    if (!(cause instanceof ApiError || cause instanceof UnreachableError)) throw cause
    const { exit, message } = failureOf(cause)
    throw new Failure(exit, `recomputing needs the input, and it cannot be fetched: ${message}`, {
      next:
        'Give the input that you sent with --input FILE, or start the orchestrator that has them ' +
        `(blob ${receipt.inputDigest}). Without --recompute the signatures are checked alone.`,
      cause,
    })
  }
}

/** The output is kept until the task is forgotten, unless the requester wanted its digest alone. */
async function fetchOutput(call: Call, receipt: Receipt): Promise<Uint8Array> {
  try {
    return await fetched(call, 'output', receipt)
  } catch (cause) {
    if (!(cause instanceof ApiError || cause instanceof UnreachableError)) throw cause
    const { exit, message } = failureOf(cause)
    const next = 'Give the output that you got with --output FILE.'
    throw new Failure(exit, `checking needs the output, and it cannot be fetched: ${message}`, {
      next,
      cause,
    })
  }
}

/** By random projections where the output holds what they need, and by computing again where it does not. */
async function project(
  work: Work,
  input: Uint8Array,
  output: Uint8Array,
  call: Call,
): Promise<AnswerVerdict> {
  const { openCheckTools } = await import('@shardy/compute')
  const tools = await openCheckTools(sha256)
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
  const blobs = await fetchConstants(call, work)
  return checkAnswer({ work, input, output, blobs }, { tools, random })
}

/** What the program names by digest; what comes is compared with it. */
function interpretShader({ shader }: Extract<Work, { kind: 'shader' }>, input: Uint8Array): Uint8Array {
  const cannot = (why: string) => new Failure('badReceipt', `the shader cannot be recomputed here: ${why}`)
  if (shader.exactness.exactness !== 'exact') throw cannot('it is not exact')
  const interpreted = interpret(shader, input)
  if (interpreted.kind === 'output') return interpreted.bytes
  throw cannot(`invocation ${interpreted.invocation} spends its fuel`)
}

async function fetchConstants({ requester }: Call, work: Work): Promise<Blobs> {
  const blobs = new Map<Digest, Uint8Array>()
  for (const digest of factsOf(work).constants) blobs.set(digest, await requester.download(digest))
  return blobs
}

/** Below this many multiply-adds the definition itself is quick enough, and nothing need be loaded. */
const smallWork = 4_000_000

export async function compute(work: Work, input: Uint8Array, call: Call): Promise<Uint8Array> {
  const { progress } = call
  if (work.kind === 'shader') return interpretShader(work, input)
  if (work.kind !== 'program') return computeLite(work, input, progress)
  const { program } = work
  const blobs = await fetchConstants(call, work)
  if (complexity(program) <= smallWork) return evaluate(program, input, blobs)
  const { createCpuExecutor } = await import('@shardy/compute')
  const executor = createCpuExecutor()
  try {
    const { output } = await executor.execute(program, input, {
      blobs,
      onProgress: (permille) =>
        progress.show(`computing the ${describeProgram(program)} here: ${Math.floor(permille / 10)} %`),
    })
    return output
  } finally {
    await executor.close()
  }
}

async function computeLite(
  { lite }: Extract<Work, { kind: 'lite' | 'superLite' }>,
  input: Uint8Array,
  progress: Call['progress'],
): Promise<Uint8Array> {
  const { executeLite } = await import('@shardy/compute')
  return executeLite(lite, input, {
    onProgress: (permille) => progress.show(`computing the rounds here: ${Math.floor(permille / 10)} %`),
  })
}

function refused(
  { taskId }: Receipt,
  problems: readonly { readonly kind: string; readonly message: string }[],
): Outcome {
  const lines = problems.map(({ kind, message }) => `  ${kind}: ${printable(message)}`)
  return {
    exit: 'badReceipt',
    json: { ok: false, taskId, problems },
    text: `The receipt of task ${taskId} does NOT hold:\n${lines.join('\n')}\nDo not rely on it.`,
  }
}

function describeFacts(facts: ReceiptFacts, isInputGiven: boolean, isOutputGiven: boolean): string {
  const { agreed, tolerated, disagreed, wrong, unchecked, isTaskPinned, isProgramPinned } = facts
  const workers = (ids: readonly string[], said: string): string[] => ids.map((id) => `    ${id}  ${said}`)
  const lines = [
    `The receipt of task ${facts.taskId} holds.`,
    ...(isTaskPinned ? ['  task id       as you demanded'] : []),
    `  task          ${factsOf(facts.work).summary}${isProgramPinned ? ', as you demanded' : ''}`,
    `  output        ${facts.outputDigest}`,
    `  signed by     ${count(agreed.length, 'distinct worker key')}:`,
    ...workers(agreed, 'gave this answer'),
    ...workers(tolerated, 'gave an answer within the tolerance, says the orchestrator'),
    ...workers(disagreed, 'gave another answer'),
    ...workers(wrong, 'gave another answer, found wrong'),
    ...workers(unchecked, 'gave an answer that could not be checked'),
    ...facts.proofs.map(proofLine),
    `  rests on      ${facts.basis}, asked for with --verify ${describeVerify(facts.verify)}`,
    `  paid          ${credits(facts.paidMicroCredit)} test credits, by the orchestrator's word`,
    `  orchestrator  ${facts.orchestratorId}${facts.isOrchestratorPinned ? ', as you demanded' : ''}`,
    ...(isInputGiven ? ['  your input    is the one that the workers were given'] : []),
    ...(isOutputGiven ? ['  your output   is the one that they gave'] : []),
    '',
    ...meaning(facts, isInputGiven),
  ]
  return lines.join('\n')
}

/** By what it shows, and never by a word that promises more. */
function proofLine(proof: ReceiptProof): string {
  const { kind, verifierVersion, verdict, reason, trust, isRetired, block } = proof
  const key = trust === 'development' ? `development key ${verifierVersion}` : `key ${verifierVersion}`
  const name = `  proof ${kind}      `
  const shows = block ? describeProvenBlock(block) : proofWords[kind].short
  const since = isRetired ? ', RETIRED SINCE and perhaps broken' : ''
  if (verdict === 'holds') return `${name}holds under ${key}${since}: ${shows}`
  return `${name}not verified: ${printable(reason ?? 'nobody was asked to')}`
}

/** What `--program` takes; of other kinds than programs it takes nothing. */
function demandOf(work: Work): string[] {
  if (work.kind !== 'program') return []
  const product = plainProduct(work.program)
  return [`--program ${product === undefined ? 'FILE' : `${product.m}x${product.k}x${product.n}`}`]
}

function meaning(facts: ReceiptFacts, isInputGiven: boolean): string[] {
  const { work, answer, isRecomputed, isOrchestratorPinned, isTaskPinned, isProgramPinned } = facts
  const demands = [
    ...(isTaskPinned ? [] : ['--task ID']),
    ...(isProgramPinned ? [] : demandOf(work)),
    ...(isInputGiven ? [] : ['--input FILE']),
  ]
  const whose = [
    ...(demands.length > 0
      ? [`That it is about what you asked for, you know once you demand: ${demands.join(' ')}`]
      : []),
    ...(isOrchestratorPinned
      ? []
      : ['Whose orchestrator it was, you know only by its id: --orchestrator ID makes sure.']),
  ]
  const fromOrchestrator = isInputGiven
    ? []
    : ['The input came from the orchestrator; only your own file is sure to be yours.']
  if (answer?.kind === 'right' && !isRecomputed) {
    const how =
      answer.by === 'projection'
        ? [
            'Checked: the answer is right for this program and input, whoever signed it, but for a chance below 2^-61. The workers',
            'had signed it before this machine drew the random numbers of the check.',
          ]
        : [
            'Checked by computing it again: the answer is right for this program and input, whoever signed it.',
          ]
    return [...how, ...fromOrchestrator, ...whose]
  }
  const notChecked =
    answer?.kind === 'unknown' ? [`The answer could not be checked here: ${answer.reason}.`] : []
  if (!isRecomputed) {
    return [
      ...notChecked,
      `What this proves: ${facts.meaning.proves}.`,
      `What it does not prove: ${facts.meaning.doesNotProve}.`,
      '--check settles that, at little cost where the output holds the sums of its products; --recompute computes it too.',
      ...whose,
    ]
  }
  return [
    'Recomputed: this machine got the same bits. The answer is right for this program and input, whoever signed it.',
    ...fromOrchestrator,
    ...whose,
  ]
}
