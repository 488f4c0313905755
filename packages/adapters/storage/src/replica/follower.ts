/**
 * A store that takes another one's log and nothing else, and may take its place. Each frame is applied in one synced
 * write together with its position, so after a crash the follower knows exactly what it has.
 */
import type { Engine } from '../engine.ts'
import { checkFlatRows, everything } from '../flatRows.ts'
import type { Migration } from '../migration.ts'
import { type EnginePlace, openEngine } from '../openStore.ts'
import { encodeDeletedRange } from '../operations.ts'
import type { Store } from '../store.ts'
import { StoreError } from '../storeError.ts'
import { openTabledStore } from '../tabledStore.ts'
import { corruptFrame, decodeFrame, type LogFrame } from './frames.ts'
import { type LogOptions, takePrimaryPlace } from './loggedEngine.ts'
import {
  chainBytes,
  encodePlace,
  nextChain,
  type Place,
  type Position,
  placeKey,
  readPlace,
  sameBytes,
} from './position.ts'

export interface Follower {
  /** What it has, for `log(store, { from })`; `undefined` while it has nothing that is whole. */
  readonly position: Position | undefined
  /**
   * Applies one frame. When it resolves the frame is on disk and may be acknowledged. A refused one changes nothing:
   * ask for the log again from `position`. During a snapshot the answer is `undefined`.
   */
  apply(frame: Uint8Array): Promise<Position | undefined>
  /**
   * Makes a primary of it, one epoch later, and hands over its store. From then on the old primary's frames are
   * refused; it must be told with `fence`, since one that cannot be reached goes on by itself.
   */
  promote<const Table extends string>(options: PromoteOptions<Table>): Promise<Store<Table>>
  close(): Promise<void>
}

export interface PromoteOptions<Table extends string = string> {
  readonly tables: readonly Table[]
  readonly columns?: readonly Table[]
  readonly schemaVersion: number
  readonly migrations?: readonly Migration[]
  readonly log: LogOptions
}

/** Opens a follower's store, a deposed primary's, or an empty folder. One that is a primary is refused. */
export async function openFollower(where: EnginePlace): Promise<Follower> {
  const engine = await openEngine(where)
  try {
    const place = await readPlace(engine)
    const isOther = place === undefined ? !(await isEmpty(engine)) : place.role === 'primary'
    if (isOther) {
      const message = 'There is a store here that follows nobody: fence it, or choose an empty folder'
      throw new StoreError('notFollower', message)
    }
    return new EngineFollower(engine, place)
  } catch (error) {
    await engine.close()
    throw error
  }
}

interface Copy {
  readonly position: Position
  readonly hasher: Bun.CryptoHasher
  pieces: number
  last: Uint8Array | undefined
}

const clearRows = 2_000

class EngineFollower implements Follower {
  readonly #engine: Engine
  #place: Place | undefined
  #copy: Copy | undefined
  #last: Promise<unknown> = Promise.resolve()
  #ended: StoreError | undefined

  constructor(engine: Engine, place: Place | undefined) {
    this.#engine = engine
    this.#place = place
  }

  get position(): Position | undefined {
    if (this.#place === undefined || this.#place.role === 'copying') return undefined
    const { epoch, sequence, chain } = this.#place
    return { epoch, sequence, chain: chain.slice() }
  }

  apply(bytes: Uint8Array): Promise<Position | undefined> {
    return this.#inTurn(async () => {
      await this.#apply(decodeFrame(bytes))
      return this.position
    })
  }

  promote<const Table extends string>(options: PromoteOptions<Table>): Promise<Store<Table>> {
    return this.#inTurn(async () => {
      const { position } = this
      if (position === undefined || this.#copy !== undefined)
        throw new StoreError(
          'notFollower',
          'This follower has no whole copy of the store: there is nothing to promote',
        )
      const place: Place = { ...position, role: 'primary', epoch: position.epoch + 1 }
      await this.#engine.commit([encodePlace(place)], true)
      this.#ended = new StoreError(
        'staleEpoch',
        `This store was promoted in epoch ${place.epoch} and follows nobody`,
      )
      const { tables, columns, schemaVersion, migrations, log } = options
      const engine = await takePrimaryPlace(this.#engine, log)
      return openTabledStore<Table>(engine, { version: schemaVersion, tables, columns }, migrations)
    })
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {})
    if (this.#ended !== undefined) return
    this.#ended = new StoreError('closed', 'The follower is closed')
    await this.#engine.close()
  }

  async #apply(frame: LogFrame): Promise<void> {
    switch (frame.kind) {
      case 'entry':
        return this.#applyEntry(frame)
      case 'snapshotBegin':
        return this.#beginCopy(frame.position)
      case 'snapshotRows':
        return this.#copyRows(frame)
      case 'snapshotEnd':
        return this.#endCopy(frame)
    }
  }

  async #applyEntry({ position, operations }: Extract<LogFrame, { kind: 'entry' }>): Promise<void> {
    const place = this.#place
    this.#checkEpoch(position.epoch)
    if (place === undefined || place.role === 'copying' || position.sequence > place.sequence + 1)
      throw gap(`entry ${place?.sequence ?? 0} comes before entry ${position.sequence}`)
    if (position.sequence <= place.sequence)
      throw new StoreError(
        'logRepeated',
        `Entry ${position.sequence} is here already, up to ${place.sequence}`,
      )
    if (!sameBytes(nextChain(place.chain, position, operations), position.chain))
      throw corruptFrame(`entry ${position.sequence} was changed, or belongs to another history`)
    const next: Place = { ...position, role: 'follower' }
    await this.#engine.commit([operations, encodePlace(next)], true)
    this.#place = next
  }

  async #beginCopy(position: Position): Promise<void> {
    this.#checkEpoch(position.epoch)
    const { epoch } = position
    const copying: Place = { role: 'copying', epoch, sequence: 0, chain: new Uint8Array(chainBytes) }
    this.#copy = undefined
    await this.#engine.commit([encodePlace(copying)], true)
    this.#place = copying
    await clear(this.#engine)
    this.#copy = { position, hasher: new Bun.CryptoHasher('sha256'), pieces: 0, last: undefined }
  }

  async #copyRows({ index, rows }: Extract<LogFrame, { kind: 'snapshotRows' }>): Promise<void> {
    const copy = this.#copy
    if (copy === undefined || index > copy.pieces) throw gap(`piece ${index} of a snapshot comes too early`)
    if (index < copy.pieces)
      throw new StoreError('logRepeated', `Piece ${index} of the snapshot is here already`)
    const found = checkFlatRows(rows, copy.last)
    if (typeof found === 'string') throw corruptFrame(found)
    copy.hasher.update(rows)
    await this.#engine.commit([rows], false)
    copy.pieces += 1
    copy.last = found.last
  }

  async #endCopy({ pieces, digest }: Extract<LogFrame, { kind: 'snapshotEnd' }>): Promise<void> {
    const copy = this.#copy
    if (copy === undefined || pieces !== copy.pieces)
      throw gap(`a snapshot of ${pieces} pieces ends too early`)
    if (!sameBytes(new Uint8Array(copy.hasher.copy().digest()), digest))
      throw corruptFrame('the snapshot is another')
    const place: Place = { ...copy.position, role: 'follower' }
    // Syncs the pieces before it too.
    await this.#engine.commit([encodePlace(place)], true)
    this.#place = place
    this.#copy = undefined
  }

  #checkEpoch(epoch: number): void {
    const own = this.#place?.epoch ?? 0
    if (epoch >= own) return
    throw new StoreError(
      'staleEpoch',
      `A primary of epoch ${epoch} is deposed: this follower is of epoch ${own}`,
    )
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(() => {
      if (this.#ended !== undefined) throw this.#ended
      return act()
    })
    this.#last = turn.catch(() => {})
    return turn
  }
}

function gap(what: string): StoreError {
  return new StoreError('logGap', `A frame is missing: ${what}. Ask for the log again`)
}

async function isEmpty(engine: Engine): Promise<boolean> {
  const scan = engine.scan(everything)
  try {
    return (await scan.next(1)).rows.length === 0
  } finally {
    await scan.close()
  }
}

/** All rows but the place, in pieces. */
async function clear(engine: Engine): Promise<void> {
  const scan = engine.scan(everything)
  try {
    let finished = false
    while (!finished) {
      const page = await scan.next(clearRows)
      const keys = page.rows.map(({ key }) => key).filter((key) => !sameBytes(key, placeKey))
      const [first, last] = [keys[0], keys.at(-1)]
      finished = page.finished
      if (first === undefined || last === undefined) continue
      // The place may lie between them.
      const end = Uint8Array.of(...last, 0)
      const behindPlace = Uint8Array.of(...placeKey, 0)
      const parts = [
        [first, Buffer.compare(end, placeKey) < 0 ? end : placeKey],
        [Buffer.compare(first, behindPlace) > 0 ? first : behindPlace, end],
      ] as const
      await engine.commit(
        parts.map(([gte, lt]) => encodeDeletedRange(gte, lt)),
        false,
      )
    }
  } finally {
    await scan.close()
  }
}
