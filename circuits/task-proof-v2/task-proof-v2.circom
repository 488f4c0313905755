// SPDX-License-Identifier: Apache-2.0
pragma circom 2.1.0;

/*
 Identity binding: a proof of this statement ties one digest to one task, seed and output length, and nothing more.

   witness + taskId + seed + outputLen === resultDigest

 What it proves. The proof was made for exactly these four public signals. Change one of them and it no longer verifies.

 What it does NOT prove. `witness` is free, so a proof exists for EVERY digest: choose witness = resultDigest - taskId -
 seed - outputLen. It says nothing about how the output was computed, nor that anybody holds an output with this
 digest. No worker key is in it: who sees a digest can prove it in two milliseconds. Never pay for a result on this
 proof alone, and never call a result verified because of it.

 The caller must
   - map injectively: taskId is the id's 16 bytes as an integer below 2^128, seed is unsigned 64 bits, outputLen is the
     output's length in bytes, resultDigest is foldOutputToField(output), below the field's modulus;
   - refuse public signals that are not below the modulus: signals that differ by the modulus are the same to the
     circuit, so two spellings of one statement would both verify;
   - compare every public signal with what it knows itself, and take none from the proof;
   - settle once per delivery, not per proof: Groth16 proofs can be re-randomised by anyone.

 Compile with --O1. The relation is linear and `witness` occurs nowhere else, so --O2 solves for it, drops the only
 constraint, and the key then verifies false relations.
*/
template TaskProofV2() {
    signal input witness;
    signal input taskId;
    signal input seed;
    signal input outputLen;
    signal input resultDigest;

    witness + taskId + seed + outputLen === resultDigest;
}

component main {public [taskId, seed, outputLen, resultDigest]} = TaskProofV2();
