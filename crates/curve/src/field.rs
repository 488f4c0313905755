//! Prime fields of 254 bits in Montgomery form with 9 limbs of 29 bits, R = 2^261. A product of two limbs has 58 bits, so a
//! word of 64 holds a whole column of a product, of its reduction, and of three products more, without a carry between.
//!
//! Values are not reduced after additions. Each may be a small multiple of the modulus too big: its magnitude, which debug
//! builds carry along and check. A product of magnitudes a and b has magnitude 1 + a·b/169, since R is over 169 moduli.

use core::marker::PhantomData;

pub const LIMBS: usize = 9;
const BITS: u32 = 29;
const MASK: u32 = (1 << BITS) - 1;
/// One, not in Montgomery form.
const PLAIN_ONE: [u32; LIMBS] = [1, 0, 0, 0, 0, 0, 0, 0, 0];
/// Above it a value might not fit its limbs any more.
#[cfg(debug_assertions)]
const MAGNITUDE_MAX: u32 = 160;

pub trait Modulus: Copy + 'static {
    /// Little end first, 64 bits each.
    const WORDS: [u64; 4];
    const P: [u32; LIMBS] = limbs(Self::WORDS);
    /// Minus the inverse of the modulus, modulo 2^29.
    const INVERSE: u32 = minus_inverse(Self::P[0]);
    /// 2^261 modulo the modulus.
    const ONE: [u32; LIMBS] = power_of_two(Self::P, 261);
    const TIMES_2: [u32; LIMBS] = times(Self::P, 2);
    const TIMES_8: [u32; LIMBS] = times(Self::P, 8);
    const TIMES_16: [u32; LIMBS] = times(Self::P, 16);
}

#[derive(Clone, Copy)]
pub struct P;
#[derive(Clone, Copy)]
pub struct R;

impl Modulus for P {
    const WORDS: [u64; 4] = [0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029];
}
impl Modulus for R {
    const WORDS: [u64; 4] = [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
}

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Element<M: Modulus> {
    l: [u32; LIMBS],
    #[cfg(debug_assertions)]
    magnitude: u32,
    modulus: PhantomData<M>,
}

/// Coordinates.
pub type Fp = Element<P>;
/// Scalars.
pub type Fr = Element<R>;

impl<M: Modulus> Element<M> {
    pub const ZERO: Self = Self::of([0; LIMBS], 0);
    pub const ONE: Self = Self::of(M::ONE, 1);

    #[cfg(debug_assertions)]
    const fn of(l: [u32; LIMBS], magnitude: u32) -> Self {
        assert!(magnitude <= MAGNITUDE_MAX);
        Self { l, magnitude, modulus: PhantomData }
    }
    #[cfg(not(debug_assertions))]
    #[inline(always)]
    const fn of(l: [u32; LIMBS], _: u32) -> Self {
        Self { l, modulus: PhantomData }
    }

    #[cfg(debug_assertions)]
    pub fn magnitude(&self) -> u32 {
        self.magnitude
    }
    #[cfg(not(debug_assertions))]
    #[inline(always)]
    const fn magnitude(&self) -> u32 {
        0
    }

    /// The number 2^exponent as it is, without Montgomery form: a product with it is one by 2^(exponent − 261).
    pub const fn plain_power(exponent: u32) -> Self {
        Self::of(power_of_two(M::P, exponent), 1)
    }

    /// 256 bits as they are, little end first; they need not be below the modulus.
    #[inline(always)]
    pub fn from_words(w: &[u32; 8]) -> Self {
        let mut l = [0u32; LIMBS];
        for (i, limb) in l.iter_mut().enumerate() {
            let bit = i * BITS as usize;
            let (word, shift) = (bit / 32, bit % 32);
            let low = w[word] as u64;
            let high = if word + 1 < 8 { w[word + 1] as u64 } else { 0 };
            *limb = (((low | (high << 32)) >> shift) as u32) & MASK;
        }
        Self::of(l, 6)
    }

    /// The words of the value that is below the modulus, out of Montgomery form.
    pub fn to_words(&self) -> [u32; 8] {
        let mut x = self.mul(&Self::of(PLAIN_ONE, 1));
        for _ in 0..2 {
            let (difference, borrow) = subtract(&x.l, &M::P);
            if !borrow {
                x = Self::of(difference, 1);
            }
        }
        let l = x.l;
        let mut w = [0u32; 8];
        for (i, word) in w.iter_mut().enumerate() {
            let bit = i * 32;
            let (limb, shift) = (bit / BITS as usize, bit % BITS as usize);
            let mut wide = l[limb] as u64;
            if limb + 1 < LIMBS {
                wide |= (l[limb + 1] as u64) << BITS;
            }
            if limb + 2 < LIMBS {
                wide |= (l[limb + 2] as u64) << (2 * BITS);
            }
            *word = (wide >> shift) as u32;
        }
        w
    }

    /// From 256 bits, into Montgomery form.
    #[inline(always)]
    pub fn of_words(w: &[u32; 8]) -> Self {
        Self::from_words(w).mul(&const { Self::plain_power(2 * 261) })
    }

    #[inline(always)]
    pub fn add(&self, other: &Self) -> Self {
        let mut l = [0u32; LIMBS];
        let mut carry = 0u32;
        for i in 0..LIMBS {
            let sum = self.l[i] + other.l[i] + carry;
            if i + 1 < LIMBS {
                l[i] = sum & MASK;
                carry = sum >> BITS;
            } else {
                l[i] = sum;
            }
        }
        Self::of(l, self.magnitude() + other.magnitude())
    }

    #[inline(always)]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    fn minus(&self, multiple: &[u32; LIMBS], k: u32, other: &Self) -> Self {
        debug_assert!(other.magnitude() <= k);
        let mut l = [0u32; LIMBS];
        let mut carry = 0i32;
        for i in 0..LIMBS {
            let sum = self.l[i] as i32 + multiple[i] as i32 - other.l[i] as i32 + carry;
            if i + 1 < LIMBS {
                l[i] = sum as u32 & MASK;
                carry = sum >> BITS;
            } else {
                l[i] = sum as u32;
            }
        }
        Self::of(l, self.magnitude() + k)
    }

    /// What is taken away has magnitude 2 at most: any product of moderate values.
    #[inline(always)]
    pub fn sub(&self, other: &Self) -> Self {
        self.minus(&M::TIMES_2, 2, other)
    }
    #[inline(always)]
    pub fn sub8(&self, other: &Self) -> Self {
        self.minus(&M::TIMES_8, 8, other)
    }
    #[inline(always)]
    pub fn sub16(&self, other: &Self) -> Self {
        self.minus(&M::TIMES_16, 16, other)
    }
    #[inline(always)]
    pub fn neg16(&self) -> Self {
        Self::ZERO.minus(&M::TIMES_16, 16, self)
    }

    /// The same with magnitude 2: takes away as many moduli as its top limb says.
    #[inline(always)]
    pub fn weak(&self) -> Self {
        let top = (M::P[LIMBS - 1] + 1) as u64;
        let q = ((self.l[LIMBS - 1] as u64 * ((1 << 44) / top)) >> 44) as i64;
        let mut l = [0u32; LIMBS];
        let mut carry = 0i64;
        for i in 0..LIMBS {
            let sum = self.l[i] as i64 - q * M::P[i] as i64 + carry;
            if i + 1 < LIMBS {
                l[i] = sum as u32 & MASK;
                carry = sum >> BITS;
            } else {
                l[i] = sum as u32;
            }
        }
        Self::of(l, 2)
    }

    /// a·b + c·d + e·f + g·h with one reduction.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub fn mul_add_4(
        a: &Self,
        b: &Self,
        c: &Self,
        d: &Self,
        e: &Self,
        f: &Self,
        g: &Self,
        h: &Self,
    ) -> Self {
        let mut t = [0u64; LIMBS];
        for i in 0..LIMBS {
            accumulate(&mut t, a.l[i], &b.l);
            accumulate(&mut t, c.l[i], &d.l);
            accumulate(&mut t, e.l[i], &f.l);
            accumulate(&mut t, g.l[i], &h.l);
            reduce_row::<M>(&mut t);
        }
        let magnitudes = a.magnitude() * b.magnitude()
            + c.magnitude() * d.magnitude()
            + e.magnitude() * f.magnitude()
            + g.magnitude() * h.magnitude();
        Self::of(settle(&t), product_magnitude(magnitudes))
    }

    #[inline(always)]
    pub fn mul(&self, other: &Self) -> Self {
        let mut t = [0u64; LIMBS];
        for i in 0..LIMBS {
            accumulate(&mut t, self.l[i], &other.l);
            reduce_row::<M>(&mut t);
        }
        Self::of(settle(&t), product_magnitude(self.magnitude() * other.magnitude()))
    }

    /// a·b + c·d with one reduction.
    #[inline(always)]
    pub fn mul_add(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let mut t = [0u64; LIMBS];
        for i in 0..LIMBS {
            accumulate(&mut t, a.l[i], &b.l);
            accumulate(&mut t, c.l[i], &d.l);
            reduce_row::<M>(&mut t);
        }
        Self::of(settle(&t), product_magnitude(a.magnitude() * b.magnitude() + c.magnitude() * d.magnitude()))
    }

    #[inline(always)]
    pub fn square(&self) -> Self {
        let mut t = [0u64; 2 * LIMBS];
        for i in 0..LIMBS {
            let a = self.l[i] as u64;
            t[2 * i] += a * a;
            let twice = (self.l[i] << 1) as u64;
            for j in i + 1..LIMBS {
                t[i + j] += twice * self.l[j] as u64;
            }
        }
        for i in 0..LIMBS {
            let m = (t[i] as u32).wrapping_mul(M::INVERSE) & MASK;
            t[i + 1] += (t[i] + m as u64 * M::P[0] as u64) >> BITS;
            for j in 1..LIMBS {
                t[i + j] += m as u64 * M::P[j] as u64;
            }
        }
        let mut high = [0u64; LIMBS];
        high.copy_from_slice(&t[LIMBS..]);
        Self::of(settle(&high), product_magnitude(self.magnitude() * self.magnitude()))
    }

    /// Only for values of magnitude 2 at most, which is any product of moderate ones: zero is then 0, p or 2p.
    #[inline(always)]
    pub fn is_zero_product(&self) -> bool {
        debug_assert!(self.magnitude() <= 2);
        let low = self.l[0];
        if low != 0 && low != M::P[0] && low != M::TIMES_2[0] {
            return false;
        }
        self.l == [0; LIMBS] || self.l == M::P || self.l == M::TIMES_2
    }

    pub fn is_zero(&self) -> bool {
        self.mul(&Self::ONE).is_zero_product()
    }

    pub fn pow(&self, exponent: &[u64; 4]) -> Self {
        let mut result = Self::ONE;
        for bit in (0..256).rev() {
            result = result.square();
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
                result = result.mul(self);
            }
        }
        result
    }

    /// Zero for zero.
    pub fn invert(&self) -> Self {
        let mut exponent = M::WORDS;
        exponent[0] -= 2;
        self.pow(&exponent)
    }
}

#[cfg(debug_assertions)]
fn product_magnitude(product: u32) -> u32 {
    1 + product.div_ceil(169)
}
#[cfg(not(debug_assertions))]
#[inline(always)]
const fn product_magnitude(_: u32) -> u32 {
    0
}

#[inline(always)]
fn accumulate(t: &mut [u64; LIMBS], a: u32, b: &[u32; LIMBS]) {
    for j in 0..LIMBS {
        t[j] += a as u64 * b[j] as u64;
    }
}

/// Adds the multiple of the modulus that makes the lowest limb zero, and shifts by a limb.
#[inline(always)]
fn reduce_row<M: Modulus>(t: &mut [u64; LIMBS]) {
    let m = (t[0] as u32).wrapping_mul(M::INVERSE) & MASK;
    let carry = (t[0] + m as u64 * M::P[0] as u64) >> BITS;
    for j in 1..LIMBS {
        t[j - 1] = t[j] + m as u64 * M::P[j] as u64;
    }
    t[0] += carry;
    t[LIMBS - 1] = 0;
}

#[inline(always)]
fn settle(t: &[u64; LIMBS]) -> [u32; LIMBS] {
    let mut l = [0u32; LIMBS];
    let mut carry = 0u64;
    for i in 0..LIMBS {
        let sum = t[i] + carry;
        if i + 1 < LIMBS {
            l[i] = sum as u32 & MASK;
            carry = sum >> BITS;
        } else {
            l[i] = sum as u32;
        }
    }
    l
}

fn subtract(a: &[u32; LIMBS], b: &[u32; LIMBS]) -> ([u32; LIMBS], bool) {
    let mut l = [0u32; LIMBS];
    let mut carry = 0i32;
    for i in 0..LIMBS {
        let sum = a[i] as i32 - b[i] as i32 + carry;
        l[i] = sum as u32 & MASK;
        carry = sum >> BITS;
    }
    (l, carry < 0)
}

const fn limbs(w: [u64; 4]) -> [u32; LIMBS] {
    let mut l = [0u32; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let bit = i * BITS as usize;
        let (word, shift) = (bit / 64, bit % 64);
        let low = w[word] as u128;
        let high = if word + 1 < 4 { w[word + 1] as u128 } else { 0 };
        l[i] = (((low | (high << 64)) >> shift) as u32) & MASK;
        i += 1;
    }
    l
}

const fn minus_inverse(p: u32) -> u32 {
    let mut x = 1u32;
    let mut i = 0;
    while i < 5 {
        x = x.wrapping_mul(2u32.wrapping_sub(p.wrapping_mul(x)));
        i += 1;
    }
    x.wrapping_neg() & MASK
}

/// Normalised, except for what the top limb may hold beyond its bits.
const fn times(p: [u32; LIMBS], k: u32) -> [u32; LIMBS] {
    let mut l = [0u32; LIMBS];
    let mut carry = 0u64;
    let mut i = 0;
    while i < LIMBS {
        let sum = p[i] as u64 * k as u64 + carry;
        if i + 1 < LIMBS {
            l[i] = sum as u32 & MASK;
            carry = sum >> BITS;
        } else {
            l[i] = sum as u32;
        }
        i += 1;
    }
    l
}

const fn power_of_two(p: [u32; LIMBS], exponent: u32) -> [u32; LIMBS] {
    let mut x = [0u32; LIMBS];
    x[0] = 1;
    let mut step = 0;
    while step < exponent {
        x = times(x, 2);
        let mut difference = [0u32; LIMBS];
        let mut carry = 0i32;
        let mut i = 0;
        while i < LIMBS {
            let sum = x[i] as i32 - p[i] as i32 + carry;
            difference[i] = sum as u32 & MASK;
            carry = sum >> BITS;
            i += 1;
        }
        if carry >= 0 {
            x = difference;
        }
        step += 1;
    }
    x
}
