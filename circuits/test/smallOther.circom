// SPDX-License-Identifier: Apache-2.0
pragma circom 2.1.0;

// Differs from small.circom in one factor of C of a private signal, which no part of a key spells out.
template Small(factor) {
    signal input x;
    signal input result;
    signal input y;
    signal input rest;

    signal product <== x * y;
    product * (y + 5) === factor * rest + result;
}

component main {public [x, result]} = Small(7);
