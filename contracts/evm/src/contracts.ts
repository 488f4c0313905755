// The text of each generated contract; `npm run check` compares it with the file in `solidity/`.

import { activeKey } from './activeKeys.ts'
import { groth16Verifier } from './groth16Verifier.ts'

export function groth16VerifierV2(): string {
  const { key, facts } = activeKey('v2')
  return groth16Verifier(key, { name: 'Groth16VerifierV2', ...facts })
}

export function groth16VerifierV3(): string {
  const { key, facts } = activeKey('v3')
  return groth16Verifier(key, { name: 'Groth16VerifierV3', ...facts })
}
