//! Products of points by scalars: signed digits, tables of multiples, and the endomorphism (x, y) ↦ (βx, y) that is λ times.

use crate::field::{Fp, Fr};
use crate::group::{Affine, Sum, normalize};
use crate::ring::Ring;

/// A word of 64 bits in signed odd digits below 8, at most one in four places.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Digits {
    places: [i8; 68],
    pub length: u32,
}

pub const ODD_MULTIPLES: usize = 4;

impl Digits {
    pub fn of(word: u64) -> Self {
        let mut rest = word as u128;
        let mut digits = Self { places: [0; 68], length: 0 };
        while rest != 0 {
            let mut digit = 0;
            if rest & 1 == 1 {
                digit = (rest & 15) as i8;
                if digit >= 8 {
                    digit -= 16;
                }
                rest = rest.wrapping_sub(digit as i128 as u128);
            }
            digits.places[digits.length as usize] = digit;
            digits.length += 1;
            rest >>= 1;
        }
        digits
    }

    /// Adds digit · point, where the table has the point's odd multiples.
    #[inline(always)]
    pub fn add_place(&self, sum: &mut Sum<Fp>, place: usize, table: &[Affine<Fp>; ODD_MULTIPLES], turn: Option<&Fp>) {
        let digit = self.places[place];
        if digit == 0 {
            return;
        }
        let mut point = table[digit.unsigned_abs() as usize >> 1];
        if let Some(beta) = turn {
            point.x = point.x.mul(beta);
        }
        *sum = sum.add_affine(&if digit < 0 { point.neg() } else { point });
    }
}

const WINDOW: usize = 6;
const PLACES: usize = 43;
const ENTRIES: usize = (1 << WINDOW) - 1;
/// All multiples by one digit at every place.
pub const TABLE: usize = PLACES * ENTRIES;

/// `inverses` and `sums` have room for one place.
pub fn tabulate<F: Ring>(target: &mut [Affine<F>], base: &Affine<F>, sums: &mut [Sum<F>], inverses: &mut [F]) {
    let mut power = *base;
    for place in 0..PLACES {
        let mut sum = Sum::of(&power);
        for entry in sums[..=ENTRIES].iter_mut() {
            *entry = sum;
            sum = sum.add_affine(&power);
        }
        let mut next = [power];
        normalize(&mut next, &sums[ENTRIES..=ENTRIES], inverses);
        normalize(&mut target[place * ENTRIES..(place + 1) * ENTRIES], &sums[..ENTRIES], inverses);
        power = next[0];
    }
}

pub fn add_product<F: Ring>(sum: &mut Sum<F>, table: &[Affine<F>], scalar: &Fr) {
    let words = scalar.to_words();
    for place in 0..PLACES {
        let bit = place * WINDOW;
        let (word, shift) = (bit / 32, bit % 32);
        let high = if word + 1 < 8 { words[word + 1] as u64 } else { 0 };
        let digit = (((words[word] as u64 | high << 32) >> shift) as usize) & ENTRIES;
        if digit != 0 {
            *sum = sum.add_affine(&table[place * ENTRIES + digit - 1]);
        }
    }
}
