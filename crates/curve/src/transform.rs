//! Discrete Fourier transforms over the scalars, and with them the quotient of a Groth16 proof: a·b − c on a coset of the domain.

use crate::field::{Fr, Modulus, R};

/// The order of a domain is a power of two up to this one.
const TWO_ADICITY: u32 = 28;

/// What depends on the order of the domain alone. The roots lie behind it: half an order of powers, as many of inverses, and an order of
/// shifts, each divided by the order.
#[repr(C)]
pub struct Domain {
    log: u32,
    roots: [Fr; 0],
}

impl Domain {
    pub fn size(log: u32) -> usize {
        size_of::<Self>() + (2 << log) * size_of::<Fr>()
    }

    pub fn order(&self) -> usize {
        1 << self.log
    }

    fn part(&self, first: usize, count: usize) -> &[Fr] {
        unsafe { core::slice::from_raw_parts(self.roots.as_ptr().add(first), count) }
    }

    pub fn open(&mut self, log: u32) {
        self.log = log;
        let (order, half) = (self.order(), self.order() / 2);
        // Five is no square, so its power is a root of the highest order; the shift is a root of twice the domain's.
        let mut exponent = R::WORDS;
        exponent[0] -= 1;
        let exponent = shift_right(exponent, TWO_ADICITY);
        let five = Fr::of_words(&[5, 0, 0, 0, 0, 0, 0, 0]);
        let mut shift = five.pow(&exponent);
        for _ in 0..TWO_ADICITY - log - 1 {
            shift = shift.square();
        }
        let root = shift.square();
        let inverse = root.invert();
        let scale = Fr::of_words(&[order as u32, 0, 0, 0, 0, 0, 0, 0]).invert();
        let table = unsafe { core::slice::from_raw_parts_mut(self.roots.as_mut_ptr(), 2 * order) };
        for (part, factor, first) in [
            (0..half, root, Fr::ONE),
            (half..order, inverse, Fr::ONE),
            (order..2 * order, shift, scale),
        ] {
            let mut power = first;
            for entry in &mut table[part] {
                *entry = power;
                power = power.mul(&factor);
            }
        }
    }

    /// From bit-reversed places to natural ones. The values may have magnitude 4; they come out with 2 per level more.
    fn transform(&self, values: &mut [Fr], is_inverse: bool) {
        let half = self.order() / 2;
        let roots = self.part(if is_inverse { half } else { 0 }, half);
        let mut width = 1;
        while width <= half {
            let stride = half / width;
            for block in values.chunks_exact_mut(2 * width) {
                let (low, high) = block.split_at_mut(width);
                for (j, (u, v)) in low.iter_mut().zip(high).enumerate() {
                    let turned = v.mul(&roots[j * stride]);
                    *v = u.sub(&turned);
                    *u = u.add(&turned);
                }
            }
            width *= 2;
        }
    }

    fn reversed(&self, index: usize) -> usize {
        ((index as u32).reverse_bits() >> (32 - self.log)) as usize
    }

    /// Evaluations on the domain, in bit-reversed places, to those on its shift, in natural ones.
    fn extend(&self, values: &mut [Fr]) {
        self.transform(values, true);
        let shifts = self.part(self.order(), self.order());
        for (value, shift) in values.iter_mut().zip(shifts) {
            *value = value.mul(shift);
        }
        for index in 0..values.len() {
            let other = self.reversed(index);
            if index < other {
                values.swap(index, other);
            }
        }
        self.transform(values, false);
    }
}

/// An entry of the matrices A and B.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Coefficient {
    matrix: u32,
    /// The place of the constraint in bit-reversed order.
    place: u32,
    wire: u32,
    value: Fr,
}

/// Entries of a proving key: three words, then the value times 2^512.
pub fn load_coefficients(target: &mut [Coefficient], source: &[u32], log: u32) {
    for (entry, words) in target.iter_mut().zip(source.chunks_exact(11)) {
        let value: &[u32; 8] = words[3..].try_into().unwrap_or(&[0; 8]);
        *entry = Coefficient {
            matrix: words[0],
            place: words[1].reverse_bits() >> (32 - log),
            wire: words[2],
            value: Fr::from_words(value).mul(&const { Fr::plain_power(2 * 261 - 512) }),
        };
    }
}

/// The quotient's evaluations as plain words. `values` has room for three orders of the domain.
pub fn quotient(
    domain: &Domain,
    coefficients: &[Coefficient],
    witness: &[[u32; 8]],
    values: &mut [Fr],
    target: &mut [[u32; 8]],
) {
    let order = domain.order();
    values.fill(Fr::ZERO);
    let (a, rest) = values.split_at_mut(order);
    let (b, c) = rest.split_at_mut(order);
    for entry in coefficients {
        let wire = &witness[entry.wire as usize];
        let place = entry.place as usize;
        let sum = if entry.matrix == 0 { &mut a[place] } else { &mut b[place] };
        let is_small = wire[1..] == [0; 7];
        if is_small && wire[0] == 0 {
            continue;
        }
        let product = if is_small && wire[0] == 1 { entry.value } else { entry.value.mul(&Fr::of_words(wire)) };
        *sum = sum.add(&product).weak();
    }
    for index in 0..order {
        c[index] = a[index].mul(&b[index]);
    }
    for part in [&mut *a, &mut *b, &mut *c] {
        domain.extend(part);
    }
    for index in 0..order {
        target[index] = a[index].mul(&b[index]).add(&c[index].weak().neg16()).to_words();
    }
}

fn shift_right(words: [u64; 4], bits: u32) -> [u64; 4] {
    let mut shifted = [0; 4];
    for i in 0..4 {
        let high = if i < 3 { words[i + 1] << (64 - bits) } else { 0 };
        shifted[i] = words[i] >> bits | high;
    }
    shifted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_evaluates_the_polynomial_on_the_shift() {
        let log = 4;
        let order = 1 << log;
        let mut memory = vec![0u64; Domain::size(log) / 8 + 1000];
        let domain = unsafe { &mut *(memory.as_mut_ptr() as *mut Domain) };
        // Debug builds carry magnitudes, so an element is larger than where it is used; the room allows for it.
        domain.open(log);
        let coefficient = |i: u32| Fr::of_words(&[i * i + 7, i, 0, 0, 0, 0, 0, 0]);
        let root = domain.part(0, 2)[1];
        let shift = domain.part(order, 2)[1].mul(&domain.part(order, 1)[0].invert());
        let evaluate = |x: &Fr| (0..order as u32).rev().fold(Fr::ZERO, |sum, i| sum.mul(x).add(&coefficient(i)).weak());
        let mut values = vec![Fr::ZERO; order];
        let mut x = Fr::ONE;
        for i in 0..order {
            values[domain.reversed(i)] = evaluate(&x);
            x = x.mul(&root);
        }
        assert_eq!(x.to_words(), Fr::ONE.to_words());
        domain.extend(&mut values);
        let mut x = shift;
        for value in &values {
            assert_eq!(value.to_words(), evaluate(&x).to_words());
            x = x.mul(&root);
        }
    }
}
