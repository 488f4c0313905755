/**
 * What a new campaign needs of the world before it is kept (spec K3): blobs that are there, a program that may run here, a
 * webhook that may be sent and its secret. Throws what the requester is told.
 */
import { ApiError } from '@shardy/api'
import { type CampaignWebhook, digestBytes } from '@shardy/campaign'
import type { Digest } from '@shardy/protocol'
import type { Operation } from '@shardy/storage'
import { policyProblem } from '../http/access.ts'
import { refuseConstants } from '../http/operands.ts'
import type { Services } from '../orchestrator.ts'
import type { Table } from '../tables.ts'
import { destinationOf, urlPolicyOf, type WebhookSettings } from './webhooks/destination.ts'
import { secretsPerRequesterMax } from './webhooks/secrets.ts'
import { type CampaignWork, refused, refuseInputLength } from './work.ts'

export async function admitCampaign(
  services: Services,
  work: CampaignWork,
  secret: Uint8Array | undefined,
): Promise<readonly Operation<Table>[]> {
  const { keeper, bookkeeper, workPolicy } = services
  const { manifest, requesterId, programId, facts } = work
  const { kind, program } = manifest.work
  const denied = workPolicy.refuse(
    { kind, programId, programBytes: program.length, complexity: facts.complexity },
    requesterId,
  )
  // How much in a minute is looked at for every item.
  if (denied !== undefined && denied.kind !== 'workRateLimited') throw policyProblem(denied)
  const wrong = refuseInputLength(work)
  if (wrong !== undefined) throw wrong
  if (work.work.kind === 'program') await refuseConstants(work.work.program, keeper)
  await refuseBlobs(services, work)
  const operations = await admitWebhook(services, work, secret)
  await bookkeeper.welcome(requesterId)
  return operations
}

async function refuseBlobs({ keeper }: Services, { manifest, facts }: CampaignWork): Promise<void> {
  const { seeds, blobs, list } = manifest.inputs
  const look = async (field: string, digest: Digest, least: number, most = least): Promise<void> => {
    const length = await keeper.length(digest)
    if (length === undefined) {
      throw new ApiError('inputMissing', {
        detail: `blob ${digest} is not here; PUT /v1/blobs/${digest} first`,
        field: `manifest.${field}`,
        value: digest,
      })
    }
    if (length >= least && length <= most) return
    const bound = least === most ? `${least} bytes` : `at least ${least} bytes`
    throw refused(
      field,
      `blob ${digest} has ${length} bytes; it must have ${bound}`,
      bound,
      `${length} bytes`,
    )
  }
  if (seeds?.input !== undefined) await look('inputs.seeds.input', seeds.input, facts.inputLength)
  if (list !== undefined) {
    await look('inputs.list.digest', list.digest, list.count * digestBytes, Number.POSITIVE_INFINITY)
  }
  for (const [index, digest] of (blobs?.digests ?? []).entries()) {
    await look(`inputs.blobs.digests.${index}`, digest, facts.inputLength)
  }
}

async function admitWebhook(
  { webhookSecrets, webhookSettings }: Services,
  { manifest: { webhook }, requesterId }: CampaignWork,
  secret: Uint8Array | undefined,
): Promise<readonly Operation<Table>[]> {
  if (webhook === undefined) {
    if (secret === undefined) return []
    const detail = 'webhookSecret is given, and the manifest has no webhook to sign'
    throw new ApiError('invalidField', { detail, field: 'webhookSecret', bound: 'none without a webhook' })
  }
  await refuseDestination(webhook, webhookSettings)
  const offered = await webhookSecrets.offer(requesterId, webhook.secretName, secret)
  if (offered.ok) return offered.operations
  const field = 'webhookSecret'
  switch (offered.refusal) {
    case 'missing': {
      const detail = `no secret named ${JSON.stringify(webhook.secretName)} was stored; send it with the campaign as webhookSecret`
      throw new ApiError('secretMissing', { detail, field })
    }
    case 'conflict': {
      const detail = `another secret is stored as ${JSON.stringify(webhook.secretName)}; use a new name for a new secret`
      throw new ApiError('secretConflict', { detail, field: 'manifest.webhook.secretName' })
    }
    case 'tooMany': {
      const bound = `at most ${secretsPerRequesterMax} secrets`
      throw new ApiError('quotaExceeded', {
        detail: `${bound} of a requester are kept; forget one`,
        field,
        bound,
      })
    }
  }
}

async function refuseDestination(
  { url }: CampaignWebhook,
  { reach, resolve }: WebhookSettings,
): Promise<void> {
  const field = 'manifest.webhook.url'
  const policy = urlPolicyOf(reach)
  if (policy === undefined) {
    throw new ApiError('webhookRefused', { detail: 'webhooks are switched off here', field, bound: 'none' })
  }
  const found = await destinationOf(url, policy, resolve)
  if (found.ok) return
  const { kind, bound } = found.refusal
  // Which address a name has here is told to nobody: it may be one that only we can see.
  const value = kind === 'address' ? 'an address that is not public' : found.refusal.value
  throw new ApiError('webhookRefused', {
    detail: `${field}: ${kind}: ${value}; it must be ${bound}`,
    field,
    value,
    bound,
  })
}
