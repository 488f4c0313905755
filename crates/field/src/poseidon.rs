//! The permutation of circomlib's Poseidon over 17 elements, in Montgomery form, with the rounds rearranged as
//! `parameters.rs` says.

use crate::element::{Element, ZERO, add, dot, enter, leave, limbs, multiply, multiply_add};
use crate::parameters::{HALF, Parameters, State, WIDTH};

fn fifth_power(value: &Element) -> Element {
    let square = multiply(value, value);
    multiply(&multiply(&square, &square), value)
}

#[inline(never)]
fn full_round(state: &mut State, constants: &State, matrix: &[State; WIDTH]) {
    for at in 0..WIDTH {
        state[at] = fifth_power(&add(&state[at], &constants[at]));
    }
    let before = *state;
    for at in 0..WIDTH {
        state[at] = dot(&matrix[at], &before);
    }
}

/// Components of the state grow by less than 1.1 r in a partial round, to 80 r at most, and sums of products of theirs stay below
/// 2^261: see `element.rs`.
pub fn permute(parameters: &Parameters, state: &mut State) {
    for round in 0..HALF {
        let matrix = if round == HALF - 1 { &parameters.into_partial } else { &parameters.mix };
        full_round(state, &parameters.first[round], matrix);
    }
    for at in 0..WIDTH {
        state[at] = add(&state[at], &parameters.before_partial[at]);
    }
    for (sparse, scalar) in parameters.sparse.iter().zip(&parameters.scalars) {
        state[0] = add(&fifth_power(&state[0]), scalar);
        let first = dot(&sparse.row, state);
        for at in 1..WIDTH {
            state[at] = multiply_add(&sparse.column[at - 1], &state[0], &state[at]);
        }
        state[0] = first;
    }
    for round in 0..HALF {
        full_round(state, &parameters.last[round], &parameters.mix);
    }
}

/// The hash of 16 elements of 32 bytes each, highest first, to 32 such bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn poseidon(parameters: *const Parameters, inputs: *const [u8; 32], out: *mut [u8; 32]) {
    unsafe {
        let mut state = [ZERO; WIDTH];
        for at in 1..WIDTH {
            state[at] = enter(&limbs(&*inputs.add(at - 1)));
        }
        permute(&*parameters, &mut state);
        *out = leave(&state[0]);
    }
}
