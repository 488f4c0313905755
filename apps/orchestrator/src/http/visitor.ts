/**
 * Which pages may talk to this orchestrator. A browser lets any page open a WebSocket to any address, a private one
 * included, and a name may be pointed at 127.0.0.1; programs that are no browser send no Origin and are not concerned.
 */
import { ApiError } from '@shardy/api'

export interface VisitorPolicy {
  /** The address listened on. On a loopback address only loopback names are answered to. */
  readonly host: string
  /** Origins besides our own, such as `https://app.example`. */
  readonly origins: readonly string[]
}

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]'])
const isLoopback = (host: string): boolean => loopbackNames.has(host) || host === '::1'

function foreign(field: string, value: string, bound: string): ApiError {
  const shown = JSON.stringify(value.slice(0, 80))
  return new ApiError('foreignSite', {
    detail: `${field} is ${shown}, not ${bound}`,
    field,
    value: shown,
    bound,
  })
}

/** Throws what the visitor is told. */
export function refuseForeign(request: Request, url: URL, { host, origins }: VisitorPolicy): void {
  if (isLoopback(host) && !isLoopback(url.hostname)) {
    throw foreign(
      'host',
      url.host,
      `one of ${[...loopbackNames].join(', ')}: this orchestrator is for its own machine`,
    )
  }
  const origin = request.headers.get('origin')
  if (origin === null || origins.includes(origin)) return
  if (URL.parse(origin)?.host !== url.host)
    throw foreign('origin', origin, `this orchestrator or one of SHARDY_ORIGINS`)
}
