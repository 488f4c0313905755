/**
 * Where a webhook goes: its name is resolved, every address judged, and one of the judged addresses is what is connected to
 * (spec K12). Asked when a campaign is created and before every attempt.
 */
import { lookup } from 'node:dns/promises'
import {
  parseWebhookUrl,
  refuseWebhookUrl,
  strictUrlPolicy,
  type WebhookUrl,
  type WebhookUrlPolicy,
  type WebhookUrlRefusal,
} from '@shardy/campaign'

/** Every address of a name; none when it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>

export type Destination =
  | { readonly ok: true; readonly url: WebhookUrl; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly refusal: WebhookUrlRefusal }

const resolveMsMax = 5_000
const addressesMax = 32

export const systemResolve: Resolve = async (name) => {
  const late = new Promise<readonly []>((resolve) => setTimeout(() => resolve([]), resolveMsMax).unref())
  const found = lookup(name, { all: true }).then(
    (all) => all.map(({ address }) => address),
    () => [],
  )
  return Promise.race([found, late])
}

/** Machines of one's own, and anything on them: for tests, and for networks without strangers. */
export const privateUrlPolicy: WebhookUrlPolicy = {
  allowsHttp: true,
  allowsPrivate: true,
  ports: Array.from({ length: 65_535 }, (_, index) => index + 1),
}

/** What an operator says: nothing is sent at all, to public addresses, or to any. */
export const webhookReaches = ['off', 'public', 'private'] as const
export type WebhookReach = (typeof webhookReaches)[number]

export interface WebhookSettings {
  readonly reach: WebhookReach
  readonly resolve: Resolve
}

export function urlPolicyOf(reach: WebhookReach): WebhookUrlPolicy | undefined {
  if (reach === 'off') return undefined
  return reach === 'private' ? privateUrlPolicy : strictUrlPolicy
}

export async function destinationOf(
  url: string,
  policy: WebhookUrlPolicy,
  resolve: Resolve,
): Promise<Destination> {
  const parsed = parseWebhookUrl(url)
  if (!parsed.ok) return parsed
  const { host, isAddress } = parsed.value
  // A name that is refused anyway is not asked about: it might be one of ours.
  const early = refuseWebhookUrl(url, [judgedAlone], policy)
  if (early !== undefined && early.kind !== 'address') return { ok: false, refusal: early }
  const addresses = isAddress ? [host] : [...new Set(await resolve(host))]
  const refusal = refuseWebhookUrl(url, addresses, policy)
  if (refusal !== undefined) return { ok: false, refusal }
  return { ok: true, url: parsed.value, addresses: addresses.slice(0, addressesMax) }
}

/** Public, so that everything but the addresses can be judged first. */
const judgedAlone = '1.1.1.1'
