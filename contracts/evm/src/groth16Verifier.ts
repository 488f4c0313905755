// Writes the Solidity contract that verifies proofs under one verifying key. The template is ours, from EIP-196, EIP-197
// and the Groth16 equation; checks that no key is needed for are in solidity/Groth16.sol.

import { baseOrder, type KeyTrust, type VerifyingKey } from '@shardy/proofs'

/** What the contract says of itself, from the manifest's entry. */
export type VerifierFacts = {
  /** Of the contract: `Groth16VerifierV2`. */
  readonly name: string
  readonly circuit: string
  readonly verifierVersion: number
  readonly trust: KeyTrust
  /** SHA-256 of the circuit's R1CS and of the verifying key's JSON, in hex. */
  readonly circuitSha256: string
  readonly verifyingKeySha256: string
}

const trustInWords = {
  development:
    'DEVELOPMENT KEY: whoever made it could have kept what makes false proofs. For tests only: let no money rest on it.',
  ceremony:
    'The key comes from a ceremony: false proofs need all of its contributors to have kept and joined their secrets.',
} as const

export function groth16Verifier(key: VerifyingKey, facts: VerifierFacts): string {
  const signals = key.signalCount
  const [constant = [], ...inputs] = key.signals.map(words)
  const unbound = inputs.findIndex((point) => point.every((coordinate) => coordinate === 0n))
  // IC at infinity: whatever the signal is, the equation is the same.
  if (unbound !== -1) throw new Error(`${facts.circuit} does not bind its signal ${unbound}`)
  return `// SPDX-License-Identifier: Apache-2.0
// Written by contracts/evm/src/groth16Verifier.ts from a verifying key. Do not edit: npm run build -w @shardy/contracts-evm
pragma solidity ^0.8.26;

import {Groth16} from "./Groth16.sol";

/// @title Groth16 verifier of \`${facts.circuit}\`, verifier version ${facts.verifierVersion}
/// @notice ${trustInWords[facts.trust]}
/// @dev e(A, B) · e(C, −δ) · e(α, −β) · e(L, −γ) = 1 with L = IC[0] + Σ signals[i] · IC[i + 1]. The key's points on the twist
/// are negated in the constants, so that the proof goes to the precompile as it came.
contract ${facts.name} is Groth16 {
    string public constant CIRCUIT = ${JSON.stringify(facts.circuit)};
    uint256 public constant VERIFIER_VERSION = ${facts.verifierVersion};
    /// @notice \`development\` or \`ceremony\`.
    string public constant TRUST = "${facts.trust}";
    /// @notice SHA-256 of the circuit (.r1cs) and of the verifying key (.json), as the manifest has them.
    bytes32 public constant CIRCUIT_SHA256 = ${digest(facts.circuitSha256)};
    bytes32 public constant VERIFYING_KEY_SHA256 = ${digest(facts.verifyingKeySha256)};

    /// @notice Whether the proof is of these signals. Reverts if a precompile refused: see Groth16.sol.
    function verify(uint256[8] calldata proof, uint256[${signals}] calldata signals) external view returns (bool) {
        return refusalOf(proof, signals) == Refusal.None;
    }

    /// @notice The same with the reason, \`None\` for a proof that is of these signals.
    function refusalOf(uint256[8] calldata proof, uint256[${signals}] memory signals) public view returns (Refusal) {
        Refusal refusal = _refusalOfPoints(proof);
        if (refusal != Refusal.None) return refusal;
        bool isCanonical = true;
        bool isAnswered;
        bool isTrue;
        assembly ("memory-safe") {
${each(inputs, (_, index) => `            isCanonical := and(isCanonical, lt(${signalAt(index)}, SCALAR_MODULUS))`)}
            if isCanonical {
                // Four pairs of 0xc0 bytes, a point of the curve and one of the twist each: (A, B), (C, −δ), (α, −β), (L, −γ).
                let pairs := mload(0x40)
                let sum := add(pairs, 0x240)
                let product := add(sum, 0x40)
                // IC[0]
${store('sum', 0, constant)}
                isAnswered := 1
                // A product is made right behind the sum, where addition looks for it. A precompile that did not answer
                // is noticed at the end: what is computed on the way is then thrown away.
${each(inputs, accumulate)}
                // A, B and C, then −δ, then α and −β, then −γ behind the sum.
                calldatacopy(pairs, proof, 0x100)
${store('pairs', 0x100, negated(key.delta))}
${store('pairs', 0x180, words(key.alpha))}
${store('pairs', 0x1c0, negated(key.beta))}
${store('pairs', 0x280, negated(key.gamma))}
${answered(8, 'pairs', 0x300, 'pairs', 0x20)}
                isTrue := eq(mload(pairs), 1)
            }
        }
        if (!isCanonical) return Refusal.NonCanonical;
        if (!isAnswered) revert PrecompileRefused();
        return isTrue ? Refusal.None : Refusal.False;
    }
}
`
}

const word = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}`

const signalAt = (index: number) =>
  index === 0 ? 'mload(signals)' : `mload(add(signals, ${hex(32 * index)}))`

const hex = (value: number) => `0x${value.toString(16).padStart(2, '0')}`

const each = <Item>(items: readonly Item[], line: (item: Item, index: number) => string) =>
  items.map(line).join('\n')

/** A point's coordinates; its bytes are in the order of EIP-197 already. */
function words(point: Uint8Array): readonly bigint[] {
  const view = new DataView(point.buffer, point.byteOffset, point.byteLength)
  return Array.from({ length: point.byteLength / 32 }, (_, word) =>
    [0, 8, 16, 24].reduce((value, at) => (value << 64n) | view.getBigUint64(32 * word + at), 0n),
  )
}

/** −point of the twist. */
function negated(point: Uint8Array): readonly bigint[] {
  return words(point).map((coordinate, index) =>
    index < 2 ? coordinate : (baseOrder - coordinate) % baseOrder,
  )
}

function accumulate(point: readonly bigint[], index: number): string {
  return `                // + signals[${index}] · IC[${index + 1}]
${store('product', 0, point)}
                mstore(add(product, 0x40), ${signalAt(index)})
${answered(7, 'product', 0x60, 'product', 0x40)}
${answered(6, 'sum', 0x80, 'sum', 0x40)}`
}

/** An address without code answers too, with nothing: so what came back is measured. */
function answered(address: number, from: string, length: number, to: string, answerLength: number): string {
  return `                isAnswered := and(isAnswered, staticcall(gas(), ${address}, ${from}, ${hex(length)}, ${to}, ${hex(answerLength)}))
                isAnswered := and(isAnswered, eq(returndatasize(), ${hex(answerLength)}))`
}

function store(base: string, offset: number, values: readonly bigint[]): string {
  return each(values, (value, index) => {
    const at = offset + 32 * index
    return `${' '.repeat(16)}mstore(${at === 0 ? base : `add(${base}, ${hex(at)})`}, ${word(value)})`
  })
}

function digest(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`not a SHA-256 in hex: ${sha256}`)
  return `0x${sha256}`
}
