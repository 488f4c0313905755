/** SHA-256 in plain JavaScript: the twin that needs nothing of its host, against which the fast ones are compared. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { type Hash, HashEndedError, type Hashing } from './hashing.ts'

export const pureHashing: Hashing = {
  sha256: (bytes) => nobleSha256(bytes),
  createHash() {
    const inner = nobleSha256.create()
    let ended = false
    const hash: Hash = {
      update(bytes) {
        if (ended) throw new HashEndedError()
        inner.update(bytes)
        return hash
      },
      digest() {
        if (ended) throw new HashEndedError()
        ended = true
        return inner.digest()
      },
    }
    return hash
  },
}
