/** What the page's address asks for: `?start`, `?cpu` and `?orchestrator=ws://host:port`. */
import { workerSocketUrl } from '@shardy/worker'

export interface Parameters {
  readonly startsAtOnce: boolean
  readonly forcesCpu: boolean
  readonly socketUrl: string
  /** Not the server that the page came from: shown, so that nobody works for a stranger unawares. */
  readonly isForeign: boolean
}

export type ParsedParameters =
  | { readonly ok: true; readonly value: Parameters }
  | { readonly ok: false; readonly refusal: { readonly kind: 'badOrchestrator'; readonly actual: string } }

const protocols = ['ws:', 'wss:', 'http:', 'https:']

export function parseParameters(address: string): ParsedParameters {
  const page = new URL(address)
  const asked = page.searchParams.get('orchestrator')
  const orchestrator = asked === null ? page : URL.parse(asked)
  if (orchestrator === null || !protocols.includes(orchestrator.protocol)) {
    return { ok: false, refusal: { kind: 'badOrchestrator', actual: asked ?? page.href } }
  }
  return {
    ok: true,
    value: {
      startsAtOnce: page.searchParams.has('start'),
      forcesCpu: page.searchParams.has('cpu'),
      socketUrl: workerSocketUrl(orchestrator.href),
      isForeign: orchestrator.host !== page.host,
    },
  }
}
