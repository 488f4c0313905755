import { readFileSync } from 'node:fs'
import { openNetwork } from './network.ts'

const network = await openNetwork({ SHARDY_POLICY: '/tmp/pol.txt' })
const rss = () =>
  Number(readFileSync(`/proc/${network.orchestrator.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)![1])
const socks: WebSocket[] = []
for (let r = 0; r < 4; r++) {
  const b = rss()
  for (let i = 0; i < 5; i++)
    await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise<void>((res) => {
            const s = new WebSocket(network.url.replace('http', 'ws') + '/v1/worker')
            s.onopen = () => res()
            s.onclose = () => res()
            socks.push(s)
          }),
      ),
    )
  console.log(b, rss(), (rss() - b) / 500)
}
await network.close()
process.exit(0)
