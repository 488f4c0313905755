/** The OpenAPI 3.1 document of a set of routes: schemas as they are checked, and every error with its code. */
import { type ErrorCode, errors } from './errors.ts'
import { problem } from './problem.ts'
import type { Route } from './route.ts'

const keyErrors = ['missingApiKey', 'badApiKey', 'revokedApiKey', 'expiredApiKey', 'missingScope'] as const

/** Where there is a standby. */
const writeErrors = ['deposed', 'unacknowledged'] as const

/** The last one: too many bodies are under way, or this one took too long. */
const jsonErrors = ['malformedJson', 'unsupportedMediaType', 'bodyTooLarge', 'overloaded'] as const

/** What can happen on any route, besides what the route names itself. */
function commonErrors({ method, scope, params, query, headers, body }: Route): readonly ErrorCode[] {
  return [
    ...(scope === 'public' ? [] : keyErrors),
    'rateLimited',
    ...(params || query || headers || body ? (['invalidField'] as const) : []),
    ...(body && body !== 'bytes' ? jsonErrors : []),
    ...(method === 'GET' || method === 'HEAD' ? [] : writeErrors),
    'foreignSite',
    'shuttingDown',
    'internal',
  ]
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errors) },
    detail: { type: 'string' },
    field: { type: 'string' },
    value: { type: 'string' },
    bound: { type: 'string' },
    offset: { type: 'integer' },
    retryAfterMs: { type: 'integer' },
    cursor: { type: 'integer' },
  },
}

function content(schema: unknown): object {
  switch (schema) {
    case 'bytes':
      return { content: { 'application/octet-stream': {} } }
    case 'events':
      return { content: { 'text/event-stream': { schema: { type: 'string' } } } }
    case 'text':
      return { content: { 'text/plain': { schema: { type: 'string' } } } }
    case 'none':
      return {}
    default:
      return { content: { 'application/json': { schema } } }
  }
}

function parameters(route: Route): readonly object[] {
  const places = [
    ['path', route.params],
    ['query', route.query],
    ['header', route.headers],
  ] as const
  return places.flatMap(([place, schema]) =>
    Object.entries(schema?.properties ?? {}).map(([name, each]) => ({
      name,
      in: place,
      required: place === 'path' || (schema?.required ?? []).includes(name),
      schema: each,
    })),
  )
}

function errorResponses(route: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set([...route.errors, ...commonErrors(route)])) {
    const { status } = errors[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${errors[code].title}`).join('; '),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(
              codes.map((code) => [code, { value: problem(code, { detail: errors[code].title }) }]),
            ),
          },
        },
      },
    ]),
  )
}

export function openApi(
  routes: Readonly<Record<string, Route>>,
  info: { readonly title: string; readonly version: string; readonly description: string },
): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [operationId, route] of Object.entries(routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    const operations = paths[path] ?? {}
    paths[path] = operations
    operations[route.method.toLowerCase()] = {
      operationId,
      summary: route.summary,
      security: route.scope === 'public' ? [] : [{ apiKey: [route.scope] }],
      parameters: parameters(route),
      ...(route.body && { requestBody: { required: true, ...content(route.body) } }),
      responses: {
        ...Object.fromEntries(
          Object.entries(route.responses).map(([status, schema]) => [
            status,
            { description: status === '204' ? 'Done.' : route.summary, ...content(schema) },
          ]),
        ),
        ...errorResponses(route),
      },
    }
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } },
    },
  }
}
