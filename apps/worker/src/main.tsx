/** Wires the page: reads its address, opens the station on the browser's own adapters, and shows the view. */
import { loadSha256 } from '@shardy/crypto'
import { connectWebSocket, fetchConstants, systemClock } from '@shardy/worker'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openChannel } from './compute/channel.ts'
import { startThread } from './compute/thread.ts'
import { openIdentity } from './identity.ts'
import { parseParameters } from './parameters.ts'
import { openStation } from './station/station.ts'
import { holdTab } from './station/tab.ts'
import { App } from './ui/App.tsx'
import { ErrorBoundary } from './ui/ErrorBoundary.tsx'
import { FailurePage } from './ui/FailurePage.tsx'
import './ui/page.css'

function after(durationMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, durationMs)
  return () => clearTimeout(timer)
}

function page() {
  const parsed = parseParameters(location.href)
  if (!parsed.ok) return <FailurePage failure={parsed.refusal} />
  const { startsAtOnce, forcesCpu, socketUrl, isForeign } = parsed.value
  const station = openStation({
    openIdentity: () => openIdentity(globalThis.indexedDB),
    loadSha256,
    openChannel: () => openChannel({ startThread, after }, forcesCpu ? { kind: 'asked' } : undefined),
    holdTab,
    connect: connectWebSocket(socketUrl),
    fetchConstant: fetchConstants(socketUrl),
    clock: systemClock,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    isSecure: isSecureContext,
  })
  document.addEventListener('visibilitychange', () => station.setHidden(document.hidden))
  station.setHidden(document.hidden)
  addEventListener('pagehide', () => void station.close())
  if (startsAtOnce) station.start()
  return <App station={station} orchestrator={new URL(socketUrl).host} isForeign={isForeign} />
}

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no #root')
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>{page()}</ErrorBoundary>
  </StrictMode>,
)
