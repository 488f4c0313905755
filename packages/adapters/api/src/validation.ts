/**
 * From a raw request to a handler's typed arguments, or to a problem that names the field, its value and what is
 * allowed. Bodies are read with a limit; a route with a raw body is left its stream.
 */
import { Kind, type TSchema } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { readBytes } from './body.ts'
import { ApiError } from './problem.ts'
import type { Parsed, Route } from './route.ts'

/** Room for the largest inline input and the rest of a submission. */
export const jsonBytesMax = 2 * 1024 * 1024
const shownMax = 80
/** No request is nearly as deep; a parser spends far longer on a megabyte of brackets than on one of values. */
const jsonDepthMax = 64

/** A value in a few characters. Only its surface is looked at: a hostile one may be huge, or deeper than the stack. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value)
    const shown = names.slice(0, 4).map((name) => JSON.stringify(cut(name)))
    return cut(`an object with ${names.length === 0 ? 'no field' : shown.join(', ')}`)
  }
  return typeof value === 'string' ? JSON.stringify(cut(value)) : String(value)
}

const cut = (text: string): string => (text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)

/** What a schema allows, in a few words. */
function boundOf(schema: TSchema): string {
  const {
    minimum,
    maximum,
    pattern,
    const: word,
    maxLength,
    type,
    anyOf,
  } = schema as Readonly<Record<string, unknown>>
  if (word !== undefined) return JSON.stringify(word)
  if (minimum !== undefined || maximum !== undefined) {
    return `${String(type)} from ${String(minimum ?? 'any')} to ${String(maximum ?? 'any')}`
  }
  if (maxLength !== undefined || pattern !== undefined) {
    const length = maxLength === undefined ? '' : ` of at most ${String(maxLength)} characters`
    return `text${length}${pattern === undefined ? '' : ` that matches ${String(pattern)}`}`
  }
  if (Array.isArray(anyOf)) return anyOf.map(boundOf).join(' or ')
  if (type === 'object') return `an object with ${fieldsOf(schema).join(', ') || 'no field'}`
  return String(type ?? schema[Kind])
}

const fieldsOf = (schema: TSchema): readonly string[] => Object.keys(schema.properties ?? {})

/** Of the alternatives of a union, the one that was meant: the first that has a field of the value. */
function meantBy(value: unknown, schema: TSchema): TSchema | undefined {
  if (!Array.isArray(schema.anyOf) || typeof value !== 'object' || value === null) return undefined
  return schema.anyOf.find((each: TSchema) => fieldsOf(each).some((name) => Object.hasOwn(value, name)))
}

function refuse(place: string, before: string, { path, value, schema, message }: ValueError): ApiError {
  const meant = meantBy(value, schema)
  if (meant !== undefined) {
    const [first] = Value.Errors(meant, value)
    if (first !== undefined) return refuse(place, before + path, first)
  }
  const inside = (before + path).split('/').slice(1).map(cut).join('.')
  const field = inside === '' ? place : place === 'body' ? inside : `${place}.${inside}`
  const isUnknown = message.startsWith('Unexpected')
  const bound = isUnknown ? 'no such field' : boundOf(schema)
  const reason = isUnknown ? 'is not a field of this request' : `must be ${bound}`
  return new ApiError('invalidField', {
    detail: `${field} ${reason}; it is ${show(value)}`,
    field,
    value: show(value),
    bound,
  })
}

/** Throws a problem that names the first field that is wrong. */
export function check(place: string, schema: TSchema, value: unknown): void {
  if (Value.Check(schema, value)) return
  const [first] = Value.Errors(schema, value)
  if (first === undefined) throw new Error(`${place} is refused without an error`)
  throw refuse(place, '', first)
}

/** Only the fields that the schema knows: a request carries many headers. */
function pick(schema: TSchema, get: (name: string) => string | null | undefined): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of Object.keys(schema.properties ?? {})) {
    const value = get(name)
    if (value !== null && value !== undefined) picked[name] = value
  }
  return picked
}

/** Each name once: which of two values counts would be anyone's guess. */
function once(search: URLSearchParams): Record<string, string> {
  const seen = new Set<string>()
  for (const name of search.keys()) {
    if (seen.size === seen.add(name).size) throw repeated(name, search.getAll(name))
  }
  return Object.fromEntries(search)
}

function repeated(name: string, values: readonly string[]): ApiError {
  const field = `query.${cut(name)}`
  const value = values.slice(0, 4).map(show).join(', ')
  const detail = `${field} is given ${values.length} times: ${value}`
  return new ApiError('invalidField', { detail, field, value, bound: 'once' })
}

const [quote, backslash] = [0x22, 0x5c]

/** Whether brackets are open that deep, outside of text. What is no JSON is left to the parser. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0
  let isText = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (isText) {
      if (byte === backslash) at++
      else if (byte === quote) isText = false
    } else if (byte === quote) isText = true
    else if (byte === 0x5b || byte === 0x7b) {
      depth++
      if (depth > jsonDepthMax) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}

/**
 * Reads a body and hands its bytes on, or nothing when it has more than `bytesMax`. What it takes to hold a body is held until
 * `act` has ended; throws when there is no room for it.
 */
export type WithBody = <T>(
  request: Request,
  bytesMax: number,
  act: (bytes: Uint8Array | undefined) => Promise<T>,
) => Promise<T>

/** With no bound but on each body by itself. */
export const withEachBody: WithBody = async (request, bytesMax, act) =>
  act(await readBytes(request.body, bytesMax))

function checkJsonType(request: Request): void {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError('unsupportedMediaType', {
      detail: `content-type is ${show(type)}, it must be application/json`,
      field: 'content-type',
      value: show(type),
      bound: 'application/json',
    })
  }
}

function readJson(request: Request, bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) {
    const bound = `at most ${jsonBytesMax} bytes`
    const value = request.headers.get('content-length') ?? `more than ${jsonBytesMax}`
    throw new ApiError('bodyTooLarge', { detail: `the body may have ${bound}`, field: 'body', value, bound })
  }
  if (isTooDeep(bytes)) {
    const bound = `at most ${jsonDepthMax} lists and objects inside each other`
    throw new ApiError('malformedJson', { detail: `the body may have ${bound}`, field: 'body', bound })
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const detail = cut(cause instanceof Error ? cause.message : 'not JSON')
    throw new ApiError('malformedJson', { detail, field: 'body', bound: 'JSON in UTF-8' }, { cause })
  }
}

/** A body is held, as `withBody` has it, until `act` has ended. */
export async function withParsed<R extends Route, T>(
  route: R,
  request: Request,
  rawParams: Readonly<Record<string, string | undefined>>,
  withBody: WithBody,
  act: (parsed: Parsed<R>) => T | Promise<T>,
): Promise<T> {
  const { params, query, headers, body } = route
  const search = new URL(request.url).searchParams
  const taken = {
    params: params && pick(params, (name) => rawParams[name]),
    query: query && once(search),
    headers: headers && pick(headers, (name) => request.headers.get(name)),
  }
  if (params) check('path', params, taken.params)
  if (query) check('query', { ...query, additionalProperties: false }, taken.query)
  if (headers) check('header', headers, taken.headers)
  if (body === undefined || body === 'bytes') return act({ ...taken, body: undefined } as Parsed<R>)
  checkJsonType(request)
  return withBody(request, jsonBytesMax, async (bytes) => {
    const content = readJson(request, bytes)
    check('body', body, content)
    return act({ ...taken, body: content } as Parsed<R>)
  })
}
