/** What is here right now, each piece with its phase and progress. */

import type { DeliveryView, SmallView } from '@shardy/worker'
import type { StatusName } from '../view/status.ts'
import { describePhase, describeSmall, unbroken } from '../view/work.ts'

interface RunningProps {
  readonly deliveries: readonly DeliveryView[]
  readonly small: SmallView | undefined
  readonly status: StatusName
}

const emptyWords: Partial<Record<StatusName, string>> = {
  idle: 'Nothing yet. Work appears here after you press Start.',
  paused: 'Nothing while you pause.',
  available: 'Nothing right now. The next piece appears here by itself.',
}

export function Running({ deliveries, small, status }: RunningProps) {
  const smallWords = small && describeSmall(small)
  return (
    <section className="card" aria-labelledby="running">
      <h2 id="running">In hand now</h2>
      {deliveries.length === 0 && smallWords === undefined ? (
        <p className="empty">{emptyWords[status] ?? 'Nothing while this worker is not connected.'}</p>
      ) : (
        <ul className="rows">
          {deliveries.map(({ deliveryId, summary, phase, permille }) => (
            <li key={deliveryId} data-testid="running" data-phase={phase}>
              <span className="what">{unbroken(summary)}</span>
              <span className="detail">{describePhase(phase)}</span>
              <progress max={1000} value={permille} aria-label={summary} />
            </li>
          ))}
          {smallWords !== undefined && (
            <li data-testid="running-small">
              <span className="what">{smallWords.what}</span>
              <span className="detail">{smallWords.detail}</span>
            </li>
          )}
        </ul>
      )}
    </section>
  )
}
