//! Groth16's equation for up to 64 proofs, alone or weighted together. One workspace holds a key and a batch; the caller owns its memory,
//! writes nothing into it, and asks in the order open, place, weigh, hold.

use crate::field::{Fp, Fr};
use crate::fp2::Fp2;
use crate::group::{Affine, Sum, normalize};
use crate::pairing::{Curve, Fixed, LINES, Line, Pair};
use crate::ring::Ring;
use crate::scalar::{Digits, ODD_MULTIPLES, TABLE, add_product, tabulate};
use crate::tower::Fp12;

pub const BATCH: usize = 64;
pub const SIGNALS: usize = 64;

/// Cube roots of one that belong together: (x, y) times λ is (βx, y).
const BETA: [u32; 8] = [0x77fffffe, 0x57634731, 0xacdb5c4f, 0xd4f263f1, 0xa0d48bac, 0x59e26bce, 0, 0];
const LAMBDA: [u32; 8] = [0xb99c90dd, 0x8b17ea66, 0x8d8daaa7, 0x5bfc4108, 0x41a91758, 0xb3c4d79d, 0, 0];

const TRUE: u32 = 1;
const FALSE: u32 = 0;
const OUTSIDE: u32 = 2;

#[repr(C)]
pub struct Workspace {
    curve: Curve,
    signals: u32,
    /// Of −γ, −δ and −β: the pairs with them stand on the other side of the equation.
    gamma: [Line; LINES],
    delta: [Line; LINES],
    beta: [Line; LINES],
    /// The loop of α and −β.
    alpha_beta: Fp12,
    root: Fp,
    lambda: Fr,
    a: [Affine<Fp>; BATCH],
    c: [Affine<Fp>; BATCH],
    pairs: [Pair; BATCH],
    scalars: [[Fr; SIGNALS]; BATCH],
    weights: [Fr; BATCH],
    digits: [[Digits; 2]; BATCH],
    tables_a: [[Affine<Fp>; ODD_MULTIPLES]; BATCH],
    tables_c: [[Affine<Fp>; ODD_MULTIPLES]; BATCH],
    sums: [Sum<Fp>; ODD_MULTIPLES * BATCH],
    inverses: [Fp; ODD_MULTIPLES * BATCH],
    /// The first of the tables of IC₀ … ICₙ, then α; they lie behind the workspace.
    tables: [Affine<Fp>; 0],
}

/// An element of 32 bytes, the big end first; as it is.
fn read_words(bytes: &[u8]) -> [u32; 8] {
    let mut words = [0u32; 8];
    for (i, word) in words.iter_mut().enumerate() {
        let at = 28 - 4 * i;
        *word = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    }
    words
}

fn read_fp(bytes: &[u8], index: usize) -> Fp {
    Fp::of_words(&read_words(&bytes[32 * index..32 * index + 32]))
}

/// On the curve, or none. The coordinates must be below the modulus and not both zero.
fn read_g1(bytes: &[u8]) -> Option<Affine<Fp>> {
    let point = Affine { x: read_fp(bytes, 0), y: read_fp(bytes, 1) };
    let three = Fp::ONE.double().add(&Fp::ONE);
    let right = point.x.square().mul(&point.x).add(&three);
    point.y.square().sub8(&right).is_zero().then_some(point)
}

fn read_g2(curve: &Curve, bytes: &[u8]) -> Option<Affine<Fp2>> {
    let part = |index| Fp2 { im: read_fp(bytes, index), re: read_fp(bytes, index + 1) };
    let point = Affine { x: part(0), y: part(2) };
    let right = point.x.square().mul(&point.x).add(&curve.twist);
    point.y.square().sub(&right).is_zero().then_some(point)
}

impl Workspace {
    pub fn size(signals: usize) -> usize {
        size_of::<Self>() + (signals + 2) * TABLE * size_of::<Affine<Fp>>()
    }

    fn table(&self, index: usize) -> &[Affine<Fp>] {
        unsafe { core::slice::from_raw_parts(self.tables.as_ptr().add(index * TABLE), TABLE) }
    }

    fn tabulate(&mut self, index: usize, point: &Affine<Fp>) {
        let target = unsafe { core::slice::from_raw_parts_mut(self.tables.as_mut_ptr().add(index * TABLE), TABLE) };
        tabulate(target, point, &mut self.sums, &mut self.inverses);
    }

    /// α, β, γ, δ, then IC. Zero when all is well; else 1 + twice the index of the first bad point, and 1 more when that point
    /// is on its curve and outside the subgroup.
    pub fn open(&mut self, signals: usize, key: &[u8]) -> u32 {
        self.curve = Curve::new();
        self.signals = signals as u32;
        self.root = Fp::of_words(&BETA);
        self.lambda = Fr::of_words(&LAMBDA);
        let Some(alpha) = read_g1(key) else { return 1 };
        for index in 0..3 {
            let bad = 1 + 2 * (index as u32 + 1);
            let Some(point) = read_g2(&self.curve, &key[64 + 128 * index..]) else { return bad };
            let target = [&mut self.beta, &mut self.gamma, &mut self.delta];
            let [beta, gamma, delta] = target;
            let lines = match index {
                0 => beta,
                1 => gamma,
                _ => delta,
            };
            if !self.curve.lines(lines, &point.neg()) {
                return bad + 1;
            }
        }
        for index in 0..=signals {
            let Some(point) = read_g1(&key[64 + 3 * 128 + 64 * index..]) else { return 1 + 2 * (index as u32 + 4) };
            self.tabulate(index, &point);
        }
        self.tabulate(signals + 1, &alpha);
        self.alpha_beta = self.curve.miller(&mut [], &[Fixed { p: alpha, lines: self.beta.as_ptr() }]);
        0
    }

    /// A proof and its signals into an item's place. Zero when all is well; else 1, 2 or 3 for a point A, B or C off its curve.
    pub fn place(&mut self, item: usize, proof: &[u8], signals: &[u8]) -> u32 {
        let Some(a) = read_g1(proof) else { return 1 };
        let Some(b) = read_g2(&self.curve, &proof[64..]) else { return 2 };
        let Some(c) = read_g1(&proof[192..]) else { return 3 };
        (self.a[item], self.pairs[item].q, self.c[item]) = (a, b, c);
        for index in 0..self.signals as usize {
            self.scalars[item][index] = Fr::of_words(&read_words(&signals[32 * index..32 * index + 32]));
        }
        0
    }

    /// The item alone, without a weight.
    pub fn hold_one(&mut self, item: usize) -> u32 {
        let mut l = Sum::ZERO;
        add_product(&mut l, self.table(0), &Fr::ONE);
        for index in 0..self.signals as usize {
            add_product(&mut l, self.table(index + 1), &self.scalars[item][index]);
        }
        self.pairs[item].p = self.a[item];
        let c = self.c[item];
        let f = self.meet(item, item + 1, &l, c, None).mul(&self.alpha_beta);
        self.judge(item, item + 1, &f)
    }

    /// The product of the loops of some items with those of (L, −γ), (C, −δ) and perhaps (α times the weights, −β).
    fn meet(&mut self, first: usize, end: usize, l: &Sum<Fp>, c: Affine<Fp>, alpha: Option<Affine<Fp>>) -> Fp12 {
        let mut fixed = [Fixed { p: c, lines: self.delta.as_ptr() }; 3];
        let mut count = 1;
        // A sum that is zero pairs to one.
        if !l.is_zero() {
            fixed[count] = Fixed { p: l.to_affine(), lines: self.gamma.as_ptr() };
            count += 1;
        }
        if let Some(p) = alpha {
            fixed[count] = Fixed { p, lines: self.beta.as_ptr() };
            count += 1;
        }
        self.curve.miller(&mut self.pairs[first..end], &fixed[..count])
    }

    fn judge(&self, first: usize, end: usize, f: &Fp12) -> u32 {
        if self.pairs[first..end].iter().any(|pair| pair.is_in_subgroup == 0) {
            return OUTSIDE;
        }
        if self.curve.final_exponentiation(f).is_one() { TRUE } else { FALSE }
    }

    /// Whether the second point of an item was in the subgroup when it was last met.
    pub fn is_in_subgroup(&self, item: usize) -> u32 {
        self.pairs[item].is_in_subgroup
    }

    /// Weights from random words, two for each item; and what every equation of these items needs of them.
    pub fn weigh(&mut self, count: usize, random: &[u64]) {
        for item in 0..count {
            let (low, high) = (random[2 * item], random[2 * item + 1]);
            self.digits[item] = [Digits::of(low), Digits::of(high)];
            let scalar = |word: u64| Fr::of_words(&[word as u32, (word >> 32) as u32, 0, 0, 0, 0, 0, 0]);
            let weight = scalar(low).add(&scalar(high).mul(&self.lambda));
            self.weights[item] = weight;
            for index in 0..self.signals as usize {
                self.scalars[item][index] = self.scalars[item][index].mul(&weight);
            }
        }
        let all = count * ODD_MULTIPLES;
        for (points, tables) in [(&self.a, &mut self.tables_a), (&self.c, &mut self.tables_c)] {
            for (point, sums) in points[..count].iter().zip(self.sums.chunks_mut(ODD_MULTIPLES)) {
                let twice = Sum::of(point).double();
                sums[0] = Sum::of(point);
                for entry in 1..ODD_MULTIPLES {
                    sums[entry] = sums[entry - 1].add(&twice);
                }
            }
            normalize(&mut tables.as_flattened_mut()[..all], &self.sums[..all], &mut self.inverses);
        }
        for item in 0..count {
            let mut sum = Sum::ZERO;
            for place in (0..68).rev() {
                sum = sum.double();
                self.add_place(&mut sum, item, place, &self.tables_a[item]);
            }
            self.sums[item] = sum;
        }
        let mut weighted = [self.a[0]; BATCH];
        normalize(&mut weighted[..count], &self.sums[..count], &mut self.inverses);
        for (pair, point) in self.pairs.iter_mut().zip(&weighted[..count]) {
            pair.p = *point;
        }
    }

    #[inline(always)]
    fn add_place(&self, sum: &mut Sum<Fp>, item: usize, place: usize, table: &[Affine<Fp>; ODD_MULTIPLES]) {
        let [low, high] = &self.digits[item];
        low.add_place(sum, place, table, None);
        high.add_place(sum, place, table, Some(&self.root));
    }

    /// The weighted equation of the items from `first` to before `end`.
    pub fn hold(&mut self, first: usize, end: usize) -> u32 {
        let mut c = Sum::ZERO;
        for place in (0..68).rev() {
            c = c.double();
            for item in first..end {
                self.add_place(&mut c, item, place, &self.tables_c[item]);
            }
        }
        let mut total = Fr::ZERO;
        for weight in &self.weights[first..end] {
            total = total.add(weight).weak();
        }
        let mut l = Sum::ZERO;
        add_product(&mut l, self.table(0), &total);
        for index in 0..self.signals as usize {
            let mut sum = Fr::ZERO;
            for scalars in &self.scalars[first..end] {
                sum = sum.add(&scalars[index]).weak();
            }
            add_product(&mut l, self.table(index + 1), &sum);
        }
        let mut alpha = Sum::ZERO;
        add_product(&mut alpha, self.table(self.signals as usize + 1), &total);
        // Random weights make neither zero, but for a chance of 2^-128; such a batch counts as false and is asked one by one.
        if c.is_zero() || alpha.is_zero() {
            return FALSE;
        }
        let f = self.meet(first, end, &l, c.to_affine(), Some(alpha.to_affine()));
        self.judge(first, end, &f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairing::tests::{g1, g2};
    use crate::prove::{times, write, write_g1};

    fn scalar(n: u64) -> Fr {
        // Full-sized, and different for each.
        Fr::of_words(&[n as u32, (n >> 32) as u32, 1, 2, 3, 4, 5, 6]).square()
    }
    fn one(k: &Fr) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        write_g1(&mut bytes, &times(&Sum::of(&g1()), &k.to_words()).to_affine());
        bytes
    }
    fn two(k: &Fr) -> Vec<u8> {
        let mut bytes = vec![0; 128];
        let point = times(&Sum::of(&g2()), &k.to_words()).to_affine();
        for (index, part) in [point.x.im, point.x.re, point.y.im, point.y.re].iter().enumerate() {
            write(&mut bytes[32 * index..], part);
        }
        bytes
    }

    /// A key of which everything is known, so that proofs are made by division.
    #[test]
    fn true_proofs_hold_alone_and_together_and_false_ones_do_not() {
        let signals = 2;
        let [alpha, beta, gamma, delta] = [1, 2, 3, 4].map(scalar);
        let ic = [5, 6, 7].map(scalar);
        let mut key = [one(&alpha), two(&beta), two(&gamma), two(&delta)].concat();
        ic.iter().for_each(|k| key.extend(one(k)));
        let mut memory = vec![0u128; Workspace::size(signals) / 16 + 1];
        let workspace = unsafe { &mut *(memory.as_mut_ptr() as *mut Workspace) };
        assert_eq!(workspace.open(signals, &key), 0);

        let proof = |n: u64, error: u64| {
            let [a, b, s, t] = [10 * n, 10 * n + 1, 10 * n + 2, 10 * n + 3].map(scalar);
            let l = ic[0].add(&s.mul(&ic[1])).add(&t.mul(&ic[2])).weak();
            let rest = a.mul(&b).sub(&alpha.mul(&beta)).sub(&l.mul(&gamma)).add(&Fr::of_words(&[error as u32, 0, 0, 0, 0, 0, 0, 0]));
            let c = rest.weak().mul(&delta.invert());
            let mut public = vec![0; 64];
            for (index, signal) in [s, t].iter().enumerate() {
                for (at, word) in signal.to_words().iter().enumerate() {
                    public[32 * index + 28 - 4 * at..32 * index + 32 - 4 * at].copy_from_slice(&word.to_be_bytes());
                }
            }
            ([one(&a), two(&b), one(&c)].concat(), public)
        };
        for (item, error) in [0, 0, 1, 0].into_iter().enumerate() {
            let (bytes, public) = proof(item as u64 + 1, error);
            assert_eq!(workspace.place(item, &bytes, &public), 0);
            assert_eq!(workspace.hold_one(item), 1 - error as u32);
        }
        workspace.weigh(4, &[u64::MAX, 1, 0x123456789abcdef0, 7 << 60, 5, u64::MAX - 7, 99, 1 << 63]);
        assert_eq!([(0, 2), (2, 3), (3, 4), (0, 4)].map(|(first, end)| workspace.hold(first, end)), [1, 0, 1, 0]);
    }
}
