//! The exact int8 product: panels of 16-bit pairs along k, and tiles of 3 rows by 12 columns held in registers.
//!
//! `i32x4_dot_i16x8` multiplies eight pairs and adds neighbours, so a "pair" (two entries along k) is the unit of every
//! layout. A panel of A holds, pair after pair, 3 rows × 2 entries; a panel of B holds 12 columns × 2 entries.

use core::arch::wasm32::*;

const ROWS: usize = 3;
const COLUMNS: usize = 12;
/// Vectors of four columns in a tile.
const VECTORS: usize = COLUMNS / 4;

/// One block of C from packed panels. `c` has `stride` words per row; `add` is 0 for the first block along k.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiply_block(
    a: *const i32,
    b: *const v128,
    c: *mut i32,
    pairs: usize,
    row_panels: usize,
    column_panels: usize,
    stride: usize,
    add: u32,
) {
    unsafe {
        for column in 0..column_panels {
            let right = b.add(column * pairs * VECTORS);
            for row in 0..row_panels {
                let left = a.add(row * pairs * ROWS);
                let target = c.add(row * ROWS * stride + column * COLUMNS);
                multiply_tile(left, right, target, pairs, stride, add != 0);
            }
        }
    }
}

#[inline(always)]
unsafe fn multiply_tile(
    mut a: *const i32,
    mut b: *const v128,
    c: *mut i32,
    pairs: usize,
    stride: usize,
    add: bool,
) {
    unsafe {
        let mut sums = [[i32x4_splat(0); VECTORS]; ROWS];
        for _ in 0..pairs {
            let right = [*b, *b.add(1), *b.add(2)];
            for row in 0..ROWS {
                let left = v128_load32_splat(a.add(row) as *const u32);
                for vector in 0..VECTORS {
                    sums[row][vector] = i32x4_add(sums[row][vector], i32x4_dot_i16x8(left, right[vector]));
                }
            }
            a = a.add(ROWS);
            b = b.add(VECTORS);
        }
        for row in 0..ROWS {
            let target = c.add(row * stride) as *mut v128;
            for vector in 0..VECTORS {
                let before = if add { v128_load(target.add(vector)) } else { i32x4_splat(0) };
                v128_store(target.add(vector), i32x4_add(before, sums[row][vector]));
            }
        }
    }
}

/// Rows of A into panels: `rows` rows of `depth` entries, `stride` bytes apart. Missing rows of the last panel and the
/// missing half of the last pair become zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pack_left(
    source: *const u8,
    target: *mut i16,
    rows: usize,
    depth: usize,
    stride: usize,
    unsigned: u32,
) {
    unsafe {
        if unsigned != 0 {
            pack_rows(source, target, rows, depth, stride, |at| i16x8_load_extend_u8x8(at), |byte| byte as i16)
        } else {
            let widen = |at: *const u8| i16x8_load_extend_i8x8(at as *const i8);
            pack_rows(source, target, rows, depth, stride, widen, |byte| byte as i8 as i16)
        }
    }
}

#[inline(always)]
unsafe fn pack_rows(
    source: *const u8,
    mut target: *mut i16,
    rows: usize,
    depth: usize,
    stride: usize,
    widen_eight: impl Fn(*const u8) -> v128,
    widen: impl Fn(u8) -> i16,
) {
    unsafe {
        let mut row = 0;
        while row < rows {
            let first = source.add(row * stride);
            let mut at = 0;
            if row + ROWS <= rows {
                while at + 8 <= depth {
                    let x = widen_eight(first.add(at));
                    let y = widen_eight(first.add(stride + at));
                    let z = widen_eight(first.add(2 * stride + at));
                    let out = target as *mut v128;
                    let xy = i32x4_shuffle::<0, 4, 1, 5>(x, y);
                    v128_store(out, i32x4_shuffle::<0, 1, 4, 2>(xy, z));
                    let yz = i32x4_shuffle::<1, 5, 2, 6>(y, z);
                    v128_store(out.add(1), i32x4_shuffle::<0, 1, 6, 2>(yz, x));
                    let zx = i32x4_shuffle::<2, 7, 3, 3>(z, x);
                    v128_store(out.add(2), i32x4_shuffle::<0, 1, 7, 2>(zx, y));
                    target = target.add(24);
                    at += 8;
                }
            }
            while at < depth {
                for lane in 0..ROWS {
                    for half in 0..2 {
                        let exists = row + lane < rows && at + half < depth;
                        *target = if exists { widen(*first.add(lane * stride + at + half)) } else { 0 };
                        target = target.add(1);
                    }
                }
                at += 2;
            }
            row += ROWS;
        }
    }
}

/// Bytes of packed B into the 16-bit pairs that `multiply_block` reads. `length` is a multiple of 8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn widen_right(source: *const i8, target: *mut v128, length: usize) {
    unsafe {
        for at in 0..length / 8 {
            v128_store(target.add(at), i16x8_load_extend_i8x8(source.add(8 * at)));
        }
    }
}

/// Two neighbouring rows of B at a time into byte panels. `source` has `pairs * 2` rows of `panels * 12` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pack_right_rows(source: *const u8, target: *mut u8, pairs: usize, panels: usize) {
    unsafe {
        let stride = panels * COLUMNS;
        for panel in 0..panels {
            for pair in 0..pairs {
                let first = source.add(2 * pair * stride + panel * COLUMNS);
                let (x, y) = (v128_load(first as *const v128), v128_load(first.add(stride) as *const v128));
                let low = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(x, y);
                let high = i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 0, 0, 0, 0, 0, 0, 0, 0>(x, y);
                let out = target.add((panel * pairs + pair) * 2 * COLUMNS);
                v128_store(out as *mut v128, low);
                v128_store64_lane::<0>(high, out.add(16) as *mut u64);
            }
        }
    }
}

/// Columns of B that lie one after the other, `pairs * 2` bytes each, `panels * 12` of them, into byte panels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pack_right_columns(source: *const u16, target: *mut u16, pairs: usize, panels: usize) {
    unsafe {
        for panel in 0..panels {
            let first = source.add(panel * COLUMNS * pairs);
            let out = target.add(panel * COLUMNS * pairs);
            for pair in 0..pairs {
                for column in 0..COLUMNS {
                    *out.add(pair * COLUMNS + column) = *first.add(column * pairs + pair);
                }
            }
        }
    }
}
