/** Shown when there is nothing else to show. */
import type { Failure } from '../station/failure.ts'
import { failureWords } from '../view/advice.ts'
import { Header } from './Header.tsx'

export function FailurePage({ failure }: { readonly failure: Failure }) {
  const { headline, advice } = failureWords(failure)
  return (
    <>
      <Header />
      <main>
        <section className="card hero" data-tone="bad">
          <div role="alert" data-testid="status" data-status="failed">
            <h1>{headline}</h1>
            <p>{advice}</p>
          </div>
        </section>
      </main>
    </>
  )
}
