//! Elements of the field in Montgomery form with R = 2^261: nine limbs of 29 bits, lowest first.
//!
//! 29 bits leave room: six products of elements can be summed in 64-bit columns before anything is carried, and R is 169 r, so
//! sums need no subtraction on the way. What a function asks of its operands is only that they are below 2^261 with limbs below
//! 2^29; what it gives is below r + (product of the operands) / R, which each caller keeps below 2^261. Only `canonical` gives the
//! one number below r.

pub const LIMBS: usize = 9;
const BITS: u32 = 29;
const MASK: u32 = (1 << BITS) - 1;
/// Terms of a sum of products between two carries: 6 · 9 · 2^58 < 2^64.
const TERMS: usize = 6;
const COLUMNS: usize = 2 * LIMBS;

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

#[inline(always)]
fn multiply_into(columns: &mut [u64; COLUMNS], left: &Element, right: &Element) {
    for i in 0..LIMBS {
        for j in 0..LIMBS {
            columns[i + j] += left.0[i] as u64 * right.0[j] as u64;
        }
    }
}

#[inline(always)]
fn carry(columns: &mut [u64; COLUMNS]) {
    for at in 0..COLUMNS - 1 {
        columns[at + 1] += columns[at] >> BITS;
        columns[at] &= MASK as u64;
    }
}

/// The columns' number, by R; columns are below 2^63. `extra` is added behind the division.
#[inline(always)]
fn reduce(columns: &mut [u64; COLUMNS], extra: &Element) -> Element {
    for i in 0..LIMBS {
        let factor = ((columns[i] as u32).wrapping_mul(INVERSE) & MASK) as u64;
        for j in 0..LIMBS {
            columns[i + j] += factor * ORDER.0[j] as u64;
        }
        columns[i + 1] += columns[i] >> BITS;
    }
    let mut out = ZERO;
    let mut rest = 0;
    for at in 0..LIMBS {
        rest += columns[LIMBS + at] + extra.0[at] as u64;
        out.0[at] = (rest & MASK as u64) as u32;
        rest >>= BITS;
    }
    out
}

#[inline(always)]
pub fn multiply_add(left: &Element, right: &Element, extra: &Element) -> Element {
    let mut columns = [0; COLUMNS];
    multiply_into(&mut columns, left, right);
    reduce(&mut columns, extra)
}

/// Not inlined: the places that call it are many, and the loops that must be fast call what is.
#[inline(never)]
pub fn multiply(left: &Element, right: &Element) -> Element {
    multiply_add(left, right, &ZERO)
}

/// The sum of the products, reduced once.
#[inline(always)]
pub fn dot<const N: usize>(left: &[Element; N], right: &[Element; N]) -> Element {
    let mut columns = [0; COLUMNS];
    let mut at = 0;
    while at < N {
        let end = if at + TERMS < N { at + TERMS } else { N };
        for term in at..end {
            multiply_into(&mut columns, &left[term], &right[term]);
        }
        carry(&mut columns);
        at = end;
    }
    reduce(&mut columns, &ZERO)
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
