//! Poseidon's constants for 16 inputs, drawn when the module is opened rather than carried along: they are 50 KB, the register
//! that they come from is a page, and vectors of circomlib's show that they are the right ones.
//!
//! Rounds are rearranged (Poseidon, appendix B) so that a partial round costs one row and one column instead of the whole
//! matrix. With M = A · B, B = diag(1, M̂) and A all zeros outside its first row, first column and diagonal, B leaves
//! alone what the S-box of a partial round touches, so it moves to the round before, joins that one's M, and is taken
//! apart again. Constants of partial rounds but for their first component move in the same way.

use crate::element::{Element, ONE, ZERO, add, dot, invert, multiply, negate};
use crate::grain::Grain;

pub const WIDTH: usize = 17;
pub const HALF: usize = 4;
pub const PARTIAL: usize = 68;
const REST: usize = WIDTH - 1;

pub type State = [Element; WIDTH];
type Matrix<const N: usize> = [[Element; N]; N];

/// What one partial round mixes with: the first row, and the first column below it.
#[repr(C)]
pub struct Sparse {
    pub row: State,
    pub column: [Element; REST],
}

#[repr(C)]
pub struct Parameters {
    pub mix: Matrix<WIDTH>,
    /// The matrix of the last round before the partial ones, with all that moved there.
    pub into_partial: Matrix<WIDTH>,
    pub first: [State; HALF],
    pub before_partial: State,
    /// Added to the first component behind each S-box of a partial round; the last is zero.
    pub scalars: [Element; PARTIAL],
    pub sparse: [Sparse; PARTIAL],
    pub last: [State; HALF],
}

/// Room to compute in.
#[repr(C)]
pub struct Scratch {
    constants: [State; PARTIAL],
    inverse: Matrix<WIDTH>,
    rest: Matrix<REST>,
    rest_inverse: Matrix<REST>,
    /// M̂ to powers of two, and what is made of them.
    base: Matrix<REST>,
    power: Matrix<REST>,
    product: Matrix<REST>,
    work: Matrix<WIDTH>,
}

#[unsafe(no_mangle)]
pub extern "C" fn parameters_bytes() -> usize {
    size_of::<Parameters>()
}

#[unsafe(no_mangle)]
pub extern "C" fn scratch_bytes() -> usize {
    size_of::<Scratch>()
}

/// Fills `out`; `scratch` is free again afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepare(out: *mut Parameters, scratch: *mut Scratch) {
    let (out, scratch) = unsafe { (&mut *out, &mut *scratch) };
    let mut grain = Grain::new(WIDTH as u64, 2 * HALF as u64, PARTIAL as u64);
    for rounds in [&mut out.first[..], &mut scratch.constants[..], &mut out.last[..]] {
        for constant in rounds.iter_mut().flatten() {
            *constant = grain.element();
        }
    }
    draw_matrix(&mut grain, &mut out.mix);
    invert_matrix(&out.mix, &mut scratch.work, &mut scratch.inverse);
    move_constants(out, scratch);
    thin_out(out, scratch);
}

/// 1 / (x + y) for two lists that the register gives. For this width its first draw has no pair that adds up to zero.
fn draw_matrix(grain: &mut Grain, mix: &mut Matrix<WIDTH>) {
    let mut drawn = [ZERO; 2 * WIDTH];
    for element in &mut drawn {
        *element = grain.folded();
    }
    // One inversion for all: of the product of all sums, taken apart from the last to the first.
    let mut product = ONE;
    for at in 0..WIDTH * WIDTH {
        mix[at / WIDTH][at % WIDTH] = product;
        product = multiply(&product, &add(&drawn[at / WIDTH], &drawn[WIDTH + at % WIDTH]));
    }
    let mut inverse = invert(&product);
    for at in (0..WIDTH * WIDTH).rev() {
        let before = &mut mix[at / WIDTH][at % WIDTH];
        *before = multiply(before, &inverse);
        inverse = multiply(&inverse, &add(&drawn[at / WIDTH], &drawn[WIDTH + at % WIDTH]));
    }
}

/// Gauss and Jordan without a search for pivots: every minor of such a matrix is other than zero.
fn invert_matrix<const N: usize>(matrix: &Matrix<N>, work: &mut Matrix<WIDTH>, out: &mut Matrix<N>) {
    for row in 0..N {
        work[row][..N].copy_from_slice(&matrix[row]);
        out[row] = [ZERO; N];
        out[row][row] = ONE;
    }
    for pivot in 0..N {
        let factor = invert(&work[pivot][pivot]);
        for column in 0..N {
            work[pivot][column] = multiply(&work[pivot][column], &factor);
            out[pivot][column] = multiply(&out[pivot][column], &factor);
        }
        for row in 0..N {
            if row == pivot {
                continue;
            }
            let factor = negate(&work[row][pivot]);
            for column in 0..N {
                work[row][column] = add_product(&work[row][column], &work[pivot][column], &factor);
                out[row][column] = add_product(&out[row][column], &out[pivot][column], &factor);
            }
        }
    }
}

fn add_product(sum: &Element, left: &Element, right: &Element) -> Element {
    crate::element::canonical(&add(sum, &multiply(left, right)))
}

fn apply<const N: usize>(matrix: &Matrix<N>, vector: &[Element; N]) -> [Element; N] {
    let mut out = [ZERO; N];
    for row in 0..N {
        out[row] = dot(&matrix[row], vector);
    }
    out
}

/// From the last partial round to the first: a constant goes back through the matrix before it, where all but the first
/// component joins the round's own.
fn move_constants(out: &mut Parameters, scratch: &mut Scratch) {
    out.scalars[PARTIAL - 1] = ZERO;
    for round in (1..PARTIAL).rev() {
        let moved = apply(&scratch.inverse, &scratch.constants[round]);
        out.scalars[round - 1] = moved[0];
        for at in 1..WIDTH {
            scratch.constants[round - 1][at] = add(&scratch.constants[round - 1][at], &moved[at]);
        }
    }
    out.before_partial = scratch.constants[0];
}

/// From the last partial round to the first: round i has the row v · M̂^-(68 − i) and the column M̂^(67 − i) · w, and M̂^68 is
/// left for the round before the partial ones.
fn thin_out(out: &mut Parameters, scratch: &mut Scratch) {
    for row in 0..REST {
        scratch.rest[row].copy_from_slice(&out.mix[row + 1][1..]);
    }
    invert_matrix(&scratch.rest, &mut scratch.work, &mut scratch.rest_inverse);
    let mut row = [ZERO; REST];
    row.copy_from_slice(&out.mix[0][1..]);
    let mut column = [ZERO; REST];
    for at in 0..REST {
        column[at] = out.mix[at + 1][0];
    }
    for round in (0..PARTIAL).rev() {
        row = apply_left(&row, &scratch.rest_inverse);
        let sparse = &mut out.sparse[round];
        sparse.row[0] = out.mix[0][0];
        sparse.row[1..].copy_from_slice(&row);
        sparse.column = column;
        column = apply(&scratch.rest, &column);
    }
    raise(scratch, PARTIAL);
    out.into_partial[0] = out.mix[0];
    for at in 0..REST {
        for column in 0..WIDTH {
            let mut below = [ZERO; REST];
            for (from, element) in below.iter_mut().enumerate() {
                *element = out.mix[from + 1][column];
            }
            out.into_partial[at + 1][column] = dot(&scratch.power[at], &below);
        }
    }
    let mut below = [ZERO; REST];
    below.copy_from_slice(&out.before_partial[1..]);
    out.before_partial[1..].copy_from_slice(&apply(&scratch.power, &below));
}

/// The power of M̂, by squaring.
fn raise(scratch: &mut Scratch, exponent: usize) {
    let Scratch { rest, base, power, product, .. } = scratch;
    *base = *rest;
    for (at, row) in power.iter_mut().enumerate() {
        *row = [ZERO; REST];
        row[at] = ONE;
    }
    let mut left = exponent;
    while left > 0 {
        if left & 1 == 1 {
            for at in 0..REST {
                power[at] = apply_left(&power[at], base);
            }
        }
        for at in 0..REST {
            product[at] = apply_left(&base[at], base);
        }
        *base = *product;
        left >>= 1;
    }
}

fn apply_left(vector: &[Element; REST], matrix: &Matrix<REST>) -> [Element; REST] {
    let mut out = [ZERO; REST];
    for column in 0..REST {
        let mut down = [ZERO; REST];
        for (row, element) in down.iter_mut().enumerate() {
            *element = matrix[row][column];
        }
        out[column] = dot(vector, &down);
    }
    out
}
