/**
 * Every way a request can fail: one stable code, one status, one title. Server, client, OpenAPI and docs read this
 * table; a code that is not in it does not exist.
 */
export const errors = {
  malformedJson: { status: 400, title: 'The body is not JSON' },
  missingApiKey: { status: 401, title: 'An API key is needed' },
  badApiKey: { status: 401, title: 'The API key is not known here' },
  foreignSite: { status: 403, title: 'A page from elsewhere may not come here' },
  unknownRoute: { status: 404, title: 'There is nothing at this address' },
  unknownTask: { status: 404, title: 'No such task' },
  unknownBlob: { status: 404, title: 'No such blob' },
  methodNotAllowed: { status: 405, title: 'This address does not take that method' },
  idempotencyConflict: { status: 409, title: 'The idempotency key was used for another request' },
  taskNotVerified: { status: 409, title: 'The task is not verified' },
  taskNotEnded: { status: 409, title: 'The task has not ended' },
  taskEnded: { status: 409, title: 'The task has ended already' },
  outputNotKept: { status: 409, title: 'The task did not ask to keep its output' },
  offsetMismatch: { status: 409, title: 'The upload goes on at another offset' },
  uploadInProgress: { status: 409, title: 'Somebody is uploading this blob' },
  bodyTooLarge: { status: 413, title: 'The body is too large' },
  blobTooLarge: { status: 413, title: 'The blob is too large' },
  quotaExceeded: { status: 413, title: 'The quota is used up' },
  unsupportedMediaType: { status: 415, title: 'The body has the wrong content type' },
  rangeNotSatisfiable: { status: 416, title: 'The range lies outside the blob' },
  invalidField: { status: 422, title: 'A field has a value that is not allowed' },
  digestMismatch: { status: 422, title: 'The bytes do not have the digest they are named by' },
  inputMissing: { status: 422, title: 'The input blob is not here' },
  constantMissing: { status: 422, title: 'A blob that the program names is not here' },
  unknownDelivery: { status: 404, title: 'No such delivery is open' },
  internal: { status: 500, title: 'Something broke on our side' },
  overloaded: { status: 503, title: 'Too much is waiting; try again' },
  shuttingDown: { status: 503, title: 'The orchestrator is stopping' },
  storageFailed: { status: 507, title: 'The store could not take it' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>

export type ErrorCode = keyof typeof errors
