/** The adversary, for tests of fast twins: every cheat, and the checks that it is put before. */
export { type Cheat, cheats } from './cheats.ts'
export { attempt, honestClaim } from './claims.ts'
export { requestOf, type StrictPolicy, strictPolicies } from './requests.ts'
