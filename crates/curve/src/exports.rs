//! What the module exports. Addresses are not checked: nothing but our own wrapper calls these.

use crate::verify::Workspace;
use core::slice::from_raw_parts;

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
