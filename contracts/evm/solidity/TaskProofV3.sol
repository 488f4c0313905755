// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Groth16VerifierV3} from "./Groth16VerifierV3.sol";

/// @title Statement `task-proof-v3`: one block of an exact matrix product
/// @notice A valid proof says: whoever made it knows int8 matrices A and B of 16 × 16 that open `commitA` and `commitB`,
/// and sums of int32 that open `commitIn` and `commitOut`, with Out = In + A·B exactly; and it was made for this task,
/// delivery, worker key, result digest and position.
/// It does NOT say that `commitOut` belongs to the result under `resultDigest`, that the commitments are of the task's
/// operands, or that any other block is right. Of a result with bad blocks, one audit finds one with the probability
/// that a drawn block is bad, and only if the position was drawn after the commitments were fixed, and not by the worker.
/// The worker's key is named, not signed with: others who know the operands can make the proof too.
/// @dev Whether the position was drawn so, and what the commitments belong to, is for the caller to know.
contract TaskProofV3 is Groth16VerifierV3 {
    /// @param taskId the task's 16 bytes, big-endian
    /// @param deliveryId the delivery's 16 bytes, big-endian
    /// @param worker the worker's id
    /// @param resultDigest `foldOutputToField` of the whole result
    /// @param node of the task's program
    /// @param tileRow of the output's tile, counted in tiles
    /// @param tileColumn of the output's tile, counted in tiles
    /// @param depth of the block along the inner length, counted in blocks
    /// @param commitA to the left operand's block
    /// @param commitB to the right operand's block
    /// @param commitIn to the sums before the block
    /// @param commitOut to the sums after it
    struct Statement {
        uint128 taskId;
        uint128 deliveryId;
        bytes32 worker;
        uint256 resultDigest;
        uint32 node;
        uint32 tileRow;
        uint32 tileColumn;
        uint32 depth;
        uint256 commitA;
        uint256 commitB;
        uint256 commitIn;
        uint256 commitOut;
    }

    /// @notice Reverts, by name, unless the proof is of this statement.
    function requireProven(uint256[8] calldata proof, Statement calldata statement) external view {
        uint256[10] memory signals;
        signals[0] = statement.taskId;
        signals[1] = statement.deliveryId;
        signals[2] = uint256(statement.worker) >> 128;
        signals[3] = uint128(uint256(statement.worker));
        signals[4] = statement.resultDigest;
        signals[5] = uint256(statement.node) << 96 | uint256(statement.tileRow) << 64
            | uint256(statement.tileColumn) << 32 | statement.depth;
        signals[6] = statement.commitA;
        signals[7] = statement.commitB;
        signals[8] = statement.commitIn;
        signals[9] = statement.commitOut;
        _requireNone(refusalOf(proof, signals));
    }
}
