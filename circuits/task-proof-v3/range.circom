// SPDX-License-Identifier: Apache-2.0
pragma circom 2.1.0;

/*
 Constrains `in` to [-2^(bits-1), 2^(bits-1)), in exactly `bits` constraints.

 All bits but the highest are signals. What is left of the number without them is the highest bit's share, and is
 constrained to be nothing or the whole share, so no constraint is spent on adding the bits up.
*/
template SignedRange(bits) {
    signal input in;
    signal bit[bits - 1];

    var shifted = in + (1 << (bits - 1));
    var low = 0;
    for (var i = 0; i < bits - 1; i++) {
        // Advice to the generator; the constraints alone decide what is accepted.
        bit[i] <-- (shifted >> i) & 1;
        bit[i] * bit[i] === bit[i];
        low += bit[i] * (1 << i);
    }
    (shifted - low) * (shifted - low - (1 << (bits - 1))) === 0;
}
