//! The hot loops of exact compute and of its checks, as one small WebAssembly module without imports.
//!
//! The caller owns the linear memory: it writes operands where it likes above `__heap_base`, passes their addresses, and
//! leaves `SLACK` bytes after each, because vectors are loaded whole. Nothing here allocates, keeps state or branches on
//! anything but sizes, so every result is a function of the bytes that were passed.

#![no_std]

mod bits;
mod elements;
mod field;
mod matmul;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
