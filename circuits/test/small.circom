// SPDX-License-Identifier: Apache-2.0
pragma circom 2.1.0;

// A circuit small enough to make keys for in a test.
template Small(factor) {
    signal input x;
    signal input result;
    signal input y;
    signal input rest;

    signal product <== x * y;
    product * (y + 5) === factor * rest + result;
}

component main {public [x, result]} = Small(3);
