/** Repeats the finding against a worker on this machine. Nobody is asked, but for an input that the file does not hold. */
import { factsOf } from '@shardy/compute/work'
import { sha256, verifySignatureSync } from '@shardy/crypto/native'
import type { OrchestratorId } from '@shardy/protocol'
import { checkOffence, describeOffenceProblem, type OffenceFacts } from '@shardy/sdk'
import type { Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable, readBytesFrom, writeBytesTo } from '../files.ts'
import { printable } from '../wording.ts'
import { compute } from './receiptCheck.ts'

/** An input of a mebibyte in base64, a program and the rest. */
const evidenceBytesMax = 4 * 1024 * 1024

function describe({
  work,
  workerId,
  orchestratorId,
  wrongDigest,
  rightDigest,
  isOrchestratorPinned,
}: OffenceFacts): string {
  return [
    `The evidence against worker ${workerId} holds.`,
    `  task          ${factsOf(work).summary}`,
    `  it signed     ${wrongDigest}`,
    `  right is      ${rightDigest}, computed here`,
    `  orchestrator  ${orchestratorId}${isOrchestratorPinned ? ', as you demanded' : ''}`,
    'What this proves: this key signed a wrong answer to this task. What it does not prove: that it meant to; a broken device',
    'gives wrong answers too.',
    ...(isOrchestratorPinned
      ? []
      : ['Whose orchestrator it was, you know only by its id: --orchestrator ID makes sure.']),
  ].join('\n')
}

export const evidenceCheck: Command = {
  name: 'evidence check',
  summary: 'repeat the finding that a worker’s answer was wrong, without trusting anyone',
  operands: ['FILE'],
  options: {
    orchestrator: {
      value: 'ID',
      what: 'whose delivery it must be: the id that you wrote down at first contact',
    },
  },
  more: 'FILE is what `npx shardy evidence fetch` writes.',
  example: 'evidence check evidence.json',
  async run(call) {
    const [file = ''] = call.operands
    const given = call.options.text('orchestrator')
    if (given !== undefined && !/^[0-9a-f]{64}$/.test(given)) {
      throw new Failure('usage', `--orchestrator is '${given}'; an id has 64 characters 0-9 and a-f`)
    }
    const checked = await checkOffence(readJson(await readBytesFrom(file, evidenceBytesMax)), {
      sha256,
      verify: verifySignatureSync,
      recompute: (work, input) => compute(work, input, call),
      fetchInput: (digest) => call.requester.download(digest),
      orchestratorId: given as OrchestratorId | undefined,
    })
    call.progress.clear()
    if (checked.ok) {
      const { work, ...facts } = checked.facts
      return {
        json: { ok: true, facts: { ...facts, work: factsOf(work).summary } },
        text: describe(checked.facts),
      }
    }
    const message = describeOffenceProblem(checked.problem)
    return {
      exit: 'badEvidence',
      json: { ok: false, problem: { ...checked.problem, message } },
      text: `The evidence does NOT hold: ${printable(message)}.`,
    }
  },
}

function readJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(content))
  } catch {
    return undefined
  }
}

export const evidenceFetch: Command = {
  name: 'evidence fetch',
  summary: 'fetch the evidence about a delivery whose answer was wrong',
  operands: ['DELIVERY_ID'],
  options: { to: { value: 'FILE', what: 'write it there instead of to the terminal' } },
  more: 'It holds the program and input of the task: an auditor’s key is needed. `npx shardy evidence check FILE` repeats the finding.',
  example: 'evidence fetch 0123456789abcdef0123456789abcdef --to evidence.json',
  async run({ operator, operands: [deliveryId = ''], options }) {
    if (!/^[0-9a-f]{32}$/.test(deliveryId)) {
      throw new Failure('usage', `'${deliveryId}' is no delivery id; one has 32 characters 0-9 and a-f`)
    }
    const file = options.text('to')
    if (file !== undefined) await assertWritable(file)
    const evidence = await operator.offence(deliveryId)
    const text = JSON.stringify(evidence, undefined, 2)
    if (file === undefined) return { json: evidence, text }
    await writeBytesTo(file, `${text}\n`)
    return {
      json: { deliveryId, file },
      text: `The evidence is in ${file}.\nNext:\n  npx shardy evidence check ${file}`,
    }
  },
}
