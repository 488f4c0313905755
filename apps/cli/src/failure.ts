/** A command that cannot go on: what was wrong, how the process ends, and what to do next. */
import {
  ApiError,
  type ErrorCode,
  MalformedReceiptError,
  UnexpectedAnswerError,
  UnreachableError,
  UploadStalledError,
  WrongBytesError,
} from '@shardy/sdk'
import { StoreError, type StoreErrorKind } from '@shardy/storage'
import type { Exit } from './exit.ts'

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exit: Exit
  /** What the person can do about it. */
  readonly next: string | undefined
  constructor(
    exit: Exit,
    message: string,
    options: { readonly next?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.exit = exit
    this.next = options.next
  }
}

const nextSteps: Partial<Readonly<Record<ErrorCode, string>>> = {
  missingApiKey:
    'Give the key with --key or SHARDY_API_KEY. The one of a local network lies in .shardy/api-key; ' +
    'it is found in the folder where `npm start` runs, or in SHARDY_DATA when that was set there.',
  badApiKey: 'Look for the right key: `npm start` prints where it lies.',
  revokedApiKey: 'Ask an admin for another: `npx shardy key create`.',
  expiredApiKey: 'Ask an admin for another: `npx shardy key create`.',
  missingScope: 'Ask an admin for a key with the right role: `npx shardy key create --help`.',
  rateLimited: 'Try again in a moment.',
  workRateLimited: 'Try again in a moment.',
  unknownCampaign: '`npx shardy campaign list` shows the campaigns there are.',
  secretMissing: 'Give the secret with --secret FILE.',
  unknownTask: '`npx shardy list` shows the tasks there are.',
  insufficientFunds: '`npx shardy balance` shows what there is; a smaller --reward needs less.',
  draining: 'Try again later: an operator lets work run out.',
  tooManyLive: 'Wait until some of your tasks have ended.',
  taskNotVerified:
    '`npx shardy wait TASK_ID` waits until it has ended; one that is accepted is never verified.',
  cursorTooOld: '`npx shardy events --after oldest` begins with what is kept.',
  cursorAhead: '`npx shardy events --after oldest` begins with what is kept.',
  quotaExceeded: 'Forget ended tasks to let go of their inputs and outputs.',
  overloaded: 'Try again in a moment.',
  shuttingDown: 'Try again in a moment.',
}

const storeSteps: Partial<Readonly<Record<StoreErrorKind, string>>> = {
  backupTruncated: 'Make the backup again; this one cannot be restored.',
  backupChanged: 'Make the backup again; this one cannot be restored.',
  backupForeign: 'Name a file that `npx shardy backup` has written.',
  notEmpty: 'Name a folder that is not there yet.',
  diskFull: 'Make room, and try again.',
}

/** What any error means to the person at the terminal. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  const as = (exit: Exit, next?: string) => new Failure(exit, message, { next, cause: error })
  if (error instanceof UnreachableError) {
    return as('unreachable', 'Start one here with `npm start`, or name another with --url or SHARDY_URL.')
  }
  if (error instanceof ApiError) {
    const { code, status } = error.problem
    return as(status === 401 || code === 'missingScope' ? 'notAllowed' : 'refused', nextSteps[code])
  }
  if (error instanceof StoreError) return as('file', storeSteps[error.kind])
  if (error instanceof UnexpectedAnswerError) {
    return as(
      'unexpectedAnswer',
      'Is another program listening there? --url or SHARDY_URL names the address.',
    )
  }
  if (error instanceof MalformedReceiptError) return as('badReceipt')
  if (error instanceof WrongBytesError) return as('wrongBytes', 'Try again; if it stays so, do not trust it.')
  if (error instanceof UploadStalledError) return as('refused', 'Try again in a moment.')
  return as('failed', 'This is a bug. Please report it with the command that you typed.')
}
