/**
 * A route as data: what goes in, what comes out, what can go wrong. Server, client and OpenAPI are made from it, so
 * they cannot disagree.
 */
import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type { ErrorCode } from './errors.ts'
import type { Scope } from './scopes.ts'

export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** `/v1/tasks/:taskId` */
  readonly path: string
  readonly summary: string
  /** What a key must hold to come here; `public` routes take no key. There is no default: every route says it. */
  readonly scope: Scope | 'public'
  readonly params?: TObject
  readonly query?: TObject
  readonly headers?: TObject
  /** A JSON body; `bytes` is a raw stream. */
  readonly body?: TSchema | 'bytes'
  /** By status. `bytes` and `events` are streams, `text` is plain, `none` is empty. */
  readonly responses: Readonly<Record<number, TSchema | 'bytes' | 'events' | 'text' | 'none'>>
  readonly errors: readonly ErrorCode[]
}

type Of<Schema> = Schema extends TSchema ? Static<Schema> : undefined

/** What a handler is given once everything has been checked. */
export interface Parsed<R extends Route> {
  readonly params: Of<R['params']>
  readonly query: Of<R['query']>
  readonly headers: Of<R['headers']>
  readonly body: Of<R['body']>
}

/** The JSON that a route answers with. */
export type Answer<R extends Route> = Of<R['responses'][keyof R['responses']]>

export function route<const R extends Route>(definition: R): R {
  return definition
}
