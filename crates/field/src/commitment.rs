//! Commitments to the entries of a block (docs/spec/digest.md E11 to E13): packed into words, then chained through Poseidon.

use crate::element::{ZERO, enter, leave, limbs};
use crate::parameters::{Parameters, WIDTH};
use crate::poseidon::permute;

/// Words that one permutation takes beside the state of the chain.
const ABSORBED: usize = 15;

/// `length` bytes are the entries as they lie in memory, lowest byte first; every `width`th byte of them is a highest one, whose
/// upper bit is turned so that entries count from their least value. `word_bytes` of them are one word.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn commit(
    parameters: *const Parameters,
    entries: *const u8,
    length: usize,
    width: usize,
    word_bytes: usize,
    tag: u32,
    out: *mut [u8; 32],
) {
    unsafe {
        let words = length.div_ceil(word_bytes);
        let mut start = [0; 32];
        start[24..28].copy_from_slice(&tag.to_be_bytes());
        start[28..].copy_from_slice(&(words as u32).to_be_bytes());
        let mut chain = enter(&limbs(&start));
        let mut next = 0;
        while next < words {
            let mut state = [ZERO; WIDTH];
            state[1] = chain;
            for slot in state.iter_mut().skip(2) {
                if next == words {
                    break;
                }
                let mut bytes = [0; 32];
                for at in 0..word_bytes {
                    let from = next * word_bytes + at;
                    if from == length {
                        break;
                    }
                    let turned = if from % width == width - 1 { 0x80 } else { 0 };
                    bytes[31 - at] = *entries.add(from) ^ turned;
                }
                *slot = enter(&limbs(&bytes));
                next += 1;
            }
            permute(&*parameters, &mut state);
            chain = state[0];
        }
        *out = leave(&chain);
    }
}

const _: () = assert!(ABSORBED + 2 == WIDTH);
