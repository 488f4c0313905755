//! Σ scalar · point over many points (Pippenger): for each window of the scalars the points are thrown into one bucket per digit, and the buckets
//! summed by running totals. Buckets are added up in pairs, in affine form, all pairs of a round with one inversion. Scalars of zero are passed over and those of one added alone, which most wires of a circuit are.

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

/// Room for the work: as much of each as there are points, and a word for each bucket.
pub struct Room<'a, F> {
    pub first: &'a mut [Affine<F>],
    pub second: &'a mut [Affine<F>],
    pub products: &'a mut [F],
    pub order: &'a mut [u32],
    pub ends: &'a mut [u32],
}

pub fn sum_products<F: Ring>(points: &[Affine<F>], scalars: &[[u32; 8]], room: &mut Room<F>) -> Sum<F> {
    let mut ones = Sum::ZERO;
    let mut count = 0;
    let mut bits = 0;
    for (index, (point, scalar)) in points.iter().zip(scalars).enumerate() {
        let is_small = scalar[1..] == [0; 7];
        if (is_small && scalar[0] == 0) || is_infinite(point) {
            continue;
        }
        if is_small && scalar[0] == 1 {
            ones = ones.add_affine(point);
            continue;
        }
        room.order[count] = index as u32;
        count += 1;
        bits = bits.max(length(scalar));
    }
    let window = window_for(count);
    // One place more for the carry of signed digits.
    let places = (bits + 1).div_ceil(window);
    let half = 1 << (window - 1);
    let mut sum = Sum::ZERO;
    for place in (0..places).rev() {
        for _ in 0..window {
            sum = sum.double();
        }
        let digit_of = |index: u32| signed_digit(&scalars[index as usize], place, window);
        let ends = &mut room.ends[..half];
        ends.fill(0);
        for &index in &room.order[..count] {
            let digit = digit_of(index);
            if digit != 0 {
                ends[digit.unsigned_abs() as usize - 1] += 1;
            }
        }
        let mut start = 0;
        for end in ends.iter_mut() {
            (*end, start) = (start, start + *end);
        }
        for &index in &room.order[..count] {
            let digit = digit_of(index);
            if digit != 0 {
                let end = &mut ends[digit.unsigned_abs() as usize - 1];
                let point = &points[index as usize];
                room.first[*end as usize] = if digit < 0 { point.neg() } else { *point };
                *end += 1;
            }
        }
        while pair_up(room, half) {}
        let (mut running, mut total) = (Sum::ZERO, Sum::ZERO);
        for bucket in (0..half).rev() {
            let from = if bucket == 0 { 0 } else { room.ends[bucket - 1] };
            if from < room.ends[bucket] && !is_infinite(&room.first[from as usize]) {
                running = running.add_affine(&room.first[from as usize]);
            }
            total = total.add(&running);
        }
        sum = sum.add(&total);
    }
    sum.add(&ones)
}

/// Adds the points of every bucket in pairs, in affine form with one inversion for all. False when no bucket had two.
fn pair_up<F: Ring>(room: &mut Room<F>, half: usize) -> bool {
    // Two points with the same x make the product of all differences zero, and then each pair is looked at.
    let mut is_careful = false;
    let (mut inverse, pairs, mut out) = loop {
        let (mut product, mut pairs, mut out, mut start) = (F::ONE, 0, 0, 0);
        for &end in &room.ends[..half] {
            for pair in room.first[start..end as usize].chunks_exact(2) {
                room.products[pairs] = product;
                pairs += 1;
                product = product.mul(&divisor(&pair[0], &pair[1], is_careful));
            }
            out += (end as usize - start).div_ceil(2);
            start = end as usize;
        }
        if pairs == 0 {
            return false;
        }
        if !product.is_zero() {
            break (product.invert(), pairs, out);
        }
        is_careful = true;
    };
    let mut pair = pairs;
    for bucket in (0..half).rev() {
        let start = if bucket == 0 { 0 } else { room.ends[bucket - 1] as usize };
        let end = room.ends[bucket] as usize;
        room.ends[bucket] = out as u32;
        if (end - start) % 2 == 1 {
            out -= 1;
            room.second[out] = room.first[end - 1];
        }
        for at in (start..end - (end - start) % 2).step_by(2).rev() {
            let (p, q) = (&room.first[at], &room.first[at + 1]);
            pair -= 1;
            let own = inverse.mul(&room.products[pair]);
            inverse = inverse.mul(&divisor(p, q, is_careful));
            out -= 1;
            room.second[out] = add_with(p, q, &own, is_careful);
        }
    }
    core::mem::swap(&mut room.first, &mut room.second);
    true
}

#[inline(always)]
fn is_infinite<F: Ring>(point: &Affine<F>) -> bool {
    point.y.is_zero_product()
}

/// What the slope of the line through both is divided by.
#[inline(always)]
fn divisor<F: Ring>(p: &Affine<F>, q: &Affine<F>, is_careful: bool) -> F {
    if is_infinite(p) || is_infinite(q) {
        return F::ONE;
    }
    let difference = q.x.sub(&p.x);
    if is_careful && difference.is_zero() {
        return if q.y.sub(&p.y).is_zero() { p.y.double() } else { F::ONE };
    }
    difference
}

#[inline(always)]
fn add_with<F: Ring>(p: &Affine<F>, q: &Affine<F>, inverse: &F, is_careful: bool) -> Affine<F> {
    if is_infinite(p) {
        return *q;
    }
    if is_infinite(q) {
        return *p;
    }
    let mut rise = q.y.sub(&p.y);
    if is_careful && q.x.sub(&p.x).is_zero() {
        if !rise.is_zero() {
            return Affine { x: F::ZERO, y: F::ZERO };
        }
        let square = p.x.square();
        rise = square.double().add(&square);
    }
    let slope = rise.mul(inverse);
    let x = slope.square().sub(&p.x).sub(&q.x).weak();
    let y = slope.mul(&p.x.sub(&x)).sub(&p.y).weak();
    Affine { x, y }
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
        // Points that meet themselves and their negatives in a bucket.
        for index in 200..260 {
            points[index] = if index % 3 == 0 { points[4].neg() } else { points[4] };
        }
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
                _ if i > 200 => [7; 8],
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
        let found = sum_products(
            &points,
            &scalars,
            &mut Room {
                first: &mut vec![base; 300],
                second: &mut vec![base; 300],
                products: &mut vec![Fp::ZERO; 300],
                order: &mut vec![0; 300],
                ends: &mut vec![0; 1 << (WINDOW_MAX - 1)],
            },
        );
        let (found, expected) = (found.to_affine(), expected.to_affine());
        assert_eq!(found.x.to_words(), expected.x.to_words());
        assert_eq!(found.y.to_words(), expected.y.to_words());
    }
}
