//! SHA-256 (FIPS 180-4) of bytes that arrive in pieces.

const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

const BLOCK: usize = 64;

#[repr(C)]
pub struct Sha256 {
    state: [u32; 8],
    /// Bytes so far, those that wait in `block` included.
    length: u64,
    block: [u8; BLOCK],
}

impl Sha256 {
    pub fn new() -> Sha256 {
        Sha256 { state: START, length: 0, block: [0; BLOCK] }
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        let waiting = self.length as usize % BLOCK;
        self.length += bytes.len() as u64;
        if waiting > 0 {
            let taken = rest.len().min(BLOCK - waiting);
            self.block[waiting..waiting + taken].copy_from_slice(&rest[..taken]);
            rest = &rest[taken..];
            if waiting + taken < BLOCK {
                return;
            }
            let block = self.block;
            compress(&mut self.state, &block);
        }
        let (blocks, tail) = rest.as_chunks::<BLOCK>();
        for block in blocks {
            compress(&mut self.state, block);
        }
        self.block[..tail.len()].copy_from_slice(tail);
    }

    pub fn finish(mut self) -> [u8; 32] {
        let bits = self.length * 8;
        let waiting = self.length as usize % BLOCK;
        let padding = if waiting < 56 { 56 - waiting } else { 120 - waiting };
        let mut ending = [0; BLOCK];
        ending[0] = 0x80;
        // At most 64 bytes, where 56 wait: they end that block and leave room for the length in the next.
        self.update(&ending[..padding]);
        self.update(&bits.to_be_bytes());
        let mut out = [0; 32];
        for (word, bytes) in self.state.iter().zip(out.as_chunks_mut::<4>().0) {
            *bytes = word.to_be_bytes();
        }
        out
    }
}

fn compress(state: &mut [u32; 8], block: &[u8; BLOCK]) {
    let mut words = [0u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..64 {
        let (near, far) = (words[at - 2], words[at - 15]);
        let low = far.rotate_right(7) ^ far.rotate_right(18) ^ far >> 3;
        let high = near.rotate_right(17) ^ near.rotate_right(19) ^ near >> 10;
        words[at] = words[at - 16].wrapping_add(low).wrapping_add(words[at - 7]).wrapping_add(high);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for at in 0..64 {
        let turned = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let chosen = e & f ^ !e & g;
        let first = h.wrapping_add(turned).wrapping_add(chosen).wrapping_add(ROUNDS[at]).wrapping_add(words[at]);
        let turned = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let second = turned.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
    }
    for (word, added) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(added);
    }
}
