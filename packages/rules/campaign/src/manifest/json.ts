/**
 * A manifest as people write it: JSON, already parsed. The reader knows every field and takes no other; what may be
 * left out has a default here and nowhere else. How results are checked is read by whoever owns that policy.
 */
import {
  type Digest,
  type MicroCredit,
  programBytesMax,
  rewardMicroCreditMax,
  type TimeMs,
  values,
} from '@shardy/protocol'
import {
  failuresDefault,
  inlineBlobsMax,
  itemsMax,
  nameLengthMax,
  priorityMax,
  retriesDefault,
  retriesMax,
  secretNameLengthMax,
  taskTimeoutMsDefault,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
  templateBytesMax,
  verifyBytesMax,
  webhookUrlLengthMax,
  windowDefault,
  windowMax,
} from '../limits.ts'
import { campaignEventTypes } from '../record.ts'
import { encodeBase64 } from './base64.ts'
import { type CampaignInputs, inputKinds } from './inputs.ts'
import {
  type ManifestRefusal,
  type Place,
  Refused,
  readBytes,
  readChoice,
  readDecimal,
  readHex,
  readList,
  readObject,
  readOr,
  readText,
  readWhole,
  refuse,
  show,
} from './jsonPlace.ts'
import { type CampaignWebhook, flawOf, type Manifest } from './manifest.ts'

/** How the policy by which results are checked is read from JSON and written to it. */
export interface VerifyForm {
  /** Its canonical bytes, or what would have been right. */
  read(
    value: unknown,
  ): { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly bound: string }
  write(bytes: Uint8Array): unknown
}

export type ManifestReading =
  | { readonly ok: true; readonly value: Manifest }
  | { readonly ok: false; readonly refusal: ManifestRefusal }

const safeInteger = Number.MAX_SAFE_INTEGER
const amountMax = 2n ** 63n - 1n
const priorityDefault = 5
const outputs = ['keep', 'digest'] as const

export function readManifest(json: unknown, verifyForm: VerifyForm): ManifestReading {
  try {
    const value = readAll({ path: 'manifest', value: json }, verifyForm)
    const flaw = flawOf(value)
    if (flaw === undefined) return { ok: true, value }
    const { field, value: held, rule } = flaw
    return { ok: false, refusal: { kind: 'outOfBound', field, value: held, bound: rule } }
  } catch (thrown) {
    if (thrown instanceof Refused) return { ok: false, refusal: thrown.refusal }
    throw thrown
  }
}

function readAll(place: Place, verifyForm: VerifyForm): Manifest {
  const fields = readObject(place, [
    'name',
    'work',
    'inputs',
    'rewardMicroCredit',
    'budgetMicroCredit',
    'verify',
    'proof',
    'priority',
    'deadlineMs',
    'taskTimeoutMs',
    'window',
    'retriesMax',
    'stopAfterFailures',
    'webhook',
  ])
  return {
    name: readText(fields.name, nameLengthMax),
    work: readWork(fields.work),
    inputs: readInputs(fields.inputs),
    rewardMicroCredit: readDecimal(fields.rewardMicroCredit, rewardMicroCreditMax) as MicroCredit,
    budgetMicroCredit: readDecimal(fields.budgetMicroCredit, amountMax) as MicroCredit,
    verify: readVerify(fields.verify, verifyForm),
    proof: readOr(fields.proof, 'none', (proof) => readChoice(proof, values.proofKinds)),
    priority: readOr(fields.priority, priorityDefault, (priority) => readWhole(priority, 0, priorityMax)),
    deadlineMs: readWhole(fields.deadlineMs, 0, safeInteger) as TimeMs,
    taskTimeoutMs: readOr(fields.taskTimeoutMs, taskTimeoutMsDefault, (timeout) =>
      readWhole(timeout, taskTimeoutMsMin, taskTimeoutMsMax),
    ),
    window: readOr(fields.window, windowDefault, (window) => readWhole(window, 1, windowMax)),
    retriesMax: readOr(fields.retriesMax, retriesDefault, (retries) => readWhole(retries, 0, retriesMax)),
    stopAfterFailures: readOr<number | undefined>(fields.stopAfterFailures, failuresDefault, (failures) =>
      failures.value === null ? undefined : readWhole(failures, 1, itemsMax),
    ),
    webhook: readOr<CampaignWebhook | undefined>(fields.webhook, undefined, readWebhook),
  }
}

function readWork(place: Place): Manifest['work'] {
  const { kind, program, seed, output } = readObject(place, ['kind', 'program', 'seed', 'output'])
  return {
    kind: readChoice(kind, values.taskKinds),
    program: readBytes(program, programBytesMax),
    seed: readOr(seed, 0n, (given) => readDecimal(given, 2n ** 64n - 1n)),
    keepOutput: readOr(output, 'keep', (given) => readChoice(given, outputs)) === 'keep',
  }
}

function readInputs(place: Place): CampaignInputs {
  const { range, seeds, blobs, list } = readObject(place, inputKinds)
  const span = (from: Place, to: Place) => ({
    from: readOr(from, 0, (given) => readWhole(given, 0, safeInteger)),
    to: readWhole(to, 1, safeInteger),
  })
  return {
    range: readOr<CampaignInputs['range']>(range, undefined, (given) => {
      const { from, to, template, offset } = readObject(given, ['from', 'to', 'template', 'offset'])
      const bytes = readOr(template, new Uint8Array(0), (each) => readBytes(each, templateBytesMax))
      return {
        ...span(from, to),
        template: bytes,
        offset: readOr(offset, bytes.length, (each) => readWhole(each, 0, templateBytesMax)),
      }
    }),
    seeds: readOr<CampaignInputs['seeds']>(seeds, undefined, (given) => {
      const { from, to, input } = readObject(given, ['from', 'to', 'input'])
      return {
        ...span(from, to),
        input: readOr<Digest | undefined>(input, undefined, (each) => readHex(each, 32) as Digest),
      }
    }),
    blobs: readOr<CampaignInputs['blobs']>(blobs, undefined, (given) => {
      const { digests } = readObject(given, ['digests'])
      return { digests: readList(digests, inlineBlobsMax, (each) => readHex(each, 32) as Digest) }
    }),
    list: readOr<CampaignInputs['list']>(list, undefined, (given) => {
      const { digest, count } = readObject(given, ['digest', 'count'])
      return { digest: readHex(digest, 32) as Digest, count: readWhole(count, 1, itemsMax) }
    }),
  }
}

function readVerify(place: Place, form: VerifyForm): Uint8Array {
  const read = form.read(place.value)
  if (!read.ok) return refuse(place, read.bound)
  if (read.bytes.length > verifyBytesMax) throw new RangeError(`a policy of ${show(read.bytes.length)} bytes`)
  return read.bytes
}

function readWebhook(place: Place): CampaignWebhook {
  const { url, events, secretName } = readObject(place, ['url', 'events', 'secretName'])
  return {
    url: readText(url, webhookUrlLengthMax),
    events: readList(events, campaignEventTypes.length, (each) => readChoice(each, campaignEventTypes)),
    secretName: readText(secretName, secretNameLengthMax),
  }
}

/** The JSON value that reads back as the same manifest. */
export function writeManifest(value: Manifest, verifyForm: VerifyForm): Readonly<Record<string, unknown>> {
  const { work, inputs, rewardMicroCredit, budgetMicroCredit, verify, stopAfterFailures, webhook, ...rest } =
    value
  const { range, seeds, blobs, list } = inputs
  return {
    ...rest,
    work: {
      kind: work.kind,
      program: { base64: encodeBase64(work.program) },
      seed: String(work.seed),
      output: work.keepOutput ? 'keep' : 'digest',
    },
    inputs: {
      ...(range && { range: { ...range, template: { base64: encodeBase64(range.template) } } }),
      ...(seeds && { seeds }),
      ...(blobs && { blobs }),
      ...(list && { list }),
    },
    rewardMicroCredit: String(rewardMicroCredit),
    budgetMicroCredit: String(budgetMicroCredit),
    verify: verifyForm.write(verify),
    stopAfterFailures: stopAfterFailures ?? null,
    ...(webhook && { webhook }),
  }
}
