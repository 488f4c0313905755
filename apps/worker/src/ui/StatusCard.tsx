/** The big button, how things stand, and a picture of the work in hand. */
import type { DeliveryView } from '@shardy/worker'
import type { Status } from '../view/status.ts'
import { Retry } from './Retry.tsx'
import { Shards } from './Shards.tsx'

interface StatusCardProps {
  readonly status: Status
  readonly deliveries: readonly DeliveryView[]
  readonly onButton: () => void
}

export function StatusCard({ status, deliveries, onButton }: StatusCardProps) {
  const { name, tone, headline, advice, button, retryAtMs } = status
  const executing = deliveries.find(({ phase }) => phase === 'executing')
  return (
    <section className="card hero" data-tone={tone} aria-label="Status">
      <button
        type="button"
        className="big"
        data-testid="start"
        data-action={button.action}
        aria-disabled={button.action === 'none'}
        onClick={onButton}
      >
        {button.label}
      </button>
      <div className="words">
        {/* Only what changes seldom is announced; the countdown below would interrupt every second. */}
        <div role="status" aria-live="polite" data-testid="status" data-status={name}>
          <h1>
            <span className="dot" aria-hidden="true" />
            {headline}
          </h1>
          <p>{advice}</p>
        </div>
        {retryAtMs !== undefined && <Retry atMs={retryAtMs} />}
      </div>
      <Shards permille={executing?.permille} />
    </section>
  )
}
