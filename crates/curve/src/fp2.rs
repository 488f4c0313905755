//! Fp[i] with i² = −1. Products are four products of limbs and two reductions: as many multiplications as Karatsuba's way, and
//! hardly an addition.

use crate::field::Fp;
use crate::ring::Ring;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Fp2 {
    pub re: Fp,
    pub im: Fp,
}

impl Fp2 {
    #[inline(always)]
    pub fn conjugate(&self) -> Self {
        Self { re: self.re, im: self.im.neg16() }
    }

    #[inline(always)]
    pub fn scale(&self, by: &Fp) -> Self {
        Self { re: Ring::mul(&self.re, by), im: Ring::mul(&self.im, by) }
    }

    /// Times ξ = 9 + i, for magnitudes up to 8; magnitude 2.
    #[inline(always)]
    pub fn mul_xi(&self) -> Self {
        let nine = |x: &Fp| x.double().double().double().add(x);
        Self { re: nine(&self.re).sub8(&self.im).weak(), im: nine(&self.im).add(&self.re).weak() }
    }
}

impl Ring for Fp2 {
    const ZERO: Self = Self { re: Fp::ZERO, im: Fp::ZERO };
    const ONE: Self = Self { re: Fp::ONE, im: Fp::ZERO };
    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self { re: self.re.add(&other.re), im: self.im.add(&other.im) }
    }
    #[inline(always)]
    fn double(&self) -> Self {
        Self { re: self.re.double(), im: self.im.double() }
    }
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self { re: self.re.sub8(&other.re), im: self.im.sub8(&other.im) }
    }
    #[inline(always)]
    fn sub_wide(&self, other: &Self) -> Self {
        Self { re: self.re.sub16(&other.re), im: self.im.sub16(&other.im) }
    }
    #[inline(always)]
    fn neg(&self) -> Self {
        Self { re: self.re.neg16(), im: self.im.neg16() }
    }
    #[inline(always)]
    fn weak(&self) -> Self {
        Self { re: self.re.weak(), im: self.im.weak() }
    }
    #[inline(never)]
    fn mul(&self, other: &Self) -> Self {
        let minus = other.im.neg16();
        Self {
            re: Fp::mul_add(&self.re, &other.re, &self.im, &minus),
            im: Fp::mul_add(&self.re, &other.im, &self.im, &other.re),
        }
    }
    #[inline(never)]
    fn square(&self) -> Self {
        let difference = self.re.sub16(&self.im);
        Self { re: self.re.add(&self.im).mul(&difference), im: self.re.double().mul(&self.im) }
    }
    #[inline(never)]
    fn mul_add(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let (minus_b, minus_d) = (b.im.neg16(), d.im.neg16());
        Self {
            re: Fp::mul_add_4(&a.re, &b.re, &a.im, &minus_b, &c.re, &d.re, &c.im, &minus_d),
            im: Fp::mul_add_4(&a.re, &b.im, &a.im, &b.re, &c.re, &d.im, &c.im, &d.re),
        }
    }
    fn is_zero(&self) -> bool {
        self.re.is_zero() && self.im.is_zero()
    }
    #[inline(always)]
    fn is_zero_product(&self) -> bool {
        self.re.is_zero_product() && self.im.is_zero_product()
    }
    fn invert(&self) -> Self {
        let norm = Fp::mul_add(&self.re, &self.re, &self.im, &self.im).invert();
        Self { re: self.re.mul(&norm), im: self.im.neg16().mul(&norm) }
    }
}
