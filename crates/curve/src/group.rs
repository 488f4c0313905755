//! Points of y² = x³ + b over either field: affine ones that are finite, and sums as X/ZZ, Y/ZZZ with ZZ³ = ZZZ², zero at infinity
//! (the "xyzz" formulas of the Explicit-Formulas Database). The formulas are complete: every pair of points is added rightly.

use crate::ring::Ring;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Affine<F> {
    pub x: F,
    pub y: F,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Sum<F> {
    pub x: F,
    pub y: F,
    pub zz: F,
    pub zzz: F,
}

impl<F: Ring> Affine<F> {
    #[inline(always)]
    pub fn neg(&self) -> Self {
        Self { x: self.x, y: self.y.neg().weak() }
    }
}

impl<F: Ring> Sum<F> {
    pub const ZERO: Self = Self { x: F::ONE, y: F::ONE, zz: F::ZERO, zzz: F::ZERO };

    pub fn of(point: &Affine<F>) -> Self {
        Self { x: point.x, y: point.y, zz: F::ONE, zzz: F::ONE }
    }

    pub fn is_zero(&self) -> bool {
        self.zz.is_zero()
    }

    #[inline(never)]
    pub fn double(&self) -> Self {
        let u = self.y.double();
        let v = u.square();
        let w = u.mul(&v);
        let s = self.x.mul(&v);
        let xx = self.x.square();
        let m = xx.double().add(&xx).weak();
        let x = m.square().sub_wide(&s.double()).weak();
        let y = F::mul_add(&m, &s.sub(&x), &w.neg(), &self.y);
        Self { x, y, zz: v.mul(&self.zz), zzz: w.mul(&self.zzz) }
    }

    #[inline(never)]
    pub fn add_affine(&self, other: &Affine<F>) -> Self {
        let p = other.x.mul(&self.zz).sub(&self.x);
        let r = other.y.mul(&self.zzz).sub(&self.y);
        let pp = p.square();
        let ppp = p.mul(&pp);
        let zz = self.zz.mul(&pp);
        if zz.is_zero_product() {
            return self.add_affine_rare(other);
        }
        let q = self.x.mul(&pp);
        let x = r.square().sub(&ppp).sub_wide(&q.double()).weak();
        let y = F::mul_add(&r, &q.sub(&x), &ppp.neg(), &self.y);
        Self { x, y, zz, zzz: self.zzz.mul(&ppp) }
    }

    #[cold]
    fn add_affine_rare(&self, other: &Affine<F>) -> Self {
        if self.is_zero() {
            Self::of(other)
        } else if other.y.mul(&self.zzz).sub(&self.y).is_zero() {
            self.double()
        } else {
            Self::ZERO
        }
    }

    #[inline(never)]
    pub fn add(&self, other: &Self) -> Self {
        let u = self.x.mul(&other.zz);
        let p = other.x.mul(&self.zz).sub(&u);
        let s = self.y.mul(&other.zzz);
        let r = other.y.mul(&self.zzz).sub(&s);
        let pp = p.square();
        let ppp = p.mul(&pp);
        let zz = self.zz.mul(&other.zz).mul(&pp);
        if zz.is_zero_product() {
            return if self.is_zero() {
                *other
            } else if other.is_zero() {
                *self
            } else if r.is_zero() {
                self.double()
            } else {
                Self::ZERO
            };
        }
        let q = u.mul(&pp);
        let x = r.square().sub(&ppp).sub_wide(&q.double()).weak();
        let y = F::mul_add(&r, &q.sub(&x), &ppp.neg(), &s);
        Self { x, y, zz, zzz: self.zzz.mul(&other.zzz).mul(&ppp) }
    }

    /// The point must be finite.
    pub fn to_affine(&self) -> Affine<F> {
        let inverse = self.zzz.invert();
        // ZZ/ZZZ is 1/Z.
        let z = self.zz.mul(&inverse);
        Affine { x: self.x.mul(&z.square()), y: self.y.mul(&inverse) }
    }
}

/// Finite points to affine form with one inversion. `inverses` has room for as many elements.
pub fn normalize<F: Ring>(target: &mut [Affine<F>], points: &[Sum<F>], inverses: &mut [F]) {
    let mut product = F::ONE;
    for (point, before) in points.iter().zip(inverses.iter_mut()) {
        *before = product;
        product = product.mul(&point.zzz);
    }
    let mut inverse = product.invert();
    for i in (0..points.len()).rev() {
        let point = &points[i];
        let own = inverse.mul(&inverses[i]);
        inverse = inverse.mul(&point.zzz);
        let z = point.zz.mul(&own);
        target[i] = Affine { x: point.x.mul(&z.square()), y: point.y.mul(&own) };
    }
}
