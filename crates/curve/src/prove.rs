//! The three points of a Groth16 proof from the sums over its key and two blinding scalars.

use crate::field::Fp;
use crate::fp2::Fp2;
use crate::group::{Affine, Sum};
use crate::ring::Ring;

/// The points of a proving key that stand alone.
#[repr(C)]
pub struct Singles {
    pub alpha: Affine<Fp>,
    pub beta: Affine<Fp>,
    pub delta: Affine<Fp>,
    pub beta_twisted: Affine<Fp2>,
    pub delta_twisted: Affine<Fp2>,
}

/// Over the wires with A, B and C, and over the quotient with H.
#[repr(C)]
pub struct Sums {
    a: Sum<Fp>,
    b: Sum<Fp>,
    c: Sum<Fp>,
    h: Sum<Fp>,
    b_twisted: Sum<Fp2>,
}

/// A = α + Σ + r·δ, B = β + Σ + s·δ, C = Σ + s·A + r·B − r·s·δ, where the last two are r·(B − s·δ).
pub fn assemble(target: &mut [u8], singles: &Singles, sums: &Sums, r: &[u32; 8], s: &[u32; 8]) {
    let a = sums.a.add_affine(&singles.alpha).add(&times(&Sum::of(&singles.delta), r));
    let b = sums.b_twisted.add_affine(&singles.beta_twisted).add(&times(&Sum::of(&singles.delta_twisted), s));
    let b_without = sums.b.add_affine(&singles.beta);
    let c = sums.c.add(&sums.h).add(&times(&a, s)).add(&times(&b_without, r));
    write_proof(target, &a, &b, &c);
}

/// 256 bytes in the order of EIP-197.
pub fn write_proof(target: &mut [u8], a: &Sum<Fp>, b: &Sum<Fp2>, c: &Sum<Fp>) {
    write_g1(&mut target[..64], &a.to_affine());
    let b = b.to_affine();
    for (index, part) in [b.x.im, b.x.re, b.y.im, b.y.re].iter().enumerate() {
        write(&mut target[64 + 32 * index..], part);
    }
    write_g1(&mut target[192..], &c.to_affine());
}

pub fn times<F: Ring>(point: &Sum<F>, scalar: &[u32; 8]) -> Sum<F> {
    let mut sum = Sum::ZERO;
    for bit in (0..254).rev() {
        sum = sum.double();
        if scalar[bit / 32] >> (bit % 32) & 1 == 1 {
            sum = sum.add(point);
        }
    }
    sum
}

pub fn write_g1(target: &mut [u8], point: &Affine<Fp>) {
    write(target, &point.x);
    write(&mut target[32..], &point.y);
}

/// 32 bytes, the big end first.
pub fn write(target: &mut [u8], value: &Fp) {
    for (index, word) in value.to_words().iter().enumerate() {
        target[28 - 4 * index..32 - 4 * index].copy_from_slice(&word.to_be_bytes());
    }
}
