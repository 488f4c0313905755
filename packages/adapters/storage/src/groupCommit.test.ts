import { describe, expect, test } from 'bun:test'
import { waitingBytesMax } from './bounds.ts'
import { GroupCommit } from './groupCommit.ts'
import { StoreError } from './storeError.ts'

/** A commit that waits to be told how it ends. */
function heldCommits() {
  const calls: { sizes: number[]; sync: boolean; settle: PromiseWithResolvers<void> }[] = []
  const commits = new GroupCommit((batches, sync) => {
    const settle = Promise.withResolvers<void>()
    calls.push({ sizes: batches.map((batch) => batch.byteLength), sync, settle })
    return settle.promise
  })
  return { commits, calls }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('group commit', () => {
  test('writes that arrive during a commit share the next one, synced if any of them asked for it', async () => {
    const { commits, calls } = heldCommits()
    const first = commits.write(new Uint8Array(1), false)
    await turn()
    const later = [commits.write(new Uint8Array(2), false), commits.write(new Uint8Array(3), true)]
    await turn()
    expect(calls.map(({ sizes, sync }) => ({ sizes, sync }))).toEqual([{ sizes: [1], sync: false }])
    calls[0]?.settle.resolve()
    await first
    await turn()
    expect(calls.slice(1).map(({ sizes, sync }) => ({ sizes, sync }))).toEqual([
      { sizes: [2, 3], sync: true },
    ])
    calls[1]?.settle.resolve()
    await Promise.all(later)
  })

  test('a failed commit rejects its own writes and no others', async () => {
    const { commits, calls } = heldCommits()
    const doomed = [commits.write(new Uint8Array(1), true), commits.write(new Uint8Array(1), true)]
    const outcomes = Promise.allSettled(doomed)
    await turn()
    const fine = commits.write(new Uint8Array(1), true)
    calls[0]?.settle.reject(new StoreError('diskFull', 'no room'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await turn()
    calls[1]?.settle.resolve()
    await fine
  })

  test('a group stays below its size; a larger batch goes alone', async () => {
    const { commits, calls } = heldCommits()
    const mebibyte = 1024 * 1024
    const writes = [3, 4, 4, 20, 1].map((size) => commits.write(new Uint8Array(size * mebibyte), false))
    for (let index = 0; index < 4; index += 1) {
      await turn()
      calls[index]?.settle.resolve()
    }
    await Promise.all(writes)
    expect(calls.map(({ sizes }) => sizes.map((size) => size / mebibyte))).toEqual([[3, 4], [4], [20], [1]])
  })

  test('more waiting bytes than the bound are refused, and accepted again once there is room', async () => {
    const { commits, calls } = heldCommits()
    const first = commits.write(new Uint8Array(1), false)
    await turn()
    const large = commits.write(new Uint8Array(waitingBytesMax), false)
    const refused = await commits.write(new Uint8Array(1), false).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'StoreError', kind: 'overloaded' })
    calls[0]?.settle.resolve()
    await first
    await turn()
    const last = commits.write(new Uint8Array(1), false)
    calls[1]?.settle.resolve()
    await large
    await turn()
    calls[2]?.settle.resolve()
    await last
  })

  test('drain waits for what was accepted', async () => {
    const { commits, calls } = heldCommits()
    const order: string[] = []
    const written = commits.write(new Uint8Array(1), true).then(() => order.push('written'))
    const drained = commits.drain().then(() => order.push('drained'))
    await turn()
    calls[0]?.settle.resolve()
    await Promise.all([written, drained])
    expect(order).toEqual(['written', 'drained'])
  })
})
