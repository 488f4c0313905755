export {
  type Bits,
  type PackedForm,
  type PackedWords,
  packedBitsLength,
  pureBits,
  type Unpacked,
  type UnpackRefusal,
} from './bits.ts'
export {
  type Binding,
  type Challenge,
  challengeContent,
  type PublicChallenge,
  publicSeed,
} from './challenge.ts'
export { type CheckRequest, check } from './check.ts'
export {
  type Claim,
  type ClaimCommitment,
  commitToClaim,
  isPartOf,
  makeClaim,
  pathToPart,
  transcriptLeaf,
} from './claim.ts'
export {
  type FieldProducts,
  type FieldVectors,
  type MatrixShape,
  pureProducts,
  repetitionsMax,
  type WordProducts,
} from './field.ts'
export { compareFloatProduct, type FloatProduct, type Plausibility } from './inexact.ts'
export { decodePart, encodePart, partBytesMax, partHeaderBytes } from './part.ts'
export { type CheckPlan, planCheck, type Treatment } from './plan.ts'
export { type Policy, type PolicyName, policies } from './policy.ts'
export { type Projection, type Projections, projectionKey, projectWeights } from './projection.ts'
export { type Probe, planSpotCheck, runSpotCheck, type SpotBudget, type SpotCheck } from './spotCheck.ts'
export { type CheckTools, type ComputeNode, pureTools } from './tools.ts'
export { expandVectors, seedBytes, type Vectors } from './vectors.ts'
export {
  type CheckCost,
  type CheckVerdict,
  describeFault,
  type Fault,
  type Line,
  type Mechanism,
} from './verdict.ts'
