export { baseOrder, fieldOrder } from './bn254/orders.ts'
export { blockEntries, type Commitments, type Operand } from './commitment/commitment.ts'
export { FoldEndedError, type FoldedOutput, type Folds, type OutputFold } from './field/fold.ts'
export { type Field, type OpenedField, openField } from './field/open.ts'
export {
  type Groth16Json,
  proofFromJson,
  proofFromText,
  proofLength,
  proofToJson,
} from './groth16/proofJson.ts'
export { type ProvingKey, ProvingKeyError, parseProvingKey } from './groth16/provingKey.ts'
export { groth16 } from './groth16/system.ts'
export { batchMax, openVerifier, type Verifier } from './groth16/verifier.ts'
export { parseVerifyingKey, type VerifyingKey } from './groth16/verifyingKey.ts'
export { ArtifactError, loadArtifact } from './manifest/artifact.ts'
export {
  type KeyTrust,
  type KeyVersion,
  type Manifest,
  type ManifestFile,
  parseManifest,
  type VersionStatus,
  type WrittenVersion,
} from './manifest/manifest.ts'
export { acceptedVersion, activeVersion } from './manifest/versions.ts'
export { openProver, type Prover } from './prover/prover.ts'
export { createV2Prover, type V2Prover, type V2Statement, v2Signals } from './prover/v2.ts'
export { type BlockStatement, createV3Prover, type V3Binding, type V3Prover, v3Signals } from './prover/v3.ts'
export {
  openWitnessGenerator,
  WitnessError,
  type WitnessGenerator,
} from './prover/witness.ts'
export {
  accepted,
  type Outcome,
  type ProofRefusal,
  type RefusalCode,
  type Refused,
  refuse,
  type Verdict,
} from './refusal.ts'
export { refuseSignals, signalsFromJson, signalsMax, signalsToJson } from './signals.ts'
export type {
  CircuitInputs,
  ProofSystem,
  ProvingFiles,
  PublicSignals,
  Statement,
  SystemName,
  SystemProver,
  SystemVerifier,
} from './system.ts'
