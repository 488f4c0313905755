/** The compute worker's thread: it owns the GPU, so that neither a kernel nor its compilation ever holds up the page. */
import { openDevice } from './device.ts'
import type { Request } from './message.ts'
import { createService } from './service.ts'

const service = createService({
  open: (without) => openDevice(navigator.gpu, without),
  post: (answer, transfer) => self.postMessage(answer, { transfer }),
  nowMs: () => performance.now(),
})

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  void service.receive(data)
})
