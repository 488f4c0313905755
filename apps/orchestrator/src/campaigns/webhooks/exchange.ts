/**
 * One POST to one address that was judged before (spec K12). The line goes to that address and nowhere else; the name stands in
 * `Host` and is what the certificate must be for. Of the answer only the head is read, so nothing it says can grow or be followed.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls'
import type { WebhookOutcome, WebhookUrl } from '@shardy/campaign'
import type { DurationMs } from '@shardy/protocol'

export interface ExchangeLimits {
  /** From the first packet to the end of the answer's head. */
  readonly totalMsMax: number
  readonly headBytesMax: number
}

export const defaultExchangeLimits: ExchangeLimits = { totalMsMax: 10_000, headBytesMax: 16 * 1024 }

export interface Exchange {
  readonly url: WebhookUrl
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Who may sign certificates, in PEM; the system's own when it is left out. */
  readonly authorities?: string | undefined
}

const failed = (code: string): WebhookOutcome => ({ kind: 'failed', code })

export function exchange(
  { url, address, headers, body, authorities }: Exchange,
  nowMs: () => number,
  { totalMsMax, headBytesMax }: ExchangeLimits = defaultExchangeLimits,
): Promise<WebhookOutcome> {
  const { host, port, isAddress, scheme } = url
  return new Promise((resolve) => {
    let head = ''
    const socket: Socket | TLSSocket =
      scheme === 'http'
        ? connectTcp({ host: address, port })
        : connectTls({
            host: address,
            port,
            rejectUnauthorized: true,
            ALPNProtocols: ['http/1.1'],
            // An address has no place in SNI.
            ...(!isAddress && { servername: host }),
            ...(authorities !== undefined && { ca: authorities }),
            checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
          })
    const timer = setTimeout(() => end(failed('timeout')), totalMsMax)

    function end(outcome: WebhookOutcome): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }

    function ready(): void {
      if (scheme === 'https') {
        const line = socket as TLSSocket
        // Looked at here as well: that a library checks is not something to hope for.
        if (!line.authorized) return end(failed('certificate'))
        if (checkServerIdentity(host, line.getPeerCertificate()) !== undefined)
          return end(failed('certificateName'))
      }
      socket.write(requestText(url, headers, body))
    }

    socket.once(scheme === 'http' ? 'connect' : 'secureConnect', ready)
    socket.on('data', (bytes: Uint8Array) => {
      head += Buffer.from(bytes).toString('latin1')
      const outcome = outcomeOf(head, nowMs())
      if (outcome !== undefined) end(outcome)
      else if (head.length > headBytesMax) end(failed('headTooLarge'))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => end(failed(codeOf(error))))
    socket.on('close', () => end(failed('closed')))
  })
}

function requestText(
  { host, port, scheme, target }: WebhookUrl,
  headers: Exchange['headers'],
  body: string,
): string {
  const name = host.includes(':') ? `[${host}]` : host
  const isUsual = port === (scheme === 'https' ? 443 : 80)
  const all = {
    host: isUsual ? name : `${name}:${port}`,
    'user-agent': 'shardy-webhook/1',
    'content-length': String(body.length),
    connection: 'close',
    ...headers,
  }
  const lines = Object.entries(all).map(([field, value]) => `${field}: ${value}\r\n`)
  return `POST ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Undefined while the head is not whole. A 1xx is not the answer yet. */
export function outcomeOf(text: string, nowMs: number): WebhookOutcome | undefined {
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...fields] = rest.slice(0, end).split('\r\n')
    const [, digits] = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: |$)/.exec(first) ?? []
    if (digits === undefined) return failed('notHttp')
    const status = Number(digits)
    if (status >= 200) return { kind: 'answered', status, retryAfterMs: retryAfterOf(fields, nowMs) }
    // Nobody asked to speak something else.
    if (status === 101) return failed('notHttp')
    rest = rest.slice(end + 4)
  }
}

/** Seconds, or a date. */
function retryAfterOf(fields: readonly string[], nowMs: number): DurationMs | undefined {
  const given = fields
    .map((each) => /^retry-after:\s*(.*?)\s*$/i.exec(each)?.[1])
    .find((each) => each !== undefined)
  if (given === undefined) return undefined
  if (/^[0-9]{1,9}$/.test(given)) return (Number(given) * 1000) as DurationMs
  const atMs = Date.parse(given)
  return Number.isNaN(atMs) || !/^[A-Z][a-z]{2}, /.test(given)
    ? undefined
    : (Math.max(0, atMs - nowMs) as DurationMs)
}

/** What went wrong with the line, in one of few words: what a stranger's server says is repeated nowhere. */
function codeOf({ code = '' }: NodeJS.ErrnoException): string {
  if (/CERT|TLS|SSL|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return code.includes('ALTNAME') ? 'certificateName' : 'certificate'
  return code === 'ECONNREFUSED' ? 'connectionRefused' : code === 'ECONNRESET' ? 'closed' : 'noConnection'
}
