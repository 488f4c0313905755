/** What snarkjs is used for: the ceremony that makes keys, PLONK and FFLONK. GPL-3.0, and loaded only when asked for. */
export { CeremonyError, type CeremonyErrorKind } from './ceremony/ceremonyError.ts'
export { type Contributed, type ContributeRequest, contribute } from './ceremony/contribute.ts'
export { type Finalized, type FinalizeRequest, finalizeCeremony } from './ceremony/finalize.ts'
export { type InitRequest, initCeremony } from './ceremony/init.ts'
export type { ManifestEntry } from './ceremony/manifestEntry.ts'
export { developmentPower } from './ceremony/phase1.ts'
export { type ContributionEntry, latestKey, type Transcript } from './ceremony/transcript.ts'
export {
  type CeremonyRefusal,
  type CeremonyRefusalCode,
  refusalCodes,
} from './ceremony/verdict.ts'
export {
  type CeremonyReport,
  type CeremonyVerdict,
  type VerifyRequest,
  verifyCeremony,
} from './ceremony/verify.ts'
export { wordsOf } from './ceremony/words.ts'
export { fflonk } from './systems/fflonk.ts'
export { plonk } from './systems/plonk.ts'
export type { UniversalName } from './systems/proofForm.ts'
export type { UniversalKey } from './systems/universalKey.ts'
export { makeUniversalKey, type UniversalKeyFiles, UniversalProverError } from './systems/universalProver.ts'
