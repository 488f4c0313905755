/**
 * A campaign's manifest (spec K1): what is computed on what, for how much, until when. Its canonical bytes are what is
 * kept; how a result is checked is carried as bytes that others read.
 */
import {
  bits64,
  blob,
  choice,
  field,
  flag,
  type Infer,
  list,
  message,
  optional,
  programBytesMax,
  rewardMicroCreditMax,
  text,
  values,
  whole,
} from '@shardy/protocol'
import {
  itemsMax,
  nameLengthMax,
  priorityMax,
  retriesMax,
  secretNameLengthMax,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
  verifyBytesMax,
  webhookUrlLengthMax,
  windowMax,
} from '../limits.ts'
import { campaignEventTypes } from '../record.ts'
import { parseWebhookUrl } from '../webhook/url.ts'
import { campaignInputs, type Flaw, inputsFlaw } from './inputs.ts'

const campaignWork = message('CampaignWork', {
  kind: field(1, values.taskKind),
  /** Canonical bytes of what is run on every item. */
  program: field(2, blob(programBytesMax)),
  /** Of every item, unless the inputs are seeds. */
  seed: field(3, bits64()),
  keepOutput: field(4, flag()),
})

const campaignWebhook = message('CampaignWebhook', {
  url: field(1, text(webhookUrlLengthMax)),
  /** In the order in which the words are listed, each once. */
  events: field(2, list(choice(campaignEventTypes), campaignEventTypes.length)),
  /** The name of a secret that the requester has stored; the secret itself is in no manifest. */
  secretName: field(3, text(secretNameLengthMax)),
})

export const manifest = message(
  'CampaignManifest',
  {
    name: field(1, text(nameLengthMax)),
    work: field(2, campaignWork.codec),
    inputs: field(3, campaignInputs.codec),
    /** The most that one attempt at one item may cost. */
    rewardMicroCredit: field(4, values.microCredit),
    /** The most that all of them together may cost. */
    budgetMicroCredit: field(5, values.microCredit),
    verify: field(6, blob(verifyBytesMax)),
    proof: field(7, values.proofKind),
    priority: field(8, whole(0, priorityMax)),
    deadlineMs: field(9, values.timeMs),
    /** For one attempt; it never outlasts the campaign's deadline. */
    taskTimeoutMs: field(10, whole(taskTimeoutMsMin, taskTimeoutMsMax)),
    /** Tasks that live at once. */
    window: field(11, whole(1, windowMax)),
    /** More attempts at an item whose task died. */
    retriesMax: field(12, whole(0, retriesMax)),
    /** So many dead or refused items end the campaign; absent: none do. */
    stopAfterFailures: field(13, optional(whole(1, itemsMax))),
    webhook: field(14, optional(campaignWebhook.codec)),
  },
  flawOf,
)
export type Manifest = Infer<typeof manifest>
export type CampaignWebhook = Infer<typeof campaignWebhook>

/** The first rule over several fields that is broken. */
export function flawOf(value: {
  readonly name: string
  readonly work: Infer<typeof campaignWork>
  readonly inputs: Infer<typeof campaignInputs>
  readonly rewardMicroCredit: bigint
  readonly budgetMicroCredit: bigint
  readonly webhook: CampaignWebhook | undefined
}): Flaw | undefined {
  const { name, work, inputs, rewardMicroCredit, budgetMicroCredit, webhook } = value
  if (name === '') return { field: 'name', value: '""', rule: `1 to ${nameLengthMax} characters` }
  if (work.program.length === 0) {
    return { field: 'work.program', value: '0 bytes', rule: `1 to ${programBytesMax} bytes` }
  }
  if (rewardMicroCredit > rewardMicroCreditMax) {
    return {
      field: 'rewardMicroCredit',
      value: String(rewardMicroCredit),
      rule: `0 to ${rewardMicroCreditMax}`,
    }
  }
  if (budgetMicroCredit < rewardMicroCredit) {
    const rule = `at least the reward of one item, ${rewardMicroCredit}`
    return { field: 'budgetMicroCredit', value: String(budgetMicroCredit), rule }
  }
  if (inputs.seeds !== undefined && work.seed !== 0n) {
    return {
      field: 'work.seed',
      value: String(work.seed),
      rule: '0, because the inputs give each item its seed',
    }
  }
  return inputsFlaw(inputs) ?? (webhook === undefined ? undefined : webhookFlaw(webhook))
}

function webhookFlaw({ url, events, secretName }: CampaignWebhook): Flaw | undefined {
  const parsed = parseWebhookUrl(url)
  if (!parsed.ok) return { field: 'webhook.url', value: url, rule: parsed.refusal.bound }
  const numbers = events.map((type) => campaignEventTypes.indexOf(type))
  if (events.length === 0 || numbers.some((number, place) => number <= (numbers[place - 1] ?? -1))) {
    const rule = `at least one of ${campaignEventTypes.join(', ')}, in this order, each once`
    return { field: 'webhook.events', value: events.join(', ') || 'none', rule }
  }
  if (secretName === '') {
    return { field: 'webhook.secretName', value: '""', rule: `1 to ${secretNameLengthMax} characters` }
  }
  return undefined
}
