//! The register of 80 bits from which Poseidon draws its constants (Poseidon, appendix E), as circomlib seeded it.

use crate::element::{Element, enter, is_reduced, limbs};

pub struct Grain {
    low: u64,
    high: u64,
}

impl Grain {
    /// Field, S-box x^5, bits of an element, width, full and partial rounds, and ones up to 80 bits.
    pub fn new(width: u64, full: u64, partial: u64) -> Grain {
        let mut grain = Grain { low: 0, high: 0 };
        let mut at = 0;
        for (value, bits) in [(1, 2), (0, 4), (254, 12), (width, 12), (full, 10), (partial, 10), (0x3fff_ffff, 30)] {
            for bit in (0..bits).rev() {
                grain.set(at, value >> bit & 1);
                at += 1;
            }
        }
        for _ in 0..160 {
            grain.step();
        }
        grain
    }

    fn set(&mut self, at: u32, bit: u64) {
        if at < 64 { self.low |= bit << at } else { self.high |= bit << (at - 64) }
    }

    fn step(&mut self) -> u64 {
        let (low, high) = (self.low, self.high);
        let bit = (low ^ low >> 13 ^ low >> 23 ^ low >> 38 ^ low >> 51 ^ low >> 62) & 1;
        self.low = low >> 1 | high << 63;
        self.high = high >> 1 | bit << 15;
        bit
    }

    /// Of two bits the first says whether the second counts.
    fn bit(&mut self) -> u64 {
        loop {
            let counts = self.step();
            let bit = self.step();
            if counts == 1 {
                return bit;
            }
        }
    }

    fn draw(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for at in 2..256 {
            bytes[at / 8] |= (self.bit() as u8) << (7 - at % 8);
        }
        bytes
    }

    /// Even over the field: numbers that are not below r are drawn again.
    pub fn element(&mut self) -> Element {
        loop {
            let drawn = limbs(&self.draw());
            if is_reduced(&drawn) {
                return enter(&drawn);
            }
        }
    }

    /// The next 254 bits modulo r, as the matrix wants them.
    pub fn folded(&mut self) -> Element {
        enter(&limbs(&self.draw()))
    }
}
