/** Counts the seconds to the next attempt. */
import { useEffect, useState } from 'react'

export function Retry({ atMs }: { readonly atMs: number }) {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.ceil((atMs - nowMs) / 1000))
  return <p className="retry">{seconds === 0 ? 'Trying again now …' : `Trying again in ${seconds} s`}</p>
}
