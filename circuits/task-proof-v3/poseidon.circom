// SPDX-License-Identifier: GPL-3.0-only
pragma circom 2.1.0;

include "circomlib/circuits/poseidon_constants.circom";

/*
 Poseidon of sixteen inputs: the same function, constants and order of rounds as circomlib's Poseidon(16).

 Only what a power is taken of is a signal; all between is sums of signals, which need none. circomlib's own template
 leaves that to the optimizer, which then writes the long sums of the partial rounds out three times for each power: the
 proving key doubles, and its witness generator is four megabytes.
*/
template Poseidon16() {
    signal input inputs[16];
    signal output out;

    var width = 17;
    var fullRounds = 8;
    var partialRounds = 68;
    var rowLength = 2 * width - 1;
    var constants[width * fullRounds + partialRounds] = POSEIDON_C(width);
    var mixing[width][width] = POSEIDON_M(width);
    var turning[width][width] = POSEIDON_P(width);
    var sparse[partialRounds * rowLength] = POSEIDON_S(width);

    component full[fullRounds][width];
    component partial[partialRounds];

    var state[width];
    state[0] = constants[0];
    for (var i = 1; i < width; i++) {
        state[i] = inputs[i - 1] + constants[i];
    }

    var at = width;
    for (var round = 0; round < fullRounds \ 2; round++) {
        var powered[width];
        for (var i = 0; i < width; i++) {
            full[round][i] = FifthPower();
            full[round][i].in <== state[i];
            powered[i] = full[round][i].out + constants[at];
            at++;
        }
        for (var i = 0; i < width; i++) {
            state[i] = 0;
            for (var j = 0; j < width; j++) {
                state[i] += (round == fullRounds \ 2 - 1 ? turning[j][i] : mixing[j][i]) * powered[j];
            }
        }
    }

    for (var round = 0; round < partialRounds; round++) {
        partial[round] = FifthPower();
        partial[round].in <== state[0];
        var first = partial[round].out + constants[at];
        at++;
        state[0] = sparse[rowLength * round] * first;
        for (var i = 1; i < width; i++) {
            state[0] += sparse[rowLength * round + i] * state[i];
            state[i] += sparse[rowLength * round + width + i - 1] * first;
        }
    }

    for (var round = fullRounds \ 2; round < fullRounds; round++) {
        var powered[width];
        for (var i = 0; i < width; i++) {
            full[round][i] = FifthPower();
            full[round][i].in <== state[i];
            powered[i] = full[round][i].out;
            if (round < fullRounds - 1) {
                powered[i] += constants[at];
                at++;
            }
        }
        for (var i = 0; i < width; i++) {
            state[i] = 0;
            for (var j = 0; j < width; j++) {
                state[i] += mixing[j][i] * powered[j];
            }
        }
    }
    out <== state[0];
}

template FifthPower() {
    signal input in;
    signal output out;

    signal square <== in * in;
    signal fourth <== square * square;
    out <== fourth * in;
}
