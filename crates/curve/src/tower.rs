//! Fp6 = Fp2[v] with v³ = ξ and Fp12 = Fp6[w] with w² = v, as far as pairings need them. Coefficients that are kept have magnitude 5 at most.

use crate::field::Fp;
use crate::fp2::Fp2;
use crate::ring::Ring;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Fp6(pub Fp2, pub Fp2, pub Fp2);

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Fp12(pub Fp6, pub Fp6);

impl Fp6 {
    const ZERO: Self = Self(Fp2::ZERO, Fp2::ZERO, Fp2::ZERO);
    const ONE: Self = Self(Fp2::ONE, Fp2::ZERO, Fp2::ZERO);

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self(self.0.add(&other.0), self.1.add(&other.1), self.2.add(&other.2))
    }
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self(self.0.sub(&other.0), self.1.sub(&other.1), self.2.sub(&other.2))
    }
    #[inline(always)]
    fn neg(&self) -> Self {
        Self(self.0.neg(), self.1.neg(), self.2.neg())
    }
    #[inline(always)]
    fn weak(&self) -> Self {
        Self(self.0.weak(), self.1.weak(), self.2.weak())
    }
    #[inline(always)]
    fn mul_v(&self) -> Self {
        Self(self.2.mul_xi(), self.0, self.1)
    }

    /// For magnitudes up to 8.
    #[inline(never)]
    fn mul(&self, b: &Self) -> Self {
        let (t0, t1, t2) = (self.0.mul(&b.0), self.1.mul(&b.1), self.2.mul(&b.2));
        let cross = |x: &Fp2, y: &Fp2, u: &Fp2, v: &Fp2, p: &Fp2, q: &Fp2| {
            x.add(y).mul(&u.add(v)).sub(p).sub(q)
        };
        Self(
            cross(&self.1, &self.2, &b.1, &b.2, &t1, &t2).weak().mul_xi().add(&t0),
            cross(&self.0, &self.1, &b.0, &b.1, &t0, &t1).weak().add(&t2.mul_xi()),
            cross(&self.0, &self.2, &b.0, &b.2, &t0, &t2).weak().add(&t1),
        )
        .weak()
    }

    #[inline(always)]
    fn scale(&self, by: &Fp2) -> Self {
        Self(self.0.mul(by), self.1.mul(by), self.2.mul(by))
    }

    /// By c0 + c1·v.
    #[inline(never)]
    fn mul_01(&self, c0: &Fp2, c1: &Fp2) -> Self {
        let (a, b) = (self.0.mul(c0), self.1.mul(c1));
        Self(
            self.2.mul(c1).mul_xi().add(&a),
            Fp2::mul_add(&self.0, c1, &self.1, c0),
            self.2.mul(c0).add(&b),
        )
    }

    fn invert(&self) -> Self {
        let (a, b, c) = (&self.0, &self.1, &self.2);
        let t0 = a.square().sub(&b.mul(c).mul_xi()).weak();
        let t1 = c.square().mul_xi().sub(&a.mul(b)).weak();
        let t2 = b.square().sub(&a.mul(c)).weak();
        let norm = a.mul(&t0).add(&c.mul(&t1).mul_xi()).add(&b.mul(&t2).mul_xi()).weak().invert();
        Self(t0.mul(&norm), t1.mul(&norm), t2.mul(&norm))
    }
}

impl Fp12 {
    pub const ONE: Self = Self(Fp6::ONE, Fp6::ZERO);

    #[inline(never)]
    pub fn mul(&self, b: &Self) -> Self {
        let (t0, t1) = (self.0.mul(&b.0), self.1.mul(&b.1));
        let cross = self.0.add(&self.1).weak().mul(&b.0.add(&b.1).weak());
        Self(t0.add(&t1.mul_v()).weak(), cross.sub(&t0).sub(&t1).weak())
    }

    #[inline(never)]
    pub fn square(&self) -> Self {
        let product = self.0.mul(&self.1);
        let sum = self.0.add(&self.1).weak();
        let other = self.0.add(&self.1.mul_v()).weak();
        let square = sum.mul(&other).sub(&product).sub(&product.mul_v()).weak();
        Self(square, product.add(&product).weak())
    }

    /// By c0 + (c3 + c4·v)·w, the shape of a line.
    #[inline(never)]
    pub fn mul_line(&self, c0: &Fp2, c3: &Fp2, c4: &Fp2) -> Self {
        let a = self.0.scale(c0);
        let b = self.1.mul_01(c3, c4);
        let cross = self.0.add(&self.1).mul_01(&c0.add(c3), c4);
        Self(b.mul_v().add(&a), cross.sub(&a).sub(&b).weak())
    }

    pub fn conjugate(&self) -> Self {
        Self(self.0, self.1.neg().weak())
    }

    pub fn invert(&self) -> Self {
        let norm = self.0.mul(&self.0).sub(&self.1.mul(&self.1).mul_v()).weak().invert();
        Self(self.0.mul(&norm), self.1.neg().weak().mul(&norm))
    }

    /// For elements of the cyclotomic subgroup, after the easy part of the final exponentiation (Granger and Scott).
    #[inline(never)]
    pub fn cyclotomic_square(&self) -> Self {
        let (x0, x1, x2) = (&self.0.0, &self.0.1, &self.0.2);
        let (x3, x4, x5) = (&self.1.0, &self.1.1, &self.1.2);
        let (s0, s1, s2) = (x0.square(), x1.square(), x2.square());
        let (s3, s4, s5) = (x3.square(), x4.square(), x5.square());
        let twice = |x: &Fp2, y: &Fp2, xx: &Fp2, yy: &Fp2| x.add(y).square().sub(xx).sub(yy).weak();
        let (t6, t7) = (twice(x4, x0, &s4, &s0), twice(x2, x3, &s2, &s3));
        let t8 = twice(x5, x1, &s5, &s1).mul_xi();
        let t0 = s4.mul_xi().add(&s0).weak();
        let t2 = s2.mul_xi().add(&s3).weak();
        let t4 = s5.mul_xi().add(&s1).weak();
        let minus = |t: &Fp2, x: &Fp2| t.sub(x).double().add(t).weak();
        let plus = |t: &Fp2, x: &Fp2| t.add(x).double().add(t).weak();
        Self(
            Fp6(minus(&t0, x0), minus(&t2, x1), minus(&t4, x2)),
            Fp6(plus(&t8, x3), plus(&t6, x4), plus(&t7, x5)),
        )
    }

    pub fn weak(&self) -> Self {
        Self(self.0.weak(), self.1.weak())
    }

    pub fn is_one(&self) -> bool {
        self.0.0.re.sub(&Fp::ONE).is_zero()
            && [self.0.0.im, self.0.1.re, self.0.1.im, self.0.2.re, self.0.2.im].iter().all(Fp::is_zero)
            && [self.1.0, self.1.1, self.1.2].iter().all(Ring::is_zero)
    }
}

/// x ↦ x^(p^k) for k = 1, 2, 3, with the powers of ξ that it multiplies by.
pub struct Frobenius {
    factors: [[Fp2; 5]; 3],
}

impl Frobenius {
    /// `gammas[k][j]` is ξ^((j+1)(p^(k+1) − 1)/6).
    pub const fn new(factors: [[Fp2; 5]; 3]) -> Self {
        Self { factors }
    }

    pub fn apply(&self, x: &Fp12, k: usize) -> Fp12 {
        let f = &self.factors[k - 1];
        let turn = |c: &Fp2| if k % 2 == 1 { c.conjugate() } else { *c };
        Fp12(
            Fp6(turn(&x.0.0), turn(&x.0.1).mul(&f[1]), turn(&x.0.2).mul(&f[3])),
            Fp6(turn(&x.1.0).mul(&f[0]), turn(&x.1.1).mul(&f[2]), turn(&x.1.2).mul(&f[4])),
        )
        .weak()
    }
}
