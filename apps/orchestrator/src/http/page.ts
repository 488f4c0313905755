/**
 * The worker page's files, read once at the start: they are few and small, and nothing that a path says can reach the
 * disk afterwards.
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'

export interface PageFile {
  /** Bytes would be copied for every response, and kept for as long as a client takes to read them. */
  readonly content: Blob
  readonly type: string
}

export type Page = ReadonlyMap<string, PageFile>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
}

/** Undefined when the page has not been built. */
export async function loadPage(folder: string): Promise<Page | undefined> {
  let names: string[]
  try {
    names = await readdir(folder, { recursive: true })
  } catch {
    return undefined
  }
  const page = new Map<string, PageFile>()
  for (const name of names) {
    const type = types[path.extname(name)]
    if (type === undefined) continue
    const content = new Blob([await Bun.file(path.join(folder, name)).arrayBuffer()])
    page.set(`/${name.split(path.sep).join('/')}`, { content, type })
  }
  return page.has('/index.html') ? page : undefined
}

export function servePage(page: Page | undefined, pathname: string): Response | undefined {
  if (page === undefined) {
    const text = 'The worker page is not built. `npm start` builds it.\n'
    return pathname === '/' ? new Response(text, { status: 404 }) : undefined
  }
  const file = page.get(pathname === '/' ? '/index.html' : pathname)
  if (file === undefined) return undefined
  const isNamedByContent = pathname.startsWith('/assets/')
  return new Response(file.content, {
    headers: {
      'content-type': file.type,
      'cache-control': isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  })
}

/** On every response: isolation, so that the page may share memory, and nothing loaded from elsewhere. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; " +
    "worker-src 'self' blob:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}
