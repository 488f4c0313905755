// SPDX-License-Identifier: Apache-2.0
// Written by contracts/evm/src/groth16Verifier.ts from a verifying key. Do not edit: npm run build -w @shardy/contracts-evm
pragma solidity ^0.8.26;

import {Groth16} from "./Groth16.sol";

/// @title Groth16 verifier of `task-proof-v2`, verifier version 2
/// @notice DEVELOPMENT KEY: whoever made it could have kept what makes false proofs. For tests only: let no money rest on it.
/// @dev e(A, B) · e(C, −δ) · e(α, −β) · e(L, −γ) = 1 with L = IC[0] + Σ signals[i] · IC[i + 1]. The key's points on the twist
/// are negated in the constants, so that the proof goes to the precompile as it came.
contract Groth16VerifierV2 is Groth16 {
    string public constant CIRCUIT = "task-proof-v2";
    uint256 public constant VERIFIER_VERSION = 2;
    /// @notice `development` or `ceremony`.
    string public constant TRUST = "development";
    /// @notice SHA-256 of the circuit (.r1cs) and of the verifying key (.json), as the manifest has them.
    bytes32 public constant CIRCUIT_SHA256 = 0xcc82aa01dbc4f86904a103dcc4be4f851ebdc9a66a1ff6b8bb696cb6e32f9294;
    bytes32 public constant VERIFYING_KEY_SHA256 = 0xc3b042fcadc825b96bb820c42f3826f34343b35c745d269cb1408f8ae054f4d3;

    /// @notice Whether the proof is of these signals. Reverts if a precompile refused: see Groth16.sol.
    function verify(uint256[8] calldata proof, uint256[4] calldata signals) external view returns (bool) {
        return refusalOf(proof, signals) == Refusal.None;
    }

    /// @notice The same with the reason, `None` for a proof that is of these signals.
    function refusalOf(uint256[8] calldata proof, uint256[4] memory signals) public view returns (Refusal) {
        Refusal refusal = _refusalOfPoints(proof);
        if (refusal != Refusal.None) return refusal;
        bool isCanonical = true;
        bool isAnswered;
        bool isTrue;
        assembly ("memory-safe") {
            isCanonical := and(isCanonical, lt(mload(signals), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0x20)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0x40)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0x60)), SCALAR_MODULUS))
            if isCanonical {
                // Four pairs of 0xc0 bytes, a point of the curve and one of the twist each: (A, B), (C, −δ), (α, −β), (L, −γ).
                let pairs := mload(0x40)
                let sum := add(pairs, 0x240)
                let product := add(sum, 0x40)
                // IC[0]
                mstore(sum, 0x23ff4ae4cb4142d5cbf20bad8e5e341393eb5980991ac2a597bceba8900c529f)
                mstore(add(sum, 0x20), 0x2aae8030e2ea6d75fa1ec8faf54d2809257d88629bf43fa024fbc9e43a862c38)
                isAnswered := 1
                // A product is made right behind the sum, where addition looks for it. A precompile that did not answer
                // is noticed at the end: what is computed on the way is then thrown away.
                // + signals[0] · IC[1]
                mstore(product, 0x126f6dbbe6b19b28d31428989f6496c33c7ec177845a64ef07b39b3108a0dab2)
                mstore(add(product, 0x20), 0x102706d652bdbaa8e7b93df1b6bac02833d61da5f3e8463ef70ba6f31e7c3cd3)
                mstore(add(product, 0x40), mload(signals))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[1] · IC[2]
                mstore(product, 0x08a0df5506d234ae9ec85b5cbd2f26d3f4721d1a4e1a6b624a194e742b62e5d9)
                mstore(add(product, 0x20), 0x1996230397382c47e8bb204ef223b9cfe04801f5075d94517bb86ccabc8fbeb9)
                mstore(add(product, 0x40), mload(add(signals, 0x20)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[2] · IC[3]
                mstore(product, 0x2fbd443ad2a87add52b136278306d80061b7d0f41c77548a63ca46ad342874dd)
                mstore(add(product, 0x20), 0x2ab88b7ce83a518fec5774d193543413eeafb8e8310a7cb1d32c6cff3c23b7eb)
                mstore(add(product, 0x40), mload(add(signals, 0x40)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[3] · IC[4]
                mstore(product, 0x008e0c8dda16e27d52e89e89e52d0724a16bcba4ab07ea8dabf6ba9ee892bccf)
                mstore(add(product, 0x20), 0x17c706a1b7a4fc6cf6c6f79c952b7f6d6ca9879d8bb3fd97030f8e0c41442eeb)
                mstore(add(product, 0x40), mload(add(signals, 0x60)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // A, B and C, then −δ, then α and −β, then −γ behind the sum.
                calldatacopy(pairs, proof, 0x100)
                mstore(add(pairs, 0x100), 0x0bc61d62204c5c074848281f1fed02a76ff4312df8c642035a79781c1d8d3f0b)
                mstore(add(pairs, 0x120), 0x13fe4147a410c5844fc0e0f8d1bb0812e6a6917c429076708c89976918f3fb40)
                mstore(add(pairs, 0x140), 0x01a570ab87f1a0ffab1212c7b49fb42becd4f0ad7bfc7577d804132be0b893b3)
                mstore(add(pairs, 0x160), 0x1cd7ca1f01306f27ddf76f83028732ee4850ff8c0a8702f864de8fd0ebbe37f2)
                mstore(add(pairs, 0x180), 0x15fd3da2a8c2c944462c39eb931e3a82a7683ff83557784058d7840f779ca789)
                mstore(add(pairs, 0x1a0), 0x155ffe59af356344002c87b6fd67fbf41b2c9a4f2d56ba2afd30f6c44a2f4d2c)
                mstore(add(pairs, 0x1c0), 0x105bae2d354e42bd197ac7523889aa594f8f6eec32813c26de2632fab224a678)
                mstore(add(pairs, 0x1e0), 0x1a4a9e38eee878d5488be6c19d8f866f3a900797b0dff733f1ac2a0395c2b0c6)
                mstore(add(pairs, 0x200), 0x0c06ac763dde2c3609280b1c16824c51f546fc6c9711f4d43a637fda6f7e75f0)
                mstore(add(pairs, 0x220), 0x260787d49cd59aad3b92aaa7cf94b9e19d2a3a29de9986c2a9064b15a913b550)
                mstore(add(pairs, 0x280), 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2)
                mstore(add(pairs, 0x2a0), 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed)
                mstore(add(pairs, 0x2c0), 0x275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec)
                mstore(add(pairs, 0x2e0), 0x1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d)
                isAnswered := and(isAnswered, staticcall(gas(), 8, pairs, 0x300, pairs, 0x20))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x20))
                isTrue := eq(mload(pairs), 1)
            }
        }
        if (!isCanonical) return Refusal.NonCanonical;
        if (!isAnswered) revert PrecompileRefused();
        return isTrue ? Refusal.None : Refusal.False;
    }
}
