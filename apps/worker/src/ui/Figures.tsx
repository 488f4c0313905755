/** What was earned, how much was done, how fast this device is, and which one it is. */
import type { StationView } from '../station/station.ts'
import { formatCredits } from '../view/credits.ts'
import { describeDevice } from '../view/device.ts'
import { describeSpeed } from '../view/speed.ts'

function Device({ view }: { readonly view: StationView }) {
  const { compute } = view
  if (compute?.kind !== 'measuring' && compute?.kind !== 'ready')
    return <dd className="none">not chosen yet</dd>
  const { title, note } = describeDevice(compute.device)
  return (
    <dd className="text" data-testid="executor" data-executor={compute.device.executor}>
      {title}
      {note !== undefined && <small className="notice">{note}</small>}
    </dd>
  )
}

export function Figures({ view }: { readonly view: StationView }) {
  const { compute, record } = view
  const { accepted, unpaid, rewardMicroCredit } = record.totals
  const speed = describeSpeed(compute, view.session?.standing)
  return (
    <dl className="figures">
      <div className="card">
        <dt>Earned in this tab</dt>
        <dd data-testid="earned" data-micro-credit={String(rewardMicroCredit)}>
          {formatCredits(rewardMicroCredit)} <span className="unit">test credits</span>
        </dd>
      </div>
      <div className="card">
        <dt>Answers</dt>
        <dd>
          {accepted.toLocaleString('en')}{' '}
          <span className="unit">accepted{unpaid > 0 ? `, ${unpaid} not paid` : ''}</span>
        </dd>
      </div>
      <div className="card">
        <dt>Measured speed</dt>
        {speed === undefined ? (
          <dd className="none">not measured yet</dd>
        ) : (
          <dd data-testid="speed" title={speed.title}>
            {speed.value} <span className="unit">{speed.unit}</span>
          </dd>
        )}
      </div>
      <div className="card">
        <dt>Runs on</dt>
        <Device view={view} />
      </div>
    </dl>
  )
}
