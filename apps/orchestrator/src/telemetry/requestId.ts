/**
 * The id by which a request is found again in the log and in the requester's own: the one that it brought, when that
 * is a plain word, or a new one. Every answer carries it.
 */
export const requestIdHeader = 'x-request-id'

const plainWord = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export interface RequestIds {
  /** The same for the same request, however often it is asked for. */
  of(request: Request): string
  /** Lets a copy of a request keep its id. */
  share<R extends Request>(from: Request, to: R): R
}

export function createRequestIds(randomHex: (bytes: number) => string): RequestIds {
  const ids = new WeakMap<Request, string>()
  function of(request: Request): string {
    const known = ids.get(request)
    if (known !== undefined) return known
    const brought = request.headers.get(requestIdHeader) ?? ''
    const id = plainWord.test(brought) ? brought : randomHex(8)
    ids.set(request, id)
    return id
  }
  return {
    of,
    share(from, to) {
      ids.set(to, of(from))
      return to
    },
  }
}
