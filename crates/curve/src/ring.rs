//! What the curve's formulas need of a field, so that they are written once for both groups. Products take magnitudes up to 16 and
//! give 5 at most.

use crate::field::Fp;

pub trait Ring: Copy {
    const ZERO: Self;
    const ONE: Self;
    fn add(&self, other: &Self) -> Self;
    fn double(&self) -> Self;
    /// What is taken away has magnitude 8 at most; 8 more than before.
    fn sub(&self, other: &Self) -> Self;
    /// The same for 16.
    fn sub_wide(&self, other: &Self) -> Self;
    /// Of magnitude 16 at most.
    fn neg(&self) -> Self;
    /// Down to magnitude 2.
    fn weak(&self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn square(&self) -> Self;
    /// a·b + c·d with one reduction.
    fn mul_add(a: &Self, b: &Self, c: &Self, d: &Self) -> Self;
    fn is_zero(&self) -> bool;
    /// The same, faster, for a product of moderate values.
    fn is_zero_product(&self) -> bool;
    fn invert(&self) -> Self;
}

impl Ring for Fp {
    const ZERO: Self = Fp::ZERO;
    const ONE: Self = Fp::ONE;
    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Fp::add(self, other)
    }
    #[inline(always)]
    fn double(&self) -> Self {
        Fp::double(self)
    }
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        self.sub8(other)
    }
    #[inline(always)]
    fn sub_wide(&self, other: &Self) -> Self {
        self.sub16(other)
    }
    #[inline(always)]
    fn neg(&self) -> Self {
        self.neg16()
    }
    #[inline(always)]
    fn weak(&self) -> Self {
        Fp::weak(self)
    }
    #[inline(never)]
    fn mul(&self, other: &Self) -> Self {
        Fp::mul(self, other)
    }
    #[inline(never)]
    fn square(&self) -> Self {
        Fp::square(self)
    }
    #[inline(never)]
    fn mul_add(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        Fp::mul_add(a, b, c, d)
    }
    #[inline(always)]
    fn is_zero(&self) -> bool {
        Fp::is_zero(self)
    }
    #[inline(always)]
    fn is_zero_product(&self) -> bool {
        Fp::is_zero_product(self)
    }
    fn invert(&self) -> Self {
        Fp::invert(self)
    }
}
