/** Starts the compute worker's thread. The bundler finds the worker by exactly this expression. */
import type { Thread } from './call.ts'

export function startThread(): Thread {
  const worker = new Worker(new URL('./compute.worker.ts', import.meta.url), {
    type: 'module',
    name: 'compute',
  })
  return {
    postMessage: (request, transfer) => worker.postMessage(request, { transfer }),
    onAnswer(listener) {
      worker.onmessage = ({ data }) => listener(data)
    },
    onFailure(listener) {
      worker.onerror = ({ message }) => listener(message || 'its script did not load')
      worker.onmessageerror = () => listener('one of its messages could not be read')
    },
    terminate: () => worker.terminate(),
  }
}
