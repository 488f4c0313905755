/** The compute worker's thread: it owns the GPU, so that neither a kernel nor its compilation ever holds up the page. */
import { loadSha256 } from '@shardy/crypto'
import { createBlockProver, createKeyLoader, createTaskProver, fetchProofFiles } from '@shardy/worker/proving'
import { openDevice } from './device.ts'
import type { Request } from './message.ts'
import { createService } from './service.ts'

const service = createService({
  open: (without) => openDevice(navigator.gpu, without),
  post: (answer, transfer) => self.postMessage(answer, { transfer }),
  nowMs: () => performance.now(),
  async openProvers() {
    const sha256 = await loadSha256()
    const load = createKeyLoader(fetchProofFiles(location.origin), sha256)
    return { answers: createTaskProver(load, sha256), blocks: createBlockProver(load, sha256) }
  },
})

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  void service.receive(data)
})
