//! The fold of an output into the field (docs/spec/digest.md E4, E5), from its bytes as they come or from its digest.

use crate::element::{Element, UPPER_HALF, ONE, add, bytes, canonical, limbs, multiply};
use crate::sha256::Sha256;

const TAG: [u8; 8] = *b"DPN2SNAR";

#[unsafe(no_mangle)]
pub extern "C" fn fold_state_bytes() -> usize {
    size_of::<Sha256>()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fold_begin(state: *mut Sha256) {
    unsafe { *state = Sha256::new() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fold_update(state: *mut Sha256, from: *const u8, length: usize) {
    unsafe { (*state).update(core::slice::from_raw_parts(from, length)) }
}

/// The output's digest to `digest`, its fold to `out`, 32 bytes each, highest first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fold_finish(state: *mut Sha256, digest: *mut [u8; 32], out: *mut [u8; 32]) {
    unsafe {
        let length = (*state).length();
        *digest = core::ptr::read(state).finish();
        *out = fold(&*digest, length);
    }
}

/// The length in two halves: JavaScript's numbers are no whole 64 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fold_digest(digest: *const [u8; 32], high: u32, low: u32, out: *mut [u8; 32]) {
    unsafe { *out = fold(&*digest, (high as u64) << 32 | low as u64) }
}

/// 64 bytes modulo r.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reduce_wide(wide: *const [[u8; 32]; 2], out: *mut [u8; 32]) {
    unsafe { *out = reduce(&*wide) }
}

fn fold(digest: &[u8; 32], length: u64) -> [u8; 32] {
    let half = |which: u8| {
        let mut hash = Sha256::new();
        hash.update(&TAG);
        hash.update(&[which]);
        hash.update(digest);
        hash.update(&length.to_be_bytes());
        hash.finish()
    };
    reduce(&[half(0), half(1)])
}

fn reduce([upper, lower]: &[[u8; 32]; 2]) -> [u8; 32] {
    let sum: Element = add(&multiply(&limbs(upper), &UPPER_HALF), &multiply(&limbs(lower), &ONE));
    bytes(&canonical(&sum))
}
