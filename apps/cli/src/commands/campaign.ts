/** Campaigns: many tasks from one manifest. */
import { open, rename, rm } from 'node:fs/promises'
import { payloadBytesMax } from '@shardy/protocol'
import type { CampaignView, ItemResultView, ManifestJson, Requester } from '@shardy/sdk'
import { encodeProgram } from '@shardy/tensor'
import type { Call, Command, Outcome } from '../command.ts'
import type { Exit } from '../exit.ts'
import { Failure } from '../failure.ts'
import { assertWritable, readBytesFrom } from '../files.ts'
import { readProgram } from '../programs.ts'
import { count, credits, duration, printable, printableJson, short, table } from '../wording.ts'

const campaignOperand = 'CAMPAIGN_ID'
const manifestBytesMax = 1024 * 1024
const lookMs = 1_000

function campaignIdOf([word = '']: readonly string[]): string {
  if (/^[0-9a-f]{32}$/.test(word)) return word
  throw new Failure('usage', `'${word}' is no campaign id; one has 32 characters 0-9 and a-f`, {
    next: '`npx shardy campaign list` shows the campaigns there are.',
  })
}

const settled = ({ verified, accepted, dead, refused, cancelled }: CampaignView): number =>
  verified + accepted + dead + refused + cancelled

function fates(view: CampaignView): string {
  const words = ['verified', 'accepted', 'dead', 'refused', 'cancelled'] as const
  return (
    words.flatMap((word) => (view[word] > 0 ? [`${view[word]} ${word}`] : [])).join(', ') || 'no result yet'
  )
}

/** One line that says how far it is. */
export function progressLine(view: CampaignView): string {
  const { campaignId, status, reason, total, itemsPerSecond, etaMs, heldUpBy } = view
  const done = settled(view)
  const parts = [
    `campaign ${short(campaignId)} ${status}${reason === undefined ? '' : ` (${reason})`}`,
    `${done} of ${total} (${Math.floor((100 * done) / total)} %)`,
    fates(view),
    ...(itemsPerSecond === undefined ? [] : [`${itemsPerSecond.toFixed(1)} items/s`]),
    ...(etaMs === undefined ? [] : [`about ${duration(etaMs)} left`]),
    ...(heldUpBy === undefined || heldUpBy.kind === 'window' ? [] : [heldUpBy.detail]),
  ]
  return parts.join('; ')
}

function describeCampaign(view: CampaignView): string {
  const { campaignId, name, kind, status, reason, total, open: openItems, remaining, heldUpBy } = view
  const lines = [
    `Campaign ${campaignId} is ${status}${reason === undefined ? '' : ` (${reason})`}.`,
    `  name       ${printable(name)}`,
    `  kind       ${kind}`,
    `  items      ${total}: ${fates(view)}; ${openItems} open, ${remaining} not begun`,
    `  cost       ${credits(BigInt(view.spentMicroCredit))} of ${credits(BigInt(view.budgetMicroCredit))} test credits`,
    `  deadline   ${new Date(view.deadlineMs).toISOString()}`,
    ...(view.itemsPerSecond === undefined ? [] : [`  pace       ${view.itemsPerSecond.toFixed(1)} items/s`]),
    ...(view.etaMs === undefined ? [] : [`  time left  about ${duration(view.etaMs)}`]),
    ...(heldUpBy === undefined ? [] : [`  held up    ${printable(heldUpBy.detail)}`]),
    ...(view.accepted > 0 ? ['  Accepted answers were neither checked, agreed on nor computed again.'] : []),
    'Next:',
    `  npx shardy campaign ${status === 'ended' ? `results ${campaignId} --to results.ndjson` : `watch ${campaignId}`}`,
  ]
  return lines.join('\n')
}

function exitOf({ status, total, verified, accepted }: CampaignView): Exit {
  if (status !== 'ended' || verified === total) return 'done'
  return verified + accepted === total ? 'accepted' : 'notVerified'
}

const outcomeOf = (view: CampaignView): Outcome => ({
  json: view,
  text: describeCampaign(view),
  exit: exitOf(view),
})

async function readManifestFile(file: string): Promise<Record<string, unknown>> {
  const text = new TextDecoder().decode(await readBytesFrom(file, manifestBytesMax))
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new Failure('usage', `${file} is no JSON: ${(cause as Error).message}`, { cause })
  }
  throw new Failure('usage', `${file} is no manifest; docs/campaigns.md shows one`)
}

const unitsMs: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }

function deadlineOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const [, number, unit = ''] = /^([1-9]\d{0,4})(min|h|d)$/.exec(text) ?? []
  const unitMs = unitsMs[unit]
  if (unitMs !== undefined) return nowMs + Number(number) * unitMs
  throw new Failure('usage', `--deadline is '${text}'; it must be such as 90min, 12h or 30d`)
}

export const campaignCreate: Command = {
  name: 'campaign create',
  summary: 'begin many tasks from one manifest',
  operands: ['MANIFEST'],
  options: {
    program: {
      value: 'FILE',
      what: 'the exact program that every item runs, instead of `work` in the manifest',
    },
    deadline: { value: 'TIME', what: 'from now: 90min, 12h, 30d; instead of `deadlineMs` in the manifest' },
    secret: {
      value: 'FILE',
      what: '16 to 256 bytes that webhooks are signed with; kept under its name, never shown',
    },
    once: { value: 'KEY', what: 'creating twice with one key is one campaign' },
    watch: { what: 'stay until it has ended' },
  },
  more: 'MANIFEST is JSON: docs/campaigns.md has one that works. Workers that compute an item see its input.',
  example: 'campaign create sweep.json --deadline 2h --watch',
  async run(call) {
    const { operands, options, requester, world } = call
    const [file = ''] = operands
    const given = await readManifestFile(file)
    const program = options.text('program')
    const deadlineMs = deadlineOf(options.text('deadline'), world.nowMs())
    const secretFile = options.text('secret')
    const webhookSecret = secretFile === undefined ? undefined : await readBytesFrom(secretFile, 256)
    const work = program !== undefined && {
      work: {
        ...(given.work as object | undefined),
        kind: 'program',
        program: { base64: encodeProgram(await readProgram(program)).toBase64() },
      },
    }
    // What is in it is for the orchestrator to judge, which names the field.
    const manifest = {
      ...given,
      ...work,
      ...(deadlineMs !== undefined && { deadlineMs }),
    } as unknown as ManifestJson
    const idempotencyKey = options.text('once')
    const campaign = await requester.campaigns.create(manifest, { webhookSecret, idempotencyKey })
    return options.has('watch') ? watchToEnd(call, campaign.campaignId) : outcomeOf(campaign)
  },
}

const limitMax = 100

export const campaignList: Command = {
  name: 'campaign list',
  summary: 'show your campaigns, newest first',
  operands: [],
  options: {
    limit: { value: 'N', what: `at most so many, 1 to ${limitMax}; 20 unless given` },
    cursor: { value: 'CURSOR', what: 'go on where an earlier list ended' },
  },
  example: 'campaign list --limit 5',
  async run({ requester, options, world }) {
    const cursor = options.text('cursor')
    const limit = options.whole('limit', 1, limitMax) ?? 20
    const page = await requester.campaigns.list({ limit, ...(cursor !== undefined && { cursor }) })
    if (page.campaigns.length === 0) return { json: page, text: 'No campaigns yet.' }
    const rows = page.campaigns.map((view) => [
      view.campaignId,
      view.status,
      `${settled(view)}/${view.total}`,
      printable(view.name),
      `${duration(world.nowMs() - view.createdAtMs)} ago`,
    ])
    const shown = table([['CAMPAIGN_ID', 'STATUS', 'RESULTS', 'NAME', 'BEGUN'], ...rows])
    const next = page.nextCursor
    // The server's own text, in a line that people copy into a shell: only a plain one is shown.
    const more =
      next === undefined || !/^[0-9a-f]+$/.test(next)
        ? ''
        : `\nThere are more:\n  npx shardy campaign list --cursor ${next}`
    return { json: page, text: `${shown}${more}` }
  },
}

function word(
  name: string,
  summary: string,
  act: (campaigns: Requester['campaigns'], campaignId: string) => Promise<CampaignView>,
): Command {
  return {
    name: `campaign ${name}`,
    summary,
    operands: [campaignOperand],
    options: {},
    example: `campaign ${name} 0123456789abcdef0123456789abcdef`,
    async run({ requester, operands }) {
      const view = await act(requester.campaigns, campaignIdOf(operands))
      return { json: view, text: describeCampaign(view) }
    },
  }
}

export const campaignShow = word('show', 'show one campaign', (campaigns, id) => campaigns.get(id))
export const campaignPause = word('pause', 'submit nothing more for now; open items go on', (campaigns, id) =>
  campaigns.pause(id),
)
export const campaignResume = word('resume', 'go on with a paused campaign', (campaigns, id) =>
  campaigns.resume(id),
)
export const campaignCancel = word(
  'cancel',
  'end a campaign; its open items are cancelled',
  (campaigns, id) => campaigns.cancel(id),
)

export const campaignWatch: Command = {
  name: 'campaign watch',
  summary: 'stay until a campaign has ended, saying how far it is',
  operands: [campaignOperand],
  options: {},
  example: 'campaign watch 0123456789abcdef0123456789abcdef',
  async run(call) {
    return watchToEnd(call, campaignIdOf(call.operands))
  },
}

async function watchToEnd(call: Call, campaignId: string): Promise<Outcome> {
  const { requester, progress, world, onInterrupt } = call
  const { campaigns } = requester
  onInterrupt(`The campaign goes on. \`npx shardy campaign watch ${campaignId}\` watches it again.`)
  let isOver = false
  const show = (view: CampaignView): void => {
    if (!isOver) progress.show(progressLine(view))
  }
  // Asked first, so that a wrong id is told at once; a later look that fails is no loss.
  show(await campaigns.get(campaignId))
  const stop = world.every(lookMs, () => void campaigns.get(campaignId).then(show, () => {}))
  try {
    for await (const _ of campaigns.watch(campaignId, { signal: world.signal })) {
      // Each is a reason to look; what it says is in the look.
    }
  } finally {
    isOver = true
    stop()
    progress.clear()
  }
  return outcomeOf(await campaigns.get(campaignId))
}

export const campaignResults: Command = {
  name: 'campaign results',
  summary: 'the results so far, in order of index, a JSON object a line',
  operands: [campaignOperand],
  options: {
    from: { value: 'INDEX', what: 'the first that is wanted; 0 unless given' },
    to: { value: 'FILE', what: 'write them there instead of printing them' },
  },
  more:
    'They end before the first item that has no result yet. An output is had with `npx shardy output TASK_ID`. A result that is\n' +
    'accepted was neither checked, agreed on nor computed again.',
  example: 'campaign results 0123456789abcdef0123456789abcdef --to results.ndjson',
  async run({ requester, operands, options, world, progress }) {
    const campaignId = campaignIdOf(operands)
    const from = options.whole('from', 0, payloadBytesMax) ?? 0
    const file = options.text('to')
    const results = requester.campaigns.results(campaignId, { from, signal: world.signal })
    if (file === undefined) {
      for await (const result of results) world.print(`${printableJson(result)}\n`)
      return undefined
    }
    await assertWritable(file)
    const written = await writeLines(file, results, (lines) =>
      progress.show(`${count(lines, 'result')} so far`),
    )
    progress.clear()
    const next = from + written
    return {
      json: { campaignId, file, results: written, nextIndex: next },
      text: `${count(written, 'result')} are in ${file}; --from ${next} goes on from there.`,
    }
  },
}

const linesAtOnce = 1_024

/** Whole or not at all, and never more than a piece of it in memory. */
async function writeLines(
  file: string,
  results: AsyncIterable<ItemResultView>,
  onLines: (lines: number) => void,
): Promise<number> {
  const partial = `${file}.${process.pid}.partial`
  const handle = await open(partial, 'w')
  let lines = 0
  let text = ''
  try {
    for await (const result of results) {
      text += `${JSON.stringify(result)}\n`
      if (++lines % linesAtOnce !== 0) continue
      await handle.write(text)
      text = ''
      onLines(lines)
    }
    await handle.write(text)
    await handle.close()
    await rename(partial, file)
    return lines
  } catch (cause) {
    await handle.close().catch(() => {})
    await rm(partial, { force: true })
    throw cause
  }
}
