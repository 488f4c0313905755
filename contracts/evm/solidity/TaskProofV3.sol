// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Groth16VerifierV3} from "./Groth16VerifierV3.sol";

/// @title Statement `task-proof-v3`: one block of an exact matrix product
/// @notice A valid proof says: there are matrices A and B of int8 and Out of int32, 16 × 16 each, that open `commitA`,
/// `commitB` and `commitOut`, and `commitIn` is the commitment to Out − A·B; and the proof was made for this task, delivery,
/// worker key, result digest and position.
/// It does NOT say that `commitOut` belongs to the result under `resultDigest`, that A and B are the task's operands, that any
/// other block is right, or who made it: the worker's key is named, and nothing is signed with it.
/// Of a result with bad blocks one audit finds one with the probability that a drawn block is bad.
/// @dev For the caller to know or to see to: that the position was drawn after the commitments were fixed, and not by the
/// worker; that A and B are the task's operands there; that the commitments before and after are those of the chain, which
/// begins with the commitment to zeros and ends with that to the result's own tile; that the inner length is at most 131,040.
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
