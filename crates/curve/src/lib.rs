//! BN254 for Groth16: fields, both groups, the pairing, the verification of proofs alone and in batches, and what proving takes. One WebAssembly module without
//! imports, allocation or state of its own.

#![cfg_attr(target_arch = "wasm32", no_std)]

mod exports;
mod field;
mod fp2;
mod group;
mod linear;
mod pairing;
mod prove;
mod ring;
mod scalar;
mod sums;
mod tower;
mod transform;
mod verify;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
