/**
 * SHA-256 in WebAssembly, for browsers: loading is asynchronous, hashing afterwards is not. One module instance serves
 * everything, so the hash that holds it is parked (its state saved) whenever another one needs it.
 */
import type { Sha256 } from '@shardy/protocol'
import { createSHA256 } from 'hash-wasm'
import { type Hash, HashEndedError, type Hashing } from './hashing.ts'

type Engine = Awaited<ReturnType<typeof createSHA256>>

/** Where a hash in the making is: its state lies in the engine, beside it, or nowhere any more. */
type Place = { kind: 'engine' } | { kind: 'parked'; state: Uint8Array | undefined } | { kind: 'ended' }

function openHashing(engine: Engine): Hashing {
  let holder: { place: Place } | undefined

  function park(): void {
    if (holder !== undefined) holder.place = { kind: 'parked', state: engine.save() }
    holder = undefined
  }

  function createHash(): Hash {
    const self: { place: Place } = { place: { kind: 'parked', state: undefined } }

    function enter(): void {
      if (self.place.kind === 'ended') throw new HashEndedError()
      if (self.place.kind === 'engine') return
      const { state } = self.place
      park()
      if (state === undefined) engine.init()
      else engine.load(state)
      self.place = { kind: 'engine' }
      holder = self
    }

    const hash: Hash = {
      update(bytes) {
        enter()
        engine.update(bytes)
        return hash
      },
      digest() {
        enter()
        self.place = { kind: 'ended' }
        holder = undefined
        return engine.digest('binary')
      },
    }
    return hash
  }

  return {
    sha256(bytes) {
      park()
      return engine.init().update(bytes).digest('binary')
    },
    createHash,
  }
}

let loading: Promise<Hashing> | undefined

export function loadHashing(): Promise<Hashing> {
  loading ??= createSHA256().then(openHashing)
  return loading
}

export async function loadSha256(): Promise<Sha256> {
  return (await loadHashing()).sha256
}
