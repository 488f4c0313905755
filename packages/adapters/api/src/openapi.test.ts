/** The OpenAPI document against the routes and the table of errors that it is made from, and against OpenAPI's shape. */
import { describe, expect, test } from 'bun:test'
import { type ErrorCode, errors } from './errors.ts'
import { openApi } from './openapi.ts'
import { orchestratorRoutes } from './orchestrator.ts'
import type { Route } from './route.ts'

const routes = Object.entries(orchestratorRoutes as Readonly<Record<string, Route>>)

interface Content {
  readonly schema?: Readonly<Record<string, unknown>>
  readonly examples?: Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>
}
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly security: readonly unknown[]
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: object
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Content>> }>
  >
}
interface Document {
  readonly openapi: string
  readonly info: Readonly<Record<string, string>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>
    readonly securitySchemes: object
  }
}

const info = { title: 'Test', version: '1', description: 'For tests.' }
// As it travels: what JSON drops is not in the document.
const document: Document = JSON.parse(JSON.stringify(openApi(orchestratorRoutes, info)))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)
const codesOf = ({ responses }: Operation): string[] =>
  Object.values(responses).flatMap(({ content }) =>
    Object.keys(content?.['application/problem+json']?.examples ?? {}),
  )

test('it is an OpenAPI 3.1 document', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(document.info).toEqual(info)
  expect(document.components.securitySchemes).toEqual({ apiKey: { type: 'http', scheme: 'bearer' } })
})

test('no route is missing, and none is there that is not a route', () => {
  expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(
    routes.map(([name]) => name).sort(),
  )
  expect(new Set(operations.map(({ path, method }) => `${method} ${path}`)).size).toBe(routes.length)
})

for (const [name, route] of routes) {
  describe(name, () => {
    const found = operations.find(({ operation }) => operation.operationId === name)
    if (found === undefined) throw new Error(`${name} is not in the document`)
    const { path, method, operation } = found

    test('stands at its path and method, with a summary and its key', () => {
      expect(path).toBe(route.path.replace(/:(\w+)/g, '{$1}'))
      expect(method).toBe(route.method.toLowerCase())
      expect(operation.summary.length).toBeGreaterThan(5)
      expect(operation.security).toEqual(route.scope === 'public' ? [] : [{ apiKey: [route.scope] }])
    })

    test('names every parameter once, those of the path as required', () => {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
      const ofPath = operation.parameters.filter((parameter) => parameter.in === 'path')
      expect(ofPath.map((parameter) => parameter.name)).toEqual(inPath as string[])
      expect(ofPath.every(({ required }) => required)).toBe(true)
      const wanted = [route.params, route.query, route.headers].flatMap((each) =>
        Object.keys(each?.properties ?? {}),
      )
      expect(operation.parameters.map((parameter) => parameter.name)).toEqual(wanted)
      for (const { schema } of operation.parameters) expect(Object.keys(schema)).not.toHaveLength(0)
    })

    test('says what goes in and what comes out', () => {
      expect(operation.requestBody === undefined).toBe(route.body === undefined)
      for (const status of Object.keys(route.responses)) expect(operation.responses[status]).toBeDefined()
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5][0-9]{2}$/)
        expect(description.length).toBeGreaterThan(3)
      }
    })

    test('names each of its errors at the right status', () => {
      const codes = codesOf(operation)
      for (const code of route.errors) expect(codes).toContain(code)
      if (route.scope !== 'public') {
        expect(codes).toEqual(expect.arrayContaining(['missingApiKey', 'badApiKey', 'missingScope']))
      }
      if (route.body && route.body !== 'bytes') {
        expect(codes).toEqual(
          expect.arrayContaining(['malformedJson', 'unsupportedMediaType', 'bodyTooLarge', 'overloaded']),
        )
      }
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const problem = content?.['application/problem+json']
        for (const [code, { value }] of Object.entries(problem?.examples ?? {})) {
          expect(errors[code as ErrorCode].status).toBe(Number(status) as never)
          expect(value).toMatchObject({ code, status: Number(status), type: `urn:shardy:error:${code}` })
        }
      }
    })
  })
}

test('every error happens somewhere, but those that belong to no route', () => {
  const named = new Set(operations.flatMap(({ operation }) => codesOf(operation)))
  const nowhere = Object.keys(errors).filter((code) => !named.has(code))
  expect(nowhere.sort()).toEqual(['methodNotAllowed', 'unknownRoute'])
})

test('every reference leads somewhere, and every schema says what it is', () => {
  const seen: string[] = []
  JSON.parse(JSON.stringify(document), (key, value) => {
    if (key === '$ref') seen.push(value)
    return value
  })
  expect(new Set(seen)).toEqual(new Set(['#/components/schemas/Problem']))
  expect(document.components.schemas.Problem).toBeDefined()
  for (const { operation } of operations) {
    for (const { content } of [operation.requestBody, ...Object.values(operation.responses)].filter(
      (each) => each !== undefined,
    )) {
      for (const [type, { schema }] of Object.entries(content ?? {})) {
        if (type === 'application/octet-stream') continue
        expect(
          ['object', 'string'].includes(String(schema?.type)) ||
            schema?.anyOf !== undefined ||
            schema?.$ref !== undefined,
        ).toBe(true)
      }
    }
  }
})

test('the document is small enough to read', () => {
  expect(JSON.stringify(document).length).toBeLessThan(400_000)
})
