/** Who this worker is: short enough to read, whole when copied. */
import type { WorkerId } from '@shardy/protocol'
import { useState } from 'react'

type Copied = 'no' | 'yes' | 'refused'
const said: Record<Copied, string> = { no: '', yes: 'Copied', refused: 'The browser did not allow copying' }

export function WorkerName({ workerId }: { readonly workerId: WorkerId | undefined }) {
  const [copied, setCopied] = useState<Copied>('no')
  if (workerId === undefined) {
    return <footer>A key is made, or found again, when you start for the first time.</footer>
  }
  const copy = () => {
    navigator.clipboard.writeText(workerId).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    )
  }
  return (
    <footer>
      Worker{' '}
      <code
        data-testid="worker-id"
        title={workerId}
        data-worker-id={workerId}
      >{`${workerId.slice(0, 8)}…${workerId.slice(-4)}`}</code>
      <button type="button" className="plain" onClick={copy}>
        Copy the whole id
      </button>
      <span role="status">{said[copied]}</span>
    </footer>
  )
}
