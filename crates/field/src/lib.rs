//! The scalar field of BN254 as one small WebAssembly module without imports: the fold of an output, and Poseidon commitments
//! (docs/spec/digest.md).
//!
//! The caller owns the linear memory above `__heap_base`: it passes addresses, of 8 bytes' alignment where a struct lies. Nothing
//! here allocates or keeps state of its own, so every result is a function of the bytes that were passed.

#![no_std]

mod commitment;
mod element;
mod fold;
mod grain;
mod parameters;
mod poseidon;
mod sha256;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
