// SPDX-License-Identifier: Apache-2.0
// Written by contracts/evm/src/groth16Verifier.ts from a verifying key. Do not edit: npm run build -w @shardy/contracts-evm
pragma solidity ^0.8.26;

import {Groth16} from "./Groth16.sol";

/// @title Groth16 verifier of `task-proof-v3`, verifier version 3
/// @notice DEVELOPMENT KEY: whoever made it could have kept what makes false proofs. For tests only: let no money rest on it.
/// @dev e(A, B) · e(C, −δ) · e(α, −β) · e(L, −γ) = 1 with L = IC[0] + Σ signals[i] · IC[i + 1]. The key's points on the twist
/// are negated in the constants, so that the proof goes to the precompile as it came.
contract Groth16VerifierV3 is Groth16 {
    string public constant CIRCUIT = "task-proof-v3";
    uint256 public constant VERIFIER_VERSION = 3;
    /// @notice `development` or `ceremony`.
    string public constant TRUST = "development";
    /// @notice SHA-256 of the circuit (.r1cs) and of the verifying key (.json), as the manifest has them.
    bytes32 public constant CIRCUIT_SHA256 = 0x28c8ef790ff05d13d3950166bb9d3e699739f210e3305fcfa397e75b365932e0;
    bytes32 public constant VERIFYING_KEY_SHA256 = 0x31cd3de4cb289c8b6b42187d0d913f74fba7312e19d2b71f146a414f4efc3c20;

    /// @notice Whether the proof is of these signals. Reverts if a precompile refused: see Groth16.sol.
    function verify(uint256[8] calldata proof, uint256[10] calldata signals) external view returns (bool) {
        return refusalOf(proof, signals) == Refusal.None;
    }

    /// @notice The same with the reason, `None` for a proof that is of these signals.
    function refusalOf(uint256[8] calldata proof, uint256[10] memory signals) public view returns (Refusal) {
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
            isCanonical := and(isCanonical, lt(mload(add(signals, 0x80)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0xa0)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0xc0)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0xe0)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0x100)), SCALAR_MODULUS))
            isCanonical := and(isCanonical, lt(mload(add(signals, 0x120)), SCALAR_MODULUS))
            if isCanonical {
                // Four pairs of 0xc0 bytes, a point of the curve and one of the twist each: (A, B), (C, −δ), (α, −β), (L, −γ).
                let pairs := mload(0x40)
                let sum := add(pairs, 0x240)
                let product := add(sum, 0x40)
                // IC[0]
                mstore(sum, 0x271f488ce9e3c05a761bab9f6d0f11b38861625ae1c0b3732d8191a296c75256)
                mstore(add(sum, 0x20), 0x243e06393d9c78a790449de8211e54ecb8859bcbb9560f72c9d2f7f447da45c8)
                isAnswered := 1
                // A product is made right behind the sum, where addition looks for it. A precompile that did not answer
                // is noticed at the end: what is computed on the way is then thrown away.
                // + signals[0] · IC[1]
                mstore(product, 0x236d95b3122c89dfc8db34348fdcb35fb8f121e3741fcfdf794535effef34ead)
                mstore(add(product, 0x20), 0x253c5b861baecde4714b1d6f0429e99702cd9c6a2d32e6175b89024ded438558)
                mstore(add(product, 0x40), mload(signals))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[1] · IC[2]
                mstore(product, 0x14f2dd05f389c472d972d542a2b4d2c4bffbf7158fcbc3c642d94a5a7ecfb41d)
                mstore(add(product, 0x20), 0x092acfc8a5a72c46fc3459e3b98e14013097485689b68b241dbabb1aec0f826d)
                mstore(add(product, 0x40), mload(add(signals, 0x20)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[2] · IC[3]
                mstore(product, 0x26f4ca6600119c33324ca04675629f4ac23d1c2c8cc259c8e8bb8ac5e3509abc)
                mstore(add(product, 0x20), 0x07e232322e1766cffad28c57d34d530b0efca5275242114a54720fc93ac70535)
                mstore(add(product, 0x40), mload(add(signals, 0x40)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[3] · IC[4]
                mstore(product, 0x02b6e6febfdbb712535e34a3689f90d096e96669dd54ab7c608530eda7d9c1d5)
                mstore(add(product, 0x20), 0x0d5dd5a80f8723bd0a6bdf238c2dd29dd395983b1d2f45cc10dad3b2ea5401c9)
                mstore(add(product, 0x40), mload(add(signals, 0x60)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[4] · IC[5]
                mstore(product, 0x1d60f5c5080d3361c9eb51186802f7d815c12c86280452b39fd8f8a6b9e27bc5)
                mstore(add(product, 0x20), 0x01d0a999cb1292e0742c8e964747d838e2860c9b832c624d46be6860d155f035)
                mstore(add(product, 0x40), mload(add(signals, 0x80)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[5] · IC[6]
                mstore(product, 0x16cbd34f681b51d7c2c3a371ae4005d67a85af90816e918fcb19f554de51b26b)
                mstore(add(product, 0x20), 0x296155364d7cdcbcf913fd09e02a598b60fb7bd30dc66f6cf04363fe4261a637)
                mstore(add(product, 0x40), mload(add(signals, 0xa0)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[6] · IC[7]
                mstore(product, 0x0c155a0d1a87a15719b9a918cb2a6ef20043766a5fd189a4d147ab81459dfa42)
                mstore(add(product, 0x20), 0x035439bfa27f1e73355a800fba84c2b5bbe38d937f4dab2b67e9e0b2761f25cb)
                mstore(add(product, 0x40), mload(add(signals, 0xc0)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[7] · IC[8]
                mstore(product, 0x0f8462793af30af73f3b3f4eee0b23a2cfc7e0f6c35050399aeffdf752e02fa5)
                mstore(add(product, 0x20), 0x153aab0d83e594278c8438c1af56e9f384b742d3c6b8a2c9d768f458768dbb59)
                mstore(add(product, 0x40), mload(add(signals, 0xe0)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[8] · IC[9]
                mstore(product, 0x1820db9e03dd90628fa94798042750fcee653c6561e8501419777bd405177f77)
                mstore(add(product, 0x20), 0x13667783ee44d2cd8d068b5265242aa48ebdd9cea1cfeb3cd974e8cccc85c479)
                mstore(add(product, 0x40), mload(add(signals, 0x100)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // + signals[9] · IC[10]
                mstore(product, 0x1794ca2cff64e20d81e605cbef013785fa1892a5176af6a193e30f9963c1817d)
                mstore(add(product, 0x20), 0x0b71e36a79206b4ab5e8043bb6e91c81ee21388f3c0eea988f412c4dba27c8a2)
                mstore(add(product, 0x40), mload(add(signals, 0x120)))
                isAnswered := and(isAnswered, staticcall(gas(), 7, product, 0x60, product, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                isAnswered := and(isAnswered, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                isAnswered := and(isAnswered, eq(returndatasize(), 0x40))
                // A, B and C, then −δ, then α and −β, then −γ behind the sum.
                calldatacopy(pairs, proof, 0x100)
                mstore(add(pairs, 0x100), 0x29f9899a564a314b377270b0cda4db2a38f862c0780ac1eb799e6bda8cc910eb)
                mstore(add(pairs, 0x120), 0x2f480f194b4a7b2b7d096463980acf9674789427b01020a27a0075a127321dd3)
                mstore(add(pairs, 0x140), 0x21c51b4e40a37f88d221369e600485cb2e655fe5971b33a949e8eea99083890a)
                mstore(add(pairs, 0x160), 0x198d5db478fc026e3da32e346e40eb12fc25cb59e905d0ff7d13aca9a9e21b84)
                mstore(add(pairs, 0x180), 0x07bd1d63548ba91f9e0092e4cc7f15dfa35be06a39729a2f634f654331c3a9ce)
                mstore(add(pairs, 0x1a0), 0x207ea637a8ceefbf50548541028f828f450688a79cf6f75915719be73b45ae21)
                mstore(add(pairs, 0x1c0), 0x213f2af4821702dbbd7e0195e387767d9e71d3991bfb421cf3b2bdfc2eb188d2)
                mstore(add(pairs, 0x1e0), 0x2f06ed2d317fdc534d95b13a2e0b1873ddd325679030456a295d112b6515a872)
                mstore(add(pairs, 0x200), 0x220f8510ec5aee2edede06539ae0f2a8e9d508aa4352a7b9c8c46d8694809615)
                mstore(add(pairs, 0x220), 0x0f3a54a901c4a0ffe161488f4da6187b0173467e9ea51b1f74eeb75d40f17da9)
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
