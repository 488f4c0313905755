//! The optimal ate pairing of BN254: a product of Miller loops that share their squarings, and the final exponentiation. The loop of a point
//! that came from outside finds out on its way whether the point is in the subgroup.

use crate::field::Fp;
use crate::fp2::Fp2;
use crate::group::Affine;
use crate::ring::Ring;
use crate::tower::{Fp12, Frobenius};

const SEED: u64 = 4_965_661_367_192_848_881;
/// 6x + 2 in digits −1, 0, 1, from the lowest up.
const LOOP: [i8; 66] = [
    0, 0, 0, 1, 0, 1, 0, -1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0, -1, 0, 0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0, 1, 0,
    -1, 0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 0, -1, 0, -1, 0, 0, 0, 1, 0, -1, 0, 1,
];
/// Doublings, the additions among them, and two at the end.
pub const LINES: usize = 65 + 21 + 2;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Line(pub Fp2, pub Fp2, pub Fp2);

/// What depends on nothing but the curve.
#[repr(C)]
pub struct Curve {
    frobenius: Frobenius,
    /// What ψ, ψ² and ψ³ multiply x and y by.
    psi: [(Fp2, Fp2); 3],
    /// Three times the constant of the twisted curve's equation.
    twist_times_3: Fp2,
    pub twist: Fp2,
}

/// A point on its way through the loop, in homogeneous coordinates.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Runner {
    x: Fp2,
    y: Fp2,
    z: Fp2,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Pair {
    pub p: Affine<Fp>,
    pub q: Affine<Fp2>,
    pub runner: Runner,
    pub is_in_subgroup: u32,
}

/// A pair whose second point is always the same.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Fixed {
    pub p: Affine<Fp>,
    pub lines: *const Line,
}

impl Curve {
    pub fn new() -> Self {
        let small = |n: u32| Fp::of_words(&[n, 0, 0, 0, 0, 0, 0, 0]);
        let xi = Fp2 { re: small(9), im: small(1) };
        let one = power(&xi, &sixth());
        let two = one.mul(&one.conjugate()).weak();
        let three = one.mul(&two).weak();
        let powers = |g: &Fp2| {
            let mut all = [*g; 5];
            for j in 1..5 {
                all[j] = all[j - 1].mul(g).weak();
            }
            all
        };
        let factors = [powers(&one), powers(&two), powers(&three)];
        let twist = Fp2 { re: small(3), im: Fp::ZERO }.mul(&xi.invert()).weak();
        Self {
            psi: [0, 1, 2].map(|k| (factors[k][1], factors[k][2])),
            frobenius: Frobenius::new(factors),
            twist_times_3: twist.double().add(&twist).weak(),
            twist,
        }
    }

    fn psi(&self, q: &Affine<Fp2>, k: usize) -> Affine<Fp2> {
        let turn = |c: &Fp2| if k % 2 == 1 { c.conjugate() } else { *c };
        let (x, y) = &self.psi[k - 1];
        Affine { x: turn(&q.x).mul(x).weak(), y: turn(&q.y).mul(y).weak() }
    }

    fn double(&self, t: &mut Runner) -> Line {
        let (b, c) = (t.y.square(), t.z.square());
        let e = c.mul(&self.twist_times_3);
        let f = e.double().add(&e).weak();
        let h = t.y.add(&t.z).square().sub_wide(&b.add(&c)).weak();
        let j = t.x.square();
        let line = Line(h.neg(), j.double().add(&j), e.sub(&b));
        let g = b.add(&f);
        let e6 = e.double().add(&e).double();
        *t = Runner {
            x: t.x.double().mul(&t.y).mul(&b.sub(&f)),
            // (B + F)² − 12E²
            y: Fp2::mul_add(&g, &g, &e6.neg(), &e.double()),
            z: b.mul(&h).double().double().weak(),
        };
        line
    }

    fn add(&self, t: &mut Runner, q: &Affine<Fp2>) -> Line {
        let o = t.y.sub(&q.y.mul(&t.z));
        let l = t.x.sub(&q.x.mul(&t.z));
        let (c, d) = (o.square(), l.square());
        let e = l.mul(&d);
        let g = t.x.mul(&d);
        let h = Fp2::mul_add(&t.z, &c, &l, &d).sub_wide(&g.double()).weak();
        let line = Line(
            l,
            o.neg(),
            Fp2::mul_add(&q.x, &o, &l.neg(), &q.y),
        );
        *t = Runner {
            x: l.mul(&h),
            y: Fp2::mul_add(&g.sub(&h), &o, &e.neg(), &t.y),
            z: t.z.mul(&e),
        };
        line
    }

    /// Every line of the loop, in order; whether the point is in the subgroup.
    pub fn lines(&self, target: &mut [Line; LINES], q: &Affine<Fp2>) -> bool {
        let mut t = Runner::start(q);
        let mut at = 0;
        let mut push = |line| {
            target[at] = line;
            at += 1;
        };
        for &digit in LOOP[..65].iter().rev() {
            push(self.double(&mut t));
            if digit != 0 {
                push(self.add(&mut t, &signed(q, digit)));
            }
        }
        push(self.add(&mut t, &self.psi(q, 1)));
        let is_in_subgroup = self.closes(&mut t, q, &mut push);
        is_in_subgroup
    }

    /// The last line. The point is in the subgroup exactly when [6x+2]Q + ψ(Q) − ψ²(Q) + ψ³(Q) is zero: the norm of 6x+2 + ψ − ψ² + ψ³ has
    /// no factor in common with the cofactor. A sum that met itself or its negative on the way has Z = 0, which no point of the
    /// subgroup comes to.
    fn closes(&self, t: &mut Runner, q: &Affine<Fp2>, push: &mut impl FnMut(Line)) -> bool {
        push(self.add(t, &self.psi(q, 2).neg()));
        let last = self.psi(q, 3).neg();
        !t.z.is_zero()
            && last.x.mul(&t.z).sub(&t.x).is_zero()
            && last.y.mul(&t.z).sub(&t.y).is_zero()
    }

    /// The product of the loops of all pairs. Notes of each pair whether its point is in the subgroup.
    pub fn miller(&self, pairs: &mut [Pair], fixed: &[Fixed]) -> Fp12 {
        let mut f = Fp12::ONE;
        let mut at = 0;
        for pair in pairs.iter_mut() {
            pair.runner = Runner::start(&pair.q);
        }
        let meet = |f: &mut Fp12, line: &Line, p: &Affine<Fp>| {
            *f = f.mul_line(&line.0.scale(&p.y), &line.1.scale(&p.x), &line.2);
        };
        let meet_fixed = |f: &mut Fp12, at: usize| {
            for one in fixed {
                meet(f, unsafe { &*one.lines.add(at) }, &one.p);
            }
        };
        for (step, &digit) in LOOP[..65].iter().rev().enumerate() {
            if step > 0 {
                f = f.square();
            }
            for pair in pairs.iter_mut() {
                let line = self.double(&mut pair.runner);
                meet(&mut f, &line, &pair.p);
            }
            meet_fixed(&mut f, at);
            at += 1;
            if digit != 0 {
                for pair in pairs.iter_mut() {
                    let line = self.add(&mut pair.runner, &signed(&pair.q, digit));
                    meet(&mut f, &line, &pair.p);
                }
                meet_fixed(&mut f, at);
                at += 1;
            }
        }
        for pair in pairs.iter_mut() {
            let (p, q) = (pair.p, pair.q);
            let line = self.add(&mut pair.runner, &self.psi(&q, 1));
            meet(&mut f, &line, &p);
            let mut push = |line| meet(&mut f, &line, &p);
            pair.is_in_subgroup = self.closes(&mut pair.runner, &q, &mut push) as u32;
        }
        meet_fixed(&mut f, at);
        meet_fixed(&mut f, at + 1);
        f
    }

    /// Raised to (p¹² − 1)/r, times a factor that has none in common with r: one exactly when the pairing is (Duquesne and Ghammam).
    pub fn final_exponentiation(&self, f: &Fp12) -> Fp12 {
        let frobenius = &self.frobenius;
        let easy = f.conjugate().mul(&f.invert());
        let m = frobenius.apply(&easy, 2).mul(&easy);
        let minus_seed = |x: &Fp12| seed_power(x).conjugate();
        let t0 = minus_seed(&m).cyclotomic_square();
        let t1 = t0.cyclotomic_square().mul(&t0);
        let t2 = minus_seed(&t1);
        let t1 = t2.mul(&t1.conjugate());
        let t3 = t2.cyclotomic_square();
        let t4 = t1.mul(&seed_power(&t3));
        let t3 = t0.mul(&t4);
        let result = m.mul(&t2.mul(&t4));
        let result = result.mul(&frobenius.apply(&t3, 1));
        let result = result.mul(&frobenius.apply(&t4, 2));
        result.mul(&frobenius.apply(&m.conjugate().mul(&t3), 3))
    }
}

impl Runner {
    fn start(q: &Affine<Fp2>) -> Self {
        Self { x: q.x, y: q.y, z: Fp2::ONE }
    }
}

#[inline(always)]
fn signed(q: &Affine<Fp2>, digit: i8) -> Affine<Fp2> {
    if digit < 0 { q.neg() } else { *q }
}

/// In the cyclotomic subgroup.
fn seed_power(x: &Fp12) -> Fp12 {
    let mut result = *x;
    for bit in (0..62).rev() {
        result = result.cyclotomic_square();
        if SEED >> bit & 1 == 1 {
            result = result.mul(x);
        }
    }
    result
}

fn power(x: &Fp2, exponent: &[u64; 4]) -> Fp2 {
    let mut result = Fp2::ONE;
    for bit in (0..256).rev() {
        result = result.square().weak();
        if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
            result = result.mul(x).weak();
        }
    }
    result
}

/// (p − 1)/6, by long division.
fn sixth() -> [u64; 4] {
    use crate::field::{Modulus, P};
    let mut quotient = P::WORDS;
    quotient[0] -= 1;
    let mut rest = 0u128;
    for word in quotient.iter_mut().rev() {
        let value = rest << 64 | *word as u128;
        *word = (value / 6) as u64;
        rest = value % 6;
    }
    quotient
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::field::{Modulus, R};
    use crate::group::Sum;

    fn words(text: &str) -> Fp {
        let mut value = Fp::ZERO;
        let ten = Fp::of_words(&[10, 0, 0, 0, 0, 0, 0, 0]);
        for digit in text.bytes() {
            let d = Fp::of_words(&[(digit - b'0') as u32, 0, 0, 0, 0, 0, 0, 0]);
            value = value.mul(&ten).add(&d).weak();
        }
        value
    }
    pub fn g1() -> Affine<Fp> {
        Affine { x: words("1"), y: words("2") }
    }
    pub fn g2() -> Affine<Fp2> {
        Affine {
            x: Fp2 {
                re: words("10857046999023057135944570762232829481370756359578518086990519993285655852781"),
                im: words("11559732032986387107991004021392285783925812861821192530917403151452391805634"),
            },
            y: Fp2 {
                re: words("8495653923123431417604973247489272438418190587263600148770280649306958101930"),
                im: words("4082367875863433681332203403145435568316851327593401208105741076214120093531"),
            },
        }
    }
    pub fn times<F: Ring>(p: &Affine<F>, k: &[u64; 4]) -> Sum<F> {
        let mut sum = Sum::ZERO;
        for bit in (0..256).rev() {
            sum = sum.double();
            if k[bit / 64] >> (bit % 64) & 1 == 1 {
                sum = sum.add_affine(p);
            }
        }
        sum
    }
    fn pair(p: Affine<Fp>, q: Affine<Fp2>) -> Pair {
        Pair { p, q, runner: Runner::start(&q), is_in_subgroup: 2 }
    }

    #[test]
    fn generators_have_order_r() {
        assert!(times(&g1(), &R::WORDS).is_zero());
        assert!(times(&g2(), &R::WORDS).is_zero());
        assert!(!times(&g2(), &[5, 0, 0, 0]).is_zero());
    }

    #[test]
    fn pairing_is_bilinear_and_not_degenerate() {
        let curve = Curve::new();
        let (a, b) = ([12345, 678, 9, 1], [98765, 4, 321, 7]);
        let (pa, qb) = (times(&g1(), &a).to_affine(), times(&g2(), &b).to_affine());
        let (pb, qa) = (times(&g1(), &b).to_affine(), times(&g2(), &a).to_affine());
        let mut pairs = [pair(pa, qb), pair(pb.neg(), qa)];
        let f = curve.miller(&mut pairs, &[]);
        assert!(pairs.iter().all(|one| one.is_in_subgroup == 1));
        assert!(curve.final_exponentiation(&f).is_one());
        let mut alone = [pair(pa, qb)];
        let f = curve.miller(&mut alone, &[]);
        let e = curve.final_exponentiation(&f);
        assert!(!e.is_one());
        let mut power = Fp12::ONE;
        for bit in (0..256).rev() {
            power = power.square();
            if R::WORDS[bit / 64] >> (bit % 64) & 1 == 1 {
                power = power.mul(&e);
            }
        }
        assert!(power.is_one());
        let mut lines = [Line(Fp2::ZERO, Fp2::ZERO, Fp2::ZERO); LINES];
        assert!(curve.lines(&mut lines, &qa));
        let f = curve.miller(&mut alone, &[Fixed { p: pb.neg(), lines: lines.as_ptr() }]);
        assert!(curve.final_exponentiation(&f).is_one());
    }
}
