// SPDX-License-Identifier: GPL-3.0-only
pragma circom 2.1.0;

include "commitment.circom";
include "range.circom";

/*
 One block of an exact matrix product: 16x16 sums after it are the sums before it plus A·B, in integers.

   There are matrices A, B of int8 and Out of int32, 16x16 each, such that commitA, commitB and commitOut are the
   commitments to A, B and Out, and commitIn is the commitment to In = Out - A·B.

 What it proves. That statement, for exactly these ten public signals. All 4,096 products are constraints; nothing is
 drawn at random. A, B and Out are range-checked, so each of their commitments opens in one way. taskId, deliveryId,
 the worker's key (two halves), resultDigest and position take part in no arithmetic; each is squared, which ties it to
 the proof, so that a proof cannot be shown for another task, delivery, worker, output or place.

 What it does NOT prove. That commitOut belongs to the output under resultDigest: who holds the output checks that the
 last commitment of the chain is the commitment to the output's own tile. That A and B are the task's operands: who
 knows them computes commitA and commitB itself. Anything about other blocks: one audit finds a worker who cheats in
 some blocks of its chain with a probability equal to the fraction of blocks that are bad, and a wrong tile has at
 least one bad block among its L. Nothing is hidden: there is no blinding, and small operands can be guessed.

 The caller must
   - draw the tile after the output is fixed, and the block after all commitments of its chain are fixed; never let
     the worker choose either;
   - compute commitA and commitB from the task's operands at that position, padded with zeros at the edges, and take
     commitIn and commitOut from the chain that it kept; for the first block commitIn is the commitment to zeros;
   - audit only products whose inner length is at most 131,040. In is not range-checked: it lies within 2^18 of int32,
     because Out and the products do. An entry of In beyond int32 commits to the same words as one 2^32 away with its
     neighbour changed by one. Sums below 2^31 - 2^18 never meet that: 131,040 * 2^14 is their bound;
   - refuse public signals that are not below the field's modulus, and compare every one with what it knows itself:
     ids are 16 bytes as integers, the worker's key is two halves of 128 bits, and
     position = node * 2^96 + tileRow * 2^64 + tileColumn * 2^32 + depth, each below 2^32;
   - settle once per delivery, not per proof: Groth16 proofs can be re-randomised by anyone.
*/
template TaskProofV3() {
    var n = 16;

    signal input taskId;
    signal input deliveryId;
    signal input workerHigh;
    signal input workerLow;
    signal input resultDigest;
    signal input position;
    signal input commitA;
    signal input commitB;
    signal input commitIn;
    signal input commitOut;

    signal input a[n][n];
    signal input b[n][n];
    signal input sumsIn[n][n];

    // Binding.
    signal taskIdSquare <== taskId * taskId;
    signal deliveryIdSquare <== deliveryId * deliveryId;
    signal workerHighSquare <== workerHigh * workerHigh;
    signal workerLowSquare <== workerLow * workerLow;
    signal resultDigestSquare <== resultDigest * resultDigest;
    signal positionSquare <== position * position;

    // The product. The last of each sixteen is not given a signal of its own: its constraint is the sum.
    signal product[n][n][n - 1];
    signal sumsOut[n][n];
    for (var row = 0; row < n; row++) {
        for (var column = 0; column < n; column++) {
            var sum = sumsIn[row][column];
            for (var k = 0; k < n - 1; k++) {
                product[row][column][k] <== a[row][k] * b[k][column];
                sum += product[row][column][k];
            }
            sumsOut[row][column] <== sum + a[row][n - 1] * b[n - 1][column];
        }
    }

    // Ranges and commitments, all row by row.
    component aCommitment = Commitment(n * n, 8, 31, 1);
    component bCommitment = Commitment(n * n, 8, 31, 2);
    component inCommitment = Commitment(n * n, 32, 7, 3);
    component outCommitment = Commitment(n * n, 32, 7, 3);
    component aRange[n][n];
    component bRange[n][n];
    component outRange[n][n];
    for (var row = 0; row < n; row++) {
        for (var column = 0; column < n; column++) {
            aRange[row][column] = SignedRange(8);
            aRange[row][column].in <== a[row][column];
            bRange[row][column] = SignedRange(8);
            bRange[row][column].in <== b[row][column];
            outRange[row][column] = SignedRange(32);
            outRange[row][column].in <== sumsOut[row][column];
            aCommitment.entry[row * n + column] <== a[row][column];
            bCommitment.entry[row * n + column] <== b[row][column];
            inCommitment.entry[row * n + column] <== sumsIn[row][column];
            outCommitment.entry[row * n + column] <== sumsOut[row][column];
        }
    }
    aCommitment.out === commitA;
    bCommitment.out === commitB;
    inCommitment.out === commitIn;
    outCommitment.out === commitOut;
}

component main {public [taskId, deliveryId, workerHigh, workerLow, resultDigest, position, commitA, commitB, commitIn, commitOut]} = TaskProofV3();
