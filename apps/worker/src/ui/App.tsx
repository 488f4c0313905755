/** The whole page over one view of the station. */
import { useSyncExternalStore } from 'react'
import type { Station } from '../station/station.ts'
import { describeStatus } from '../view/status.ts'
import { About } from './About.tsx'
import { Figures } from './Figures.tsx'
import { Header } from './Header.tsx'
import { History } from './History.tsx'
import { Running } from './Running.tsx'
import { StatusCard } from './StatusCard.tsx'
import { WorkerName } from './WorkerName.tsx'

export interface AppProps {
  readonly station: Station
  /** Host and port, for the person to recognise. */
  readonly orchestrator: string
  readonly isForeign: boolean
}

export function App({ station, orchestrator, isForeign }: AppProps) {
  const view = useSyncExternalStore(station.subscribe, station.getView)
  const status = describeStatus(view, orchestrator)
  const deliveries = view.session?.deliveries ?? []
  const act = () => {
    if (status.button.action === 'start') station.start()
    if (status.button.action === 'pause') station.pause()
  }
  return (
    <>
      <Header />
      <main>
        <StatusCard status={status} deliveries={deliveries} onButton={act} />
        {isForeign && (
          <p className="notice">
            This tab works for the orchestrator at <b>{orchestrator}</b>, not for the site that served the
            page.
          </p>
        )}
        <Figures view={view} />
        <Running deliveries={deliveries} small={view.session?.small} status={status.name} />
        <History entries={view.record.entries} />
        <About />
        <WorkerName workerId={view.workerId} />
      </main>
    </>
  )
}
