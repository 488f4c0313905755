/**
 * Products spread over threads by rows, where memory can be shared: each thread has kernels of its own and reads A and the
 * packed B where they lie. The calling thread only waits, so its host stays awake.
 */
import { ComputeError } from '../executor.ts'
import type { PackedRight } from '../wasm/matmul.ts'
import type { Multiply, ThreadAnswer } from './thread.ts'

export interface Threads {
  readonly count: number
  /** C = A · B into `c`; all three lie in shared memory. Yields what must be waited for, and the part done. */
  multiply(
    a: Int8Array | Uint8Array,
    m: number,
    right: PackedRight,
    c: Int32Array,
  ): Generator<number | Promise<void>, void, void>
  close(): void
}

/** Pieces that one thread takes in turn, so that a slow one holds nobody up for long. */
const piecesPerThread = 4
/** A whole number of the kernel's row blocks. */
const rowsUnit = 48

interface Piece {
  readonly first: number
  readonly end: number
}

export function canShare(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && typeof Worker !== 'undefined'
}

function cutRows(m: number, count: number): Piece[] {
  const size = rowsUnit * Math.max(1, Math.ceil(m / (count * piecesPerThread) / rowsUnit))
  return Array.from({ length: Math.ceil(m / size) }, (_, index) => ({
    first: index * size,
    end: Math.min(m, (index + 1) * size),
  }))
}

export function openThreads(count: number): Threads {
  let failure: ComputeError | undefined
  let calls = 0
  const waiting = new Map<number, () => void>()
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => {
      if (data.failure !== undefined) fail(`a compute thread failed: ${data.failure}`)
      waiting.get(data.call)?.()
    }
    worker.onerror = ({ message }) => fail(`a compute thread failed: ${message}`)
    return worker
  })

  /** Everybody who waits looks up, and finds the failure. */
  function fail(message: string): void {
    failure ??= new ComputeError('internal', message)
    for (const wake of [...waiting.values()]) wake()
  }

  /** Gives a thread one piece; resolves when it is done, or when a thread has failed. */
  function run(worker: Worker, work: Omit<Multiply, 'call'>): Promise<void> {
    const call = ++calls
    return new Promise((resolve) => {
      waiting.set(call, () => {
        waiting.delete(call)
        resolve()
      })
      worker.postMessage({ ...work, call } satisfies Multiply)
    })
  }

  return {
    count,
    *multiply(a, m, right, c) {
      const { k, n } = right
      const pieces = cutRows(m, count)
      let [next, done] = [0, 0]
      const busy = new Map<Worker, Promise<Worker>>()
      while (done < pieces.length) {
        for (const worker of workers) {
          const piece = busy.has(worker) ? undefined : pieces[next]
          if (piece === undefined) continue
          next += 1
          const { first, end } = piece
          const rows = {
            a: a.subarray(first * k, end * k),
            m: end - first,
            right,
            c: c.subarray(first * n, end * n),
          }
          busy.set(
            worker,
            run(worker, rows).then(() => worker),
          )
        }
        yield Promise.race(busy.values()).then((worker) => {
          busy.delete(worker)
          done += 1
        })
        if (failure !== undefined) throw failure
        yield done / pieces.length
      }
    },
    close() {
      for (const worker of workers) worker.terminate()
      fail('the compute threads were ended')
    },
  }
}
