//! Proofs of one linear relation with one private wire: the matrices A and B of its constraint are empty, so there is no quotient, and
//! nearly every product is by a point of the key, of which tables are made once.

use crate::field::{Fp, Fr};
use crate::fp2::Fp2;
use crate::group::{Affine, Sum};
use crate::prove::{Singles, times, write_proof};
use crate::scalar::{TABLE, add_product, tabulate};

const SIGNALS_MAX: usize = 8;
const ROOM: usize = 64;

#[repr(C)]
pub struct Linear {
    signals: u32,
    /// α and the point of the wire that is always one.
    constant: Affine<Fp>,
    beta_twisted: Affine<Fp2>,
    of_signals: [[Affine<Fp>; TABLE]; SIGNALS_MAX],
    of_witness: [Affine<Fp>; TABLE],
    of_beta: [Affine<Fp>; TABLE],
    of_delta: [Affine<Fp>; TABLE],
    of_delta_twisted: [Affine<Fp2>; TABLE],
    sums: [Sum<Fp>; ROOM],
    inverses: [Fp; ROOM],
    sums_twisted: [Sum<Fp2>; ROOM],
    inverses_twisted: [Fp2; ROOM],
}

impl Linear {
    /// `a` has the points of the constant and the signals.
    pub fn open(&mut self, singles: &Singles, a: &[Affine<Fp>], c: &Affine<Fp>) {
        self.signals = a.len() as u32 - 1;
        self.constant = Sum::of(&singles.alpha).add_affine(&a[0]).to_affine();
        self.beta_twisted = singles.beta_twisted;
        for (table, point) in self.of_signals.iter_mut().zip(&a[1..]) {
            tabulate(table, point, &mut self.sums, &mut self.inverses);
        }
        tabulate(&mut self.of_witness, c, &mut self.sums, &mut self.inverses);
        tabulate(&mut self.of_beta, &singles.beta, &mut self.sums, &mut self.inverses);
        tabulate(&mut self.of_delta, &singles.delta, &mut self.sums, &mut self.inverses);
        tabulate(
            &mut self.of_delta_twisted,
            &singles.delta_twisted,
            &mut self.sums_twisted,
            &mut self.inverses_twisted,
        );
    }

    /// A = α + Σ + r·δ, B = β + s·δ, C = witness·C₁ + s·A + r·β. The scalars are the signals, then the witness.
    pub fn prove(&self, target: &mut [u8], scalars: &[[u32; 8]], r: &[u32; 8], s: &[u32; 8]) {
        let count = self.signals as usize;
        let mut a = Sum::of(&self.constant);
        for (table, scalar) in self.of_signals.iter().zip(&scalars[..count]) {
            add_product(&mut a, table, &Fr::of_words(scalar));
        }
        add_product(&mut a, &self.of_delta, &Fr::of_words(r));
        let mut b = Sum::of(&self.beta_twisted);
        add_product(&mut b, &self.of_delta_twisted, &Fr::of_words(s));
        let mut c = times(&a, s);
        add_product(&mut c, &self.of_witness, &Fr::of_words(&scalars[count]));
        add_product(&mut c, &self.of_beta, &Fr::of_words(r));
        write_proof(target, &a, &b, &c);
    }
}
