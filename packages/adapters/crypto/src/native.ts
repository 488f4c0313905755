/** What only servers have: their crypto library and a disk. Kept out of the main entry, which browsers bundle. */
export { IdentityFileError, openIdentityFile } from './identityFile.ts'
export { verifySignatureSync } from './nativeVerification.ts'
export { createHash, nativeHashing, sha256 } from './sha256/native.ts'
