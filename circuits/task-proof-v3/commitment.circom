// SPDX-License-Identifier: GPL-3.0-only
pragma circom 2.1.0;

include "poseidon.circom";

/*
 The commitment to a list of signed entries: packed into words, little end first, and hashed in a chain.

   word[w] = sum over j of (entry[w*perWord + j] + 2^(bits-1)) * 2^(bits*j)
   state   = tag * 2^32 + words;  for each 15 words, padded with zeros: state = Poseidon(state, words)

 The tag and the number of words start the chain, so lists of different meaning or length never share a commitment.

 The caller must see to it that every entry lies in [-2^(bits-1), 2^(bits-1)). It is not checked here, and without it
 a word opens in several ways: raise an entry by 2^bits and lower the next one by one.
*/
template Commitment(entries, bits, perWord, tag) {
    signal input entry[entries];
    signal output out;

    assert(bits * perWord < 253);
    var words = (entries + perWord - 1) \ perWord;
    var links = (words + 14) \ 15;

    component hash[links];
    for (var link = 0; link < links; link++) {
        hash[link] = Poseidon16();
        if (link == 0) {
            hash[link].inputs[0] <== tag * (1 << 32) + words;
        } else {
            hash[link].inputs[0] <== hash[link - 1].out;
        }
        for (var slot = 0; slot < 15; slot++) {
            var packed = 0;
            for (var j = 0; j < perWord; j++) {
                var at = (link * 15 + slot) * perWord + j;
                if (at < entries) {
                    packed += (entry[at] + (1 << (bits - 1))) * (1 << (bits * j));
                }
            }
            hash[link].inputs[slot + 1] <== packed;
        }
    }
    out <== hash[links - 1].out;
}
