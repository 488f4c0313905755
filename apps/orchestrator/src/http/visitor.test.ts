import { describe, expect, test } from 'bun:test'
import { ApiError } from '@shardy/api'
import { refuseForeign } from './visitor.ts'

const visit = (
  host: string,
  address: string,
  origin?: string,
  origins: readonly string[] = [],
): string | undefined => {
  const url = new URL(address)
  const request = new Request(url.href, origin === undefined ? {} : { headers: { origin } })
  try {
    refuseForeign(request, url, { host, origins })
    return undefined
  } catch (error) {
    return error instanceof ApiError ? `${error.problem.code} ${error.problem.field}` : String(error)
  }
}

const here = 'http://127.0.0.1:7700/v1/worker'

describe('who may come', () => {
  const cases: readonly {
    desc: string
    given: Parameters<typeof visit>
    expected: string | undefined
  }[] = [
    { desc: 'a program without an Origin', given: ['127.0.0.1', here], expected: undefined },
    { desc: 'our own page', given: ['127.0.0.1', here, 'http://127.0.0.1:7700'], expected: undefined },
    {
      desc: 'our own page by the name localhost',
      given: ['127.0.0.1', 'http://localhost:7700/', 'http://localhost:7700'],
      expected: undefined,
    },
    {
      desc: 'a page from elsewhere',
      given: ['127.0.0.1', here, 'http://evil.example'],
      expected: 'foreignSite origin',
    },
    {
      desc: 'a page on another port of this machine',
      given: ['127.0.0.1', here, 'http://127.0.0.1:8000'],
      expected: 'foreignSite origin',
    },
    {
      desc: 'a page without an origin of its own',
      given: ['127.0.0.1', here, 'null'],
      expected: 'foreignSite origin',
    },
    {
      desc: 'a name that was pointed at this machine',
      given: ['127.0.0.1', 'http://evil.example:7700/', 'http://evil.example:7700'],
      expected: 'foreignSite host',
    },
    {
      desc: 'any name where the world may come',
      given: ['0.0.0.0', 'http://shardy.example/v1/worker', 'http://shardy.example'],
      expected: undefined,
    },
    {
      desc: 'a page from elsewhere where the world may come',
      given: ['0.0.0.0', 'http://shardy.example/v1/worker', 'http://evil.example'],
      expected: 'foreignSite origin',
    },
    {
      desc: 'a page that the operator named',
      given: ['0.0.0.0', 'http://shardy.example/v1/worker', 'https://app.example', ['https://app.example']],
      expected: undefined,
    },
  ]
  for (const { desc, given, expected } of cases) {
    test(desc, () => expect(visit(...given)).toBe(expected as string))
  }
})
