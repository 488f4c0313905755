// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Groth16VerifierV2} from "./Groth16VerifierV2.sol";

/// @title Statement `task-proof-v2`: identity binding
/// @notice A valid proof says: whoever made it put this result digest together with this task, this seed and this
/// length. It does NOT say that anything was computed, that the digest is of a right result, or who made it: the private
/// witness is `resultDigest − taskId − seed − outputLength`, which exists for every digest, and anybody can make such a
/// proof in milliseconds, of a digest copied from others too. Never pay on it alone.
/// @dev Whether the task exists, has this seed and wants this length is for the caller to know.
contract TaskProofV2 is Groth16VerifierV2 {
    /// @param taskId the task's 16 bytes, big-endian
    /// @param seed the task's seed
    /// @param outputLength of the result, in bytes
    /// @param resultDigest `foldOutputToField` of the result
    struct Statement {
        uint128 taskId;
        uint64 seed;
        uint64 outputLength;
        uint256 resultDigest;
    }

    /// @notice Reverts, by name, unless the proof is of this statement.
    function requireProven(uint256[8] calldata proof, Statement calldata statement) external view {
        _requireNone(
            refusalOf(
                proof,
                [uint256(statement.taskId), statement.seed, statement.outputLength, statement.resultDigest]
            )
        );
    }
}
