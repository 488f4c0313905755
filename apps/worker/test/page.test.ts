/**
 * The built page in a real Chromium, against an orchestrator that says what the test tells it to: everything between
 * the button and the bytes is real. Each test has a browser profile of its own.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { encodeHex } from '@shardy/protocol'
import { evaluate, inputLength, matmulProgram, type Program } from '@shardy/tensor'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { openBrowser } from './browser.ts'
import { buildPage } from './build.ts'
import { type Line, openPageServer, type PageServer } from './orchestrator.ts'

setDefaultTimeout(60_000)

let built: Awaited<ReturnType<typeof buildPage>>
let server: PageServer

beforeAll(async () => {
  built = await buildPage()
  server = await openPageServer(built.dist)
})

afterAll(async () => {
  await server?.close()
  await built?.remove()
})

function matmul(m: number, k: number, n: number): Program {
  return matmulProgram({ m, k, n })
}

function inputOf(program: Program): Uint8Array {
  return Uint8Array.from({ length: inputLength(program) }, (_, index) => (index * 89 + (index >> 7)) & 0xff)
}

/** What no page may do: throw, break its own security policy, or ask another origin for anything. */
function watch(page: Page): string[] {
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`threw ${error}`))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) faults.push(`asked for ${request.url()}`)
  })
  return faults
}

const status = (page: Page, name: string) =>
  page.locator(`[data-testid=status][data-status=${name}]`).waitFor({ timeout: 30_000 })

async function workerIdOn(page: Page): Promise<string | null> {
  return page.getByTestId('worker-id').getAttribute('data-worker-id')
}

async function work(line: Line, program: Program) {
  const input = inputOf(program)
  const delivery = await line.deliver(program, input)
  const { result, output, isAttested } = await line.answer(delivery)
  const expected = evaluate(program, input)
  expect(isAttested).toBe(true)
  expect(result.outputDigest).toBe(encodeHex(sha256(expected)) as never)
  expect(Buffer.compare(output, expected)).toBe(0)
  return delivery
}

function describeBrowser(name: string, options: { readonly webGpu: boolean }, body: (open: Open) => void) {
  describe(name, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await openBrowser(options)
    })
    afterAll(() => browser?.close())
    body(async (use) => {
      const context = await browser.newContext()
      context.setDefaultTimeout(30_000)
      try {
        await use(context)
      } finally {
        await context.close()
      }
    })
  })
}

type Open = (use: (context: BrowserContext) => Promise<void>) => Promise<void>

describeBrowser('with WebGPU', { webGpu: true }, (open) => {
  test('from the button to the verdict, on the GPU', () =>
    open(async (context) => {
      const page = await context.newPage()
      const faults = watch(page)
      await page.goto(server.url)
      await status(page, 'idle')
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
      // The button is the first thing that the keyboard reaches.
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      const line = await server.line()
      const { hello, workerId, profile } = await line.admit()
      expect(hello.executor).toBe('webgpu')
      expect(profile.operationsPerSecond).toBeGreaterThan(0)
      await status(page, 'available')
      expect(await page.getByTestId('executor').innerText()).toContain(hello.adapter)
      expect(await workerIdOn(page)).toBe(workerId)

      const accepted = await work(line, matmul(65, 33, 77))
      await status(page, 'waitingForOthers')
      line.settle(accepted, 'accepted', 1_250_001n)
      line.settle(await work(line, matmul(1, 65_535, 3)), 'accepted', 2_000_000n)
      line.settle(await work(line, matmul(130, 1, 129)), 'disagreed', 0n)
      await page.locator('[data-outcome=disagreed]').waitFor()
      expect(await page.getByTestId('history').count()).toBe(3)
      const first = page.locator(`[data-delivery="${accepted.deliveryId}"]`)
      expect(await first.getAttribute('data-outcome')).toBe('accepted')
      expect(await first.innerText()).toContain('+1.250001 test credits')
      const earned = page.getByTestId('earned')
      expect(await earned.textContent()).toBe('3.250001 test credits')
      expect(await earned.getAttribute('data-micro-credit')).toBe('3250001')
      expect(faults).toEqual([])
    }))

  test('pausing is told to the orchestrator, and so is going on', () =>
    open(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}?start`)
      const line = await server.line()
      await line.admit()
      const presence = async (state: string) => {
        while ((await line.expect('presence')).state !== state);
      }
      await presence('available')
      await page.getByTestId('start').click()
      await presence('paused')
      await status(page, 'paused')
      await page.getByTestId('start').click()
      await presence('available')
      await status(page, 'available')
    }))

  test('a compute worker that crashes is replaced, and the work goes on', () =>
    open(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}?start`)
      const line = await server.line()
      await line.admit()
      await status(page, 'available')
      const [first] = page.workers()
      const next = page.waitForEvent('worker')
      await first?.evaluate(() => {
        setTimeout(() => {
          throw new Error('as the test says')
        })
      })
      await next
      await work(line, matmul(7, 5, 3))
    }))

  test('?cpu leaves the GPU alone and says so', () =>
    open(async (context) => {
      const page = await context.newPage()
      const faults = watch(page)
      await page.goto(`${server.url}?start&cpu`)
      const line = await server.line()
      expect((await line.admit()).hello.executor).toBe('cpu')
      expect(await page.getByTestId('executor').innerText()).toContain('?cpu')
      await work(line, matmul(65, 33, 77))
      expect(faults).toEqual([])
    }))

  test('a refusal is told with what to do, and trying again works', () =>
    open(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}?start&cpu`)
      ;(await server.line()).refuse('identityInUse', 'another session has this key')
      await status(page, 'refused')
      expect(await page.getByTestId('status').innerText()).toContain('Close the other tab')
      await page.getByTestId('start').click()
      await (await server.line()).admit()
      await status(page, 'available')
    }))

  test('an orchestrator that is not there is named', () =>
    open(async (context) => {
      const page = await context.newPage()
      const gone = await openPageServer(built.dist)
      await gone.close()
      const { host } = new URL(gone.url)
      await page.goto(`${server.url}?start&cpu&orchestrator=ws://${host}`)
      await status(page, 'disconnected')
      expect(await page.getByTestId('status').innerText()).toContain(`Nothing answers at ${host}`)
    }))

  test('an address that is none is explained', () =>
    open(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}?orchestrator=nonsense`)
      await status(page, 'failed')
      expect(await page.getByTestId('status').innerText()).toContain("'nonsense' should look like")
    }))

  test('the worker stays the same after a reload, takes leave, and a second tab waits for the first', () =>
    open(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}?start&cpu`)
      const line = await server.line()
      const { workerId } = await line.admit()
      await page.reload()
      await line.closed
      const again = await server.line()
      expect((await again.admit()).workerId).toBe(workerId)

      const second = await context.newPage()
      await second.goto(`${server.url}?start&cpu`)
      await status(second, 'failed')
      expect(await second.getByTestId('status').innerText()).toContain('another tab')
      await page.close()
      await again.closed
      await second.getByTestId('start').click()
      expect((await (await server.line()).admit()).workerId).toBe(workerId)
    }))

  test('a key that cannot be read is explained and left as it is', () =>
    open(async (context) => {
      const page = await context.newPage()
      await page.goto(`${server.url}icon.svg`)
      const stored = () =>
        page.evaluate(
          () =>
            new Promise((resolve) => {
              const opening = indexedDB.open('shardy', 1)
              opening.onupgradeneeded = () =>
                opening.result.createObjectStore('identity').add('garbage', 'worker')
              opening.onsuccess = () => {
                const reading = opening.result.transaction('identity').objectStore('identity').get('worker')
                reading.onsuccess = () => {
                  opening.result.close()
                  resolve(reading.result)
                }
              }
            }),
        )
      expect(await stored()).toBe('garbage')
      await page.goto(`${server.url}?start&cpu`)
      await status(page, 'failed')
      expect(await page.getByTestId('status').innerText()).toContain('The key of this worker cannot be read')
      expect(await stored()).toBe('garbage')
    }))
})

describeBrowser('without WebGPU', { webGpu: false }, (open) => {
  test('the CPU does the work, and the page says why', () =>
    open(async (context) => {
      const page = await context.newPage()
      const faults = watch(page)
      await page.goto(`${server.url}?start`)
      const line = await server.line()
      expect((await line.admit()).hello.executor).toBe('cpu')
      expect(await page.getByTestId('executor').innerText()).toContain('No GPU:')
      line.settle(await work(line, matmul(65, 33, 77)), 'accepted', 1n)
      await page.locator('[data-outcome=accepted]').waitFor()
      expect(await page.getByTestId('earned').textContent()).toBe('0.000001 test credits')
      expect(faults).toEqual([])
    }))
})
