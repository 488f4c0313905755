/** What makes proofs, for the thread that does: apart from the session, so that a page loads it there and nowhere else. */
export { createBlockProver } from './blockProver.ts'
export { createKeyLoader, type FetchProofFile, fetchProofFiles } from './proofKeys.ts'
export { createTaskProver, type ProofKeyFiles } from './taskProver.ts'
