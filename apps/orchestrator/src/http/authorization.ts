/** Who is asking: the API key in the Authorization header, by the hash under which it is known. */
import { ApiError } from '@shardy/api'
import type { RequesterId } from '@shardy/protocol'
import type { ApiKeys } from '../apiKeys.ts'

export function requesterOf(request: Request, apiKeys: ApiKeys): RequesterId {
  const header = request.headers.get('authorization')
  if (header === null) {
    throw new ApiError(
      'missingApiKey',
      'send it as `Authorization: Bearer …`; `npm start` prints where it lies',
    )
  }
  const key = /^Bearer ([\x21-\x7e]{1,256})$/.exec(header)?.[1]
  const requester = key && apiKeys.requester(key)
  if (!requester)
    throw new ApiError('badApiKey', 'the key in the Authorization header is none of this orchestrator')
  return requester
}
