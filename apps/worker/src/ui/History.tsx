/** Finished pieces of work, newest first: what became of each, and what it paid. */

import { type MadeProofKind, madeProofKinds, proofWords } from '@shardy/protocol'
import type { HistoryEntry } from '@shardy/worker'
import { memo, useState } from 'react'
import { formatCredits } from '../view/credits.ts'
import { describeEnding } from '../view/outcome.ts'
import { unbroken } from '../view/work.ts'

const shownAtFirst = 10
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

function Row({ entry }: { readonly entry: HistoryEntry }) {
  const { deliveryId, taskId, atMs, ending, summary, proof } = entry
  const { name, tone, title, detail } = describeEnding(ending)
  const rewardMicroCredit = ending.kind === 'settled' ? ending.rewardMicroCredit : 0n
  return (
    <li data-testid="history" data-outcome={name} data-tone={tone} data-delivery={deliveryId}>
      <span className="verdict">
        <b>{title}</b>: {detail}
      </span>
      <span className="detail">
        {summary === undefined ? '' : `${unbroken(summary)} · `}
        <span title={taskId}>task {taskId.slice(0, 8)}</span> ·{' '}
        <time dateTime={new Date(atMs).toISOString()}>{clock.format(atMs)}</time>
        {proof !== 'none' && (
          <>
            {' · '}
            <span data-proof={proof} title={proofWords[proof].short}>
              proof {proof}
            </span>
          </>
        )}
      </span>
      <span className="reward">
        {rewardMicroCredit > 0n ? `+${formatCredits(rewardMicroCredit)}` : '0'}
        <span className="unit"> test credits</span>
      </span>
    </li>
  )
}

/** The kinds that the rows name, each explained once under them. */
function proofsIn(entries: readonly HistoryEntry[]): readonly MadeProofKind[] {
  return madeProofKinds.filter((kind) => entries.some(({ proof }) => proof === kind))
}

export const History = memo(function History({ entries }: { readonly entries: readonly HistoryEntry[] }) {
  const [isWhole, setIsWhole] = useState(false)
  const shown = isWhole ? entries : entries.slice(0, shownAtFirst)
  return (
    <section className="card" aria-labelledby="finished">
      <h2 id="finished">Finished</h2>
      {entries.length === 0 ? (
        <p className="empty">Nothing yet. Each answer is listed here with its verdict and what it paid.</p>
      ) : (
        <ul className="rows">
          {shown.map((entry) => (
            <Row key={entry.deliveryId} entry={entry} />
          ))}
        </ul>
      )}
      {proofsIn(shown).map((proof) => (
        <p key={proof} className="note" data-testid={`proof-${proof}`}>
          <b>Proof {proof}</b>: {proofWords[proof].short}.
        </p>
      ))}
      {entries.length > shown.length && (
        <button type="button" className="plain" onClick={() => setIsWhole(true)}>
          Show all {entries.length}
        </button>
      )}
    </section>
  )
})
