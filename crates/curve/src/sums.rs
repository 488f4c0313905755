//! Σ scalar · point over many points (Pippenger): for each window of the scalars the points are thrown into one bucket per digit, and the buckets
//! summed by running totals. Scalars of zero are passed over and those of one added alone, which most wires of a circuit are.

use crate::field::Fp;
use crate::fp2::Fp2;
use crate::group::{Affine, Sum};
use crate::ring::Ring;

/// A base field as proving keys write it.
pub trait Loaded: Ring {
    const WORDS: usize;
    /// From Montgomery form with R = 2^256.
    fn load(words: &[u32]) -> Self;
}

impl Loaded for Fp {
    const WORDS: usize = 8;
    fn load(words: &[u32]) -> Self {
        let words: &[u32; 8] = words.try_into().unwrap_or(&[0; 8]);
        Fp::from_words(words).mul(&const { Fp::plain_power(261 + 5) })
    }
}

impl Loaded for Fp2 {
    const WORDS: usize = 16;
    fn load(words: &[u32]) -> Self {
        Self { re: Fp::load(&words[..8]), im: Fp::load(&words[8..]) }
    }
}

/// Points at infinity, which keys write as zeros, stay zeros: y = 0 is on neither curve.
pub fn load_points<F: Loaded>(target: &mut [Affine<F>], source: &[u32]) {
    for (point, words) in target.iter_mut().zip(source.chunks_exact(2 * F::WORDS)) {
        let (x, y) = words.split_at(F::WORDS);
        *point = Affine { x: F::load(x), y: F::load(y) };
    }
}

pub const WINDOW_MAX: usize = 13;

/// `buckets` has room for 2^12, `order` for as many words as there are points.
pub fn sum_products<F: Ring>(
    points: &[Affine<F>],
    scalars: &[[u32; 8]],
    buckets: &mut [Sum<F>],
    order: &mut [u32],
) -> Sum<F> {
    let mut ones = Sum::ZERO;
    let mut count = 0;
    let mut bits = 0;
    for (index, (point, scalar)) in points.iter().zip(scalars).enumerate() {
        let is_small = scalar[1..] == [0; 7];
        if (is_small && scalar[0] == 0) || point.y.is_zero_product() {
            continue;
        }
        if is_small && scalar[0] == 1 {
            ones = ones.add_affine(point);
            continue;
        }
        order[count] = index as u32;
        count += 1;
        bits = bits.max(length(scalar));
    }
    let window = window_for(count);
    // One place more for the carry of signed digits.
    let places = (bits + 1).div_ceil(window);
    let mut sum = Sum::ZERO;
    for place in (0..places).rev() {
        for _ in 0..window {
            sum = sum.double();
        }
        let half = 1 << (window - 1);
        buckets[..half].fill(Sum::ZERO);
        for &index in &order[..count] {
            let digit = signed_digit(&scalars[index as usize], place, window);
            if digit == 0 {
                continue;
            }
            let point = &points[index as usize];
            let bucket = &mut buckets[digit.unsigned_abs() as usize - 1];
            *bucket = bucket.add_affine(&if digit < 0 { point.neg() } else { *point });
        }
        let (mut running, mut total) = (Sum::ZERO, Sum::ZERO);
        for bucket in buckets[..half].iter().rev() {
            running = running.add(bucket);
            total = total.add(&running);
        }
        sum = sum.add(&total);
    }
    sum.add(&ones)
}

/// What costs least: an addition for each point and place, two for each bucket and place.
fn window_for(count: usize) -> usize {
    let cost = |window: usize| (count + (1 << window)) * 255usize.div_ceil(window);
    (3..=WINDOW_MAX).min_by_key(|&window| cost(window)).unwrap_or(3)
}

fn length(scalar: &[u32; 8]) -> usize {
    let top = scalar.iter().rposition(|&word| word != 0).unwrap_or(0);
    32 * top + (32 - scalar[top].leading_zeros() as usize)
}

fn bits_at(scalar: &[u32; 8], bit: usize, width: usize) -> u32 {
    let (word, shift) = (bit / 32, bit % 32);
    if word >= 8 {
        return 0;
    }
    let high = if word + 1 < 8 { scalar[word + 1] as u64 } else { 0 };
    (((scalar[word] as u64 | high << 32) >> shift) as u32) & ((1 << width) - 1)
}

/// From minus half a window to half of one. The carry into a place is the top bit of the one below: a digit of more than half goes up, and one
/// of exactly half does too.
fn signed_digit(scalar: &[u32; 8], place: usize, window: usize) -> i32 {
    let bit = place * window;
    let carry = if bit == 0 { 0 } else { bits_at(scalar, bit - 1, 1) };
    let own = bits_at(scalar, bit, window) as i32;
    let up = own >> (window - 1);
    own + carry as i32 - (up << window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_what_additions_give() {
        let three = Fp::of_words(&[2, 0, 0, 0, 0, 0, 0, 0]);
        let base = Affine { x: Fp::ONE, y: three };
        let mut points = vec![base];
        for _ in 1..300 {
            points.push(Sum::of(points.last().unwrap()).add_affine(&base).to_affine());
        }
        points[17] = Affine { x: Fp::ZERO, y: Fp::ZERO };
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            state ^ state >> 13
        };
        let scalars: Vec<[u32; 8]> = (0..300)
            .map(|i| match i % 5 {
                0 => [0; 8],
                1 => [1, 0, 0, 0, 0, 0, 0, 0],
                2 => [random() & 0xff, 0, 0, 0, 0, 0, 0, 0],
                3 => [u32::MAX; 8].map(|word| word >> (i % 3)),
                _ => [0; 8].map(|_: u32| random()),
            })
            .collect();
        let mut expected = Sum::ZERO;
        for (i, (point, scalar)) in points.iter().zip(&scalars).enumerate() {
            if i == 17 {
                continue;
            }
            let mut product = Sum::ZERO;
            for bit in (0..256).rev() {
                product = product.double();
                if scalar[bit / 32] >> (bit % 32) & 1 == 1 {
                    product = product.add_affine(point);
                }
            }
            expected = expected.add(&product);
        }
        let mut buckets = vec![Sum::ZERO; 1 << (WINDOW_MAX - 1)];
        let found = sum_products(&points, &scalars, &mut buckets, &mut vec![0; 300]);
        let (found, expected) = (found.to_affine(), expected.to_affine());
        assert_eq!(found.x.to_words(), expected.x.to_words());
        assert_eq!(found.y.to_words(), expected.y.to_words());
    }
}
