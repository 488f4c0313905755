//! What the module exports. Addresses are not checked: nothing but our own wrapper calls these.

use crate::field::{Fp, Fr};
use crate::fp2::Fp2;
use crate::group::{Affine, Sum};
use crate::linear::Linear;
use crate::prove::{self, Singles, Sums};
use crate::ring::Ring;
use crate::sums::{Room, WINDOW_MAX, load_points, sum_products};
use crate::transform::{self, Coefficient, Domain};
use crate::verify::Workspace;
use core::slice::{from_raw_parts, from_raw_parts_mut};

#[unsafe(no_mangle)]
pub extern "C" fn workspace_size(signals: u32) -> u32 {
    Workspace::size(signals as usize) as u32
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(workspace: *mut Workspace, signals: u32, key: *const u8) -> u32 {
    let signals = signals as usize;
    unsafe { (*workspace).open(signals, from_raw_parts(key, 64 + 3 * 128 + 64 * (signals + 1))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn place(workspace: *mut Workspace, item: u32, proof: *const u8, signals: *const u8, count: u32) -> u32 {
    unsafe { (*workspace).place(item as usize, from_raw_parts(proof, 256), from_raw_parts(signals, 32 * count as usize)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn hold_one(workspace: *mut Workspace, item: u32) -> u32 {
    unsafe { (*workspace).hold_one(item as usize) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn is_in_subgroup(workspace: *const Workspace, item: u32) -> u32 {
    unsafe { (*workspace).is_in_subgroup(item as usize) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn weigh(workspace: *mut Workspace, count: u32, random: *const u64) {
    unsafe { (*workspace).weigh(count as usize, from_raw_parts(random, 2 * count as usize)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn hold(workspace: *mut Workspace, first: u32, end: u32) -> u32 {
    unsafe { (*workspace).hold(first as usize, end as usize) }
}

#[unsafe(no_mangle)]
pub extern "C" fn domain_size(log: u32) -> u32 {
    Domain::size(log) as u32
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open_domain(domain: *mut Domain, log: u32) {
    unsafe { (*domain).open(log) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn load_coefficients(target: *mut Coefficient, source: *const u32, count: u32, log: u32) {
    let count = count as usize;
    unsafe { transform::load_coefficients(from_raw_parts_mut(target, count), from_raw_parts(source, 11 * count), log) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn load_g1(target: *mut Affine<Fp>, source: *const u32, count: u32) {
    let count = count as usize;
    unsafe { load_points(from_raw_parts_mut(target, count), from_raw_parts(source, 16 * count)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn load_g2(target: *mut Affine<Fp2>, source: *const u32, count: u32) {
    let count = count as usize;
    unsafe { load_points(from_raw_parts_mut(target, count), from_raw_parts(source, 32 * count)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn quotient(
    domain: *const Domain,
    coefficients: *const Coefficient,
    count: u32,
    witness: *const [u32; 8],
    wires: u32,
    values: *mut Fr,
    target: *mut [u32; 8],
) {
    unsafe {
        let order = (*domain).order();
        transform::quotient(
            &*domain,
            from_raw_parts(coefficients, count as usize),
            from_raw_parts(witness, wires as usize),
            from_raw_parts_mut(values, 3 * order),
            from_raw_parts_mut(target, order),
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sum_g1(
    target: *mut Sum<Fp>,
    points: *const Affine<Fp>,
    scalars: *const [u32; 8],
    count: u32,
    room: *mut u8,
) {
    unsafe { *target = sum(points, scalars, count as usize, room) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sum_g2(
    target: *mut Sum<Fp2>,
    points: *const Affine<Fp2>,
    scalars: *const [u32; 8],
    count: u32,
    room: *mut u8,
) {
    unsafe { *target = sum(points, scalars, count as usize, room) }
}

/// For so many points of either group.
#[unsafe(no_mangle)]
pub extern "C" fn sum_room(count: u32) -> u32 {
    let each = 2 * size_of::<Affine<Fp2>>() + size_of::<Fp2>() + size_of::<u32>();
    (count as usize * each + (size_of::<u32>() << (WINDOW_MAX - 1))) as u32
}

unsafe fn sum<F: Ring>(points: *const Affine<F>, scalars: *const [u32; 8], count: usize, room: *mut u8) -> Sum<F> {
    unsafe {
        let first = room as *mut Affine<F>;
        let second = first.add(count);
        let products = second.add(count) as *mut F;
        let order = products.add(count) as *mut u32;
        let mut room = Room {
            first: from_raw_parts_mut(first, count),
            second: from_raw_parts_mut(second, count),
            products: from_raw_parts_mut(products, count),
            order: from_raw_parts_mut(order, count),
            ends: from_raw_parts_mut(order.add(count), 1 << (WINDOW_MAX - 1)),
        };
        sum_products(from_raw_parts(points, count), from_raw_parts(scalars, count), &mut room)
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn assemble(
    target: *mut u8,
    singles: *const Singles,
    sums: *const Sums,
    r: *const [u32; 8],
    s: *const [u32; 8],
) {
    unsafe { prove::assemble(from_raw_parts_mut(target, 256), &*singles, &*sums, &*r, &*s) }
}

#[unsafe(no_mangle)]
pub extern "C" fn linear_size() -> u32 {
    size_of::<Linear>() as u32
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open_linear(
    linear: *mut Linear,
    singles: *const Singles,
    a: *const Affine<Fp>,
    signals: u32,
    c: *const Affine<Fp>,
) {
    unsafe { (*linear).open(&*singles, from_raw_parts(a, signals as usize + 1), &*c) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn prove_linear(
    target: *mut u8,
    linear: *const Linear,
    scalars: *const [u32; 8],
    count: u32,
    r: *const [u32; 8],
    s: *const [u32; 8],
) {
    unsafe { (*linear).prove(from_raw_parts_mut(target, 256), from_raw_parts(scalars, count as usize), &*r, &*s) }
}
