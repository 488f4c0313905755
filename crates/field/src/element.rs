//! Elements of the field in Montgomery form with R = 2^261: nine limbs of 29 bits, lowest first.
//!
//! 29 bits leave room: many products can be summed in 64-bit columns before anything is carried, and R is 169 r, so sums need no
//! subtraction on the way. What a function asks of its operands is only that they are below 2^261 with limbs below 2^29; what it
//! gives is below r + (sum of the products) / R, which each caller keeps below 2^261. Only `canonical` gives the one number
//! below r.

pub const LIMBS: usize = 9;
const BITS: u32 = 29;
const MASK: u32 = (1 << BITS) - 1;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Element(pub [u32; LIMBS]);

const ORDER_BYTES: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x28, 0x33, 0xe8, 0x48,
    0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
];
const ORDER: Element = limbs(&ORDER_BYTES);
/// −1 / r modulo 2^29.
const INVERSE: u32 = negated_inverse(ORDER.0[0]);

pub const ZERO: Element = Element([0; LIMBS]);
pub const ONE: Element = power_of_two(261);
const INTO: Element = power_of_two(2 * 261);
/// Takes the upper half of 512 bits to its place, out of Montgomery form.
pub const UPPER_HALF: Element = power_of_two(256 + 261);

/// The number of 32 bytes, highest first, as it is: not reduced, not in Montgomery form.
pub const fn limbs(bytes: &[u8; 32]) -> Element {
    let mut out = ZERO;
    let mut bit = 0;
    while bit < 256 {
        let value = (bytes[31 - bit / 8] >> (bit % 8)) & 1;
        out.0[bit / BITS as usize] |= (value as u32) << (bit % BITS as usize);
        bit += 1;
    }
    out
}

const fn negated_inverse(odd: u32) -> u32 {
    let mut inverse: u32 = 1;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg() & MASK
}

const fn power_of_two(exponent: usize) -> Element {
    let mut value = ZERO;
    value.0[0] = 1;
    let mut step = 0;
    while step < exponent {
        value = subtract_order(add(&value, &value));
        step += 1;
    }
    value
}

/// One r less, unless that is below zero.
const fn subtract_order(value: Element) -> Element {
    let mut out = ZERO;
    let mut borrow: i64 = 0;
    let mut at = 0;
    while at < LIMBS {
        let difference = value.0[at] as i64 - ORDER.0[at] as i64 + borrow;
        out.0[at] = (difference & MASK as i64) as u32;
        borrow = difference >> BITS;
        at += 1;
    }
    if borrow < 0 { value } else { out }
}

pub const fn add(left: &Element, right: &Element) -> Element {
    let mut out = ZERO;
    let mut carry = 0;
    let mut at = 0;
    while at < LIMBS {
        let sum = left.0[at] + right.0[at] + carry;
        out.0[at] = sum & MASK;
        carry = sum >> BITS;
        at += 1;
    }
    out
}

pub fn is_reduced(value: &Element) -> bool {
    canonical(value).0 == value.0
}

/// The one number below r that is congruent; operands are far below 2^8 r.
pub fn canonical(value: &Element) -> Element {
    let mut out = *value;
    loop {
        let less = subtract_order(out);
        if less.0 == out.0 {
            return out;
        }
        out = less;
    }
}

pub fn negate(value: &Element) -> Element {
    let mut out = ZERO;
    let mut borrow: i64 = 0;
    let value = canonical(value);
    for at in 0..LIMBS {
        let difference = ORDER.0[at] as i64 - value.0[at] as i64 + borrow;
        out.0[at] = (difference & MASK as i64) as u32;
        borrow = difference >> BITS;
    }
    out
}

/// Written out for every limb: a compiler that is asked for small code would loop, and keep columns in memory.
macro_rules! for_limbs {
    ($at:ident in 1..9 $body:block) => { for_limbs!($at $body 1 2 3 4 5 6 7 8) };
    ($at:ident in 0..9 $body:block) => { for_limbs!($at $body 0 1 2 3 4 5 6 7 8) };
    ($at:ident in 0..8 $body:block) => { for_limbs!($at $body 0 1 2 3 4 5 6 7) };
    ($at:ident $body:block $($limb:literal)*) => { $( { const $at: usize = $limb; $body } )* };
}

/// The sum of N products by R, and `extra` added. Limb by limb of the left operands: a column is whole, and reduced, before the next
/// one needs its place, so nine are under way at a time, which is what a machine has registers for.
#[inline(always)]
fn sum_of_products<const N: usize>(left: &[Element; N], right: &[Element; N], extra: &Element) -> Element {
    // (N + 1) 2^58, and what is carried, fit 64 bits; no test can reach the worst case, since constants and hashes are even.
    const { assert!(N <= 61) };
    let mut columns = [0u64; LIMBS];
    let mut limb = 0;
    while limb < LIMBS {
        let mut term = 0;
        while term < N {
            let factor = left[term].0[limb] as u64;
            for_limbs!(AT in 0..9 { columns[AT] += factor * right[term].0[AT] as u64; });
            term += 1;
        }
        let factor = ((columns[0] as u32).wrapping_mul(INVERSE) & MASK) as u64;
        let carried = (columns[0] + factor * ORDER.0[0] as u64) >> BITS;
        for_limbs!(AT in 1..9 { columns[AT - 1] = columns[AT] + factor * ORDER.0[AT] as u64; });
        columns[0] += carried;
        columns[LIMBS - 1] = 0;
        // A column grows by less than (N + 1) 2^58 before it is passed on, which it is nine times.
        if N > 6 {
            for_limbs!(AT in 0..8 {
                columns[AT + 1] += columns[AT] >> BITS;
                columns[AT] &= MASK as u64;
            });
        }
        limb += 1;
    }
    let mut out = ZERO;
    let mut rest = 0;
    for_limbs!(AT in 0..9 {
        rest += columns[AT] + extra.0[AT] as u64;
        out.0[AT] = (rest & MASK as u64) as u32;
        rest >>= BITS;
    });
    out
}

#[inline(always)]
pub fn multiply_add(left: &Element, right: &Element, extra: &Element) -> Element {
    sum_of_products(&[*left], &[*right], extra)
}

/// Not inlined: the places that call it are many, and the loops that must be fast call what is.
#[inline(never)]
pub fn multiply(left: &Element, right: &Element) -> Element {
    multiply_add(left, right, &ZERO)
}

/// The sum of the products, reduced once.
#[inline(always)]
pub fn dot<const N: usize>(left: &[Element; N], right: &[Element; N]) -> Element {
    sum_of_products(left, right, &ZERO)
}

/// The inverse, by Fermat: the power of r − 2.
pub fn invert(value: &Element) -> Element {
    let mut exponent = ORDER_BYTES;
    exponent[28..].copy_from_slice(&[0xef, 0xff, 0xff, 0xff]);
    let mut out = ONE;
    for byte in exponent {
        for bit in (0..8).rev() {
            out = multiply(&out, &out);
            if byte >> bit & 1 == 1 {
                out = multiply(&out, value);
            }
        }
    }
    out
}

/// Into Montgomery form.
pub fn enter(value: &Element) -> Element {
    multiply(value, &INTO)
}

/// Out of it, as 32 bytes, highest first.
pub fn leave(value: &Element) -> [u8; 32] {
    let mut one = ZERO;
    one.0[0] = 1;
    bytes(&canonical(&multiply(value, &one)))
}

pub fn bytes(value: &Element) -> [u8; 32] {
    let mut out = [0; 32];
    for bit in 0..256 {
        let limb = value.0[bit / BITS as usize] >> (bit % BITS as usize);
        out[31 - bit / 8] |= ((limb & 1) as u8) << (bit % 8);
    }
    out
}
