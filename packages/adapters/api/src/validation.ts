/**
 * From a raw request to a handler's typed arguments, or to a problem that names the field, its value and what is
 * allowed. Bodies are read with a limit; a route with a raw body is left its stream.
 */
import { Kind, type TSchema } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { ApiError } from './problem.ts'
import type { Parsed, Route } from './route.ts'

/** Room for the largest inline input and the rest of a submission. */
export const jsonBytesMax = 2 * 1024 * 1024
const shownMax = 80

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

/** What a schema allows, in a few words. */
export function boundOf(schema: TSchema): string {
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
  if (maxLength !== undefined) return `${String(type)} of at most ${String(maxLength)} characters`
  if (pattern !== undefined) return `text that matches ${String(pattern)}`
  if (Array.isArray(anyOf)) return anyOf.map(boundOf).join(' or ')
  if (type === 'object') return `an object with ${Object.keys(schema.properties ?? {}).join(', ')}`
  return String(type ?? schema[Kind])
}

function refuse(place: string, { path, value, schema, message }: ValueError): ApiError {
  const inside = path.split('/').slice(1).join('.')
  const field = inside === '' ? place : place === 'body' ? inside : `${place}.${inside}`
  const bound = boundOf(schema)
  const reason = message.startsWith('Unexpected') ? 'is not a field of this request' : `must be ${bound}`
  return new ApiError('invalidField', {
    detail: `${field} ${reason}; it is ${show(value)}`,
    field,
    value: show(value),
    bound,
  })
}

function check(place: string, schema: TSchema, value: unknown): void {
  if (Value.Check(schema, value)) return
  const [first] = Value.Errors(schema, value)
  if (first === undefined) throw new Error(`${place} is refused without an error`)
  throw refuse(place, first)
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

async function readBounded(request: Request, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of (request.body ?? new Blob([]).stream()) as unknown as AsyncIterable<Uint8Array>) {
    total += chunk.length
    if (total > bytesMax) {
      const bound = `at most ${bytesMax} bytes`
      throw new ApiError('bodyTooLarge', { detail: `the body has more than ${bytesMax} bytes`, bound })
    }
    chunks.push(chunk)
  }
  const whole = new Uint8Array(total)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError('unsupportedMediaType', {
      detail: `content-type is ${show(type)}, it must be application/json`,
      field: 'content-type',
    })
  }
  const bytes = await readBounded(request, jsonBytesMax)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : 'not JSON'
    throw new ApiError('malformedJson', { detail }, { cause })
  }
}

export async function parseRequest<R extends Route>(
  route: R,
  request: Request,
  rawParams: Readonly<Record<string, string | undefined>>,
): Promise<Parsed<R>> {
  const { params, query, headers, body } = route
  const search = new URL(request.url).searchParams
  const taken = {
    params: params && pick(params, (name) => rawParams[name]),
    query: query && Object.fromEntries(search),
    headers: headers && pick(headers, (name) => request.headers.get(name)),
  }
  if (params) check('path', params, taken.params)
  if (query) check('query', { ...query, additionalProperties: false }, taken.query)
  if (headers) check('header', headers, taken.headers)
  const content = body === undefined || body === 'bytes' ? undefined : await readJson(request)
  if (body !== undefined && body !== 'bytes') check('body', body, content)
  return { ...taken, body: content } as Parsed<R>
}
