export {
  exportIdentity,
  generateIdentity,
  type Identity,
  type IdentityJwk,
  type Imported,
  identityOf,
  importIdentity,
  type KeyedIdentity,
} from './identity.ts'
export { type Hash, HashEndedError, type Hashing } from './sha256/hashing.ts'
export { pureHashing } from './sha256/pure.ts'
export { loadHashing, loadSha256 } from './sha256/wasm.ts'
export { verifySignature } from './verification.ts'
