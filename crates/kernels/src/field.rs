//! Products of integer matrices with vectors over the field of p = 2^31 − 1 elements, two vectors at a time.
//!
//! Elements are taken as centred integers (|x| < 2^30). For bytes a centred element is split into two 16-bit digits,
//! x = low + 2^15 · high, so that `i32x4_dot_i16x8` multiplies eight entries at once; for words it is multiplied whole
//! into 64 bits. Sums are reduced only where the next addition could leave their width.

use core::arch::wasm32::*;

const P: i64 = 0x7fff_ffff;
/// Digits of one element.
const DIGITS: usize = 2;
const DIGIT_BITS: i32 = 15;
/// Steps of two terms before a 32-bit lane could overflow: 128 · 2 · 255 · 2^15 < 2^31.
const STEPS: usize = 128;

fn canonical(value: i64) -> u32 {
    let rest = value % P;
    (if rest < 0 { rest + P } else { rest }) as u32
}

fn centred(element: u32) -> i32 {
    if i64::from(element) > P / 2 { (i64::from(element) - P) as i32 } else { element as i32 }
}

/// Centred words for the word products, zeros up to `padded`. The address of vector v is `v * padded` words on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn centre(source: *const u32, target: *mut i32, length: usize, padded: usize) {
    unsafe {
        for at in 0..padded {
            *target.add(at) = if at < length { centred(*source.add(at)) } else { 0 };
        }
    }
}

/// Centred words for `words_left`, each four times: the compiler takes a splat for a reason not to multiply into 64 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn centre_four(source: *const u32, target: *mut v128, length: usize) {
    unsafe {
        for at in 0..length {
            *target.add(at) = i32x4_splat(centred(*source.add(at)));
        }
    }
}

/// Digits for `bytes_right`: for every eight elements the eight low digits, then the eight high ones. `groups` groups
/// of eight are written, `stride` groups' room apart per group, so that the digits of two vectors can alternate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn split(source: *const u32, target: *mut i16, length: usize, groups: usize, stride: usize) {
    unsafe {
        for at in 0..groups * 8 {
            let value = if at < length { centred(*source.add(at)) } else { 0 };
            let out = target.add((at / 8) * stride * 8 * DIGITS + at % 8);
            *out = (value & 0x7fff) as i16;
            *out.add(8) = (value >> DIGIT_BITS) as i16;
        }
    }
}

/// Digits for `bytes_left`: for every two elements a pair of low digits, then a pair of high ones, `stride` pairs' room
/// apart, so that the digits of two vectors can alternate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn split_pairs(source: *const u32, target: *mut i16, length: usize, pairs: usize, stride: usize) {
    unsafe {
        for at in 0..pairs * 2 {
            let value = if at < length { centred(*source.add(at)) } else { 0 };
            let out = target.add((at / 2) * stride * 2 * DIGITS + at % 2);
            *out = (value & 0x7fff) as i16;
            *out.add(2) = (value >> DIGIT_BITS) as i16;
        }
    }
}

/// Adds the four lanes without loss.
fn total(lanes: v128) -> i64 {
    let sum = i64x2_add(i64x2_extend_low_i32x4(lanes), i64x2_extend_high_i32x4(lanes));
    i64x2_extract_lane::<0>(sum) + i64x2_extract_lane::<1>(sum)
}

/// M · x for `vectors` (1 or 2) vectors whose digits alternate group by group. `out` is vector after vector,
/// `out_stride` elements apart. Entries past the end of a row meet digits that are zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bytes_right(
    matrix: *const u8,
    rows: usize,
    columns: usize,
    digits: *const v128,
    vectors: usize,
    out: *mut u32,
    out_stride: usize,
    unsigned: u32,
) {
    unsafe {
        let signed = |at: *const u8| i16x8_load_extend_i8x8(at as *const i8);
        let plain = |at: *const u8| i16x8_load_extend_u8x8(at);
        match (vectors, unsigned != 0) {
            (1, false) => rows_of_bytes::<1, { DIGITS }>(matrix, rows, columns, digits, out, out_stride, signed),
            (1, true) => rows_of_bytes::<1, { DIGITS }>(matrix, rows, columns, digits, out, out_stride, plain),
            (_, false) => rows_of_bytes::<2, { 2 * DIGITS }>(matrix, rows, columns, digits, out, out_stride, signed),
            (_, true) => rows_of_bytes::<2, { 2 * DIGITS }>(matrix, rows, columns, digits, out, out_stride, plain),
        }
    }
}

#[inline(always)]
unsafe fn rows_of_bytes<const VECTORS: usize, const PARTS: usize>(
    matrix: *const u8,
    rows: usize,
    columns: usize,
    digits: *const v128,
    out: *mut u32,
    out_stride: usize,
    widen: impl Fn(*const u8) -> v128,
) {
    unsafe {
        let groups = columns.div_ceil(8);
        let mut row = 0;
        while row < rows {
            // The last row of an odd number is done twice rather than by code of its own.
            let next = if row + 1 < rows { row + 1 } else { row };
            let (mut first, mut second) = (matrix.add(row * columns), matrix.add(next * columns));
            let mut right = digits;
            let mut totals = [[0i64; PARTS]; 2];
            let mut left = groups;
            while left > 0 {
                let steps = if left < STEPS { left } else { STEPS };
                let mut sums = [[i32x4_splat(0); PARTS]; 2];
                for _ in 0..steps {
                    let (x, y) = (widen(first), widen(second));
                    for part in 0..PARTS {
                        let digit = *right.add(part);
                        sums[0][part] = i32x4_add(sums[0][part], i32x4_dot_i16x8(x, digit));
                        sums[1][part] = i32x4_add(sums[1][part], i32x4_dot_i16x8(y, digit));
                    }
                    first = first.add(8);
                    second = second.add(8);
                    right = right.add(PARTS);
                }
                for part in 0..PARTS {
                    totals[0][part] += total(sums[0][part]);
                    totals[1][part] += total(sums[1][part]);
                }
                left -= steps;
            }
            for vector in 0..VECTORS {
                let value = |sums: &[i64; PARTS]| {
                    canonical(sums[DIGITS * vector] + (sums[DIGITS * vector + 1] << DIGIT_BITS))
                };
                *out.add(vector * out_stride + row) = value(&totals[0]);
                *out.add(vector * out_stride + next) = value(&totals[1]);
            }
            row += 2;
        }
    }
}

/// Rows that meet one load and store of the sums from the left.
const CHUNK_ROWS: usize = 16;

/// Adds xᵀ · M to `sums`, for `vectors` (1 or 2) vectors whose digit pairs alternate. Between two of `finish_bytes` come at
/// most 256 rows. The second row of an odd last pair is whatever follows, and meets digits that are zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bytes_left(
    matrix: *const u8,
    rows: usize,
    columns: usize,
    digits: *const u32,
    vectors: usize,
    sums: *mut v128,
    unsigned: u32,
) {
    unsafe {
        let signed = |at: *const u8| i16x8_load_extend_i8x8(at as *const i8);
        let plain = |at: *const u8| i16x8_load_extend_u8x8(at);
        match (vectors, unsigned != 0) {
            (1, false) => columns_of_bytes::<{ DIGITS }>(matrix, rows, columns, digits, sums, signed),
            (1, true) => columns_of_bytes::<{ DIGITS }>(matrix, rows, columns, digits, sums, plain),
            (_, false) => columns_of_bytes::<{ 2 * DIGITS }>(matrix, rows, columns, digits, sums, signed),
            (_, true) => columns_of_bytes::<{ 2 * DIGITS }>(matrix, rows, columns, digits, sums, plain),
        }
    }
}

#[inline(always)]
unsafe fn columns_of_bytes<const PARTS: usize>(
    matrix: *const u8,
    rows: usize,
    columns: usize,
    digits: *const u32,
    sums: *mut v128,
    widen: impl Fn(*const u8) -> v128,
) {
    unsafe {
        let mut row = 0;
        while row < rows {
            let pairs = CHUNK_ROWS.min(rows - row).div_ceil(2);
            let mut column = 0;
            while column < columns {
                let target = sums.add(column / 8 * 2 * PARTS) as *mut [[v128; PARTS]; 2];
                let mut own = *target;
                let mut first = matrix.add(row * columns + column);
                let mut right = digits.add(row / 2 * PARTS);
                for _ in 0..pairs {
                    let (x, y) = (widen(first), widen(first.add(columns)));
                    let low = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(x, y);
                    let high = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(x, y);
                    for part in 0..PARTS {
                        let digit = v128_load32_splat(right.add(part));
                        own[0][part] = i32x4_add(own[0][part], i32x4_dot_i16x8(low, digit));
                        own[1][part] = i32x4_add(own[1][part], i32x4_dot_i16x8(high, digit));
                    }
                    first = first.add(2 * columns);
                    right = right.add(PARTS);
                }
                *target = own;
                column += 8;
            }
            row += CHUNK_ROWS;
        }
    }
}

/// Moves the sums of `bytes_left` into `out`, modulo p, and leaves zeros behind. `out` holds `columns` elements for each
/// vector, one vector after the other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn finish_bytes(sums: *mut i32, columns: usize, vectors: usize, out: *mut u32) {
    unsafe {
        for column in 0..columns {
            for vector in 0..vectors {
                let half = (column / 8 * 2 + column % 8 / 4) * DIGITS * vectors;
                let low = sums.add((half + DIGITS * vector) * 4 + column % 4);
                let high = low.add(4);
                let to = out.add(vector * columns + column);
                *to = canonical(i64::from(*to) + i64::from(*low) + (i64::from(*high) << DIGIT_BITS));
                *low = 0;
                *high = 0;
            }
        }
    }
}

/// One step of reduction: the value modulo p stays, its size falls below 2^33.
#[inline(always)]
fn fold(lanes: v128) -> v128 {
    i64x2_add(v128_and(lanes, i64x2_splat(P)), i64x2_shr(lanes, 31))
}

#[inline(always)]
fn multiply_words(sum: v128, entries: v128, elements: v128) -> v128 {
    let low = i64x2_extmul_low_i32x4(entries, elements);
    i64x2_add(i64x2_add(sum, low), i64x2_extmul_high_i32x4(entries, elements))
}

#[inline(always)]
fn pair_total(lanes: v128) -> i64 {
    let folded = fold(lanes);
    i64x2_extract_lane::<0>(folded) + i64x2_extract_lane::<1>(folded)
}

/// C · x for `vectors` (1 or 2) vectors of centred words, `padded` words each. `steps` vectors of four entries may be
/// summed before a reduction, as the declared range allows. Returns 1 when every entry lies within `min` to `max`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn words_right(
    matrix: *const i32,
    rows: usize,
    columns: usize,
    elements: *const i32,
    padded: usize,
    vectors: usize,
    out: *mut u32,
    out_stride: usize,
    steps: usize,
    min: i32,
    max: i32,
) -> u32 {
    unsafe {
        if vectors == 1 {
            rows_of_words::<1>(matrix, rows, columns, elements, padded, out, out_stride, steps, min, max)
        } else {
            rows_of_words::<2>(matrix, rows, columns, elements, padded, out, out_stride, steps, min, max)
        }
    }
}

#[inline(always)]
unsafe fn rows_of_words<const VECTORS: usize>(
    matrix: *const i32,
    rows: usize,
    columns: usize,
    elements: *const i32,
    padded: usize,
    out: *mut u32,
    out_stride: usize,
    steps: usize,
    min: i32,
    max: i32,
) -> u32 {
    unsafe {
        let (mut least, mut most) = (i32x4_splat(max), i32x4_splat(min));
        let mut row = 0;
        while row < rows {
            let next = if row + 1 < rows { row + 1 } else { row };
            let (mut first, mut second) = (matrix.add(row * columns), matrix.add(next * columns));
            let mut right = elements;
            let mut sums = [[i64x2_splat(0); VECTORS]; 2];
            let mut left = columns.div_ceil(4);
            while left > 0 {
                let count = if left < steps { left } else { steps };
                for _ in 0..count {
                    let (x, y) = (v128_load(first as *const v128), v128_load(second as *const v128));
                    least = i32x4_min(least, i32x4_min(x, y));
                    most = i32x4_max(most, i32x4_max(x, y));
                    for vector in 0..VECTORS {
                        let element = v128_load(right.add(vector * padded) as *const v128);
                        sums[0][vector] = multiply_words(sums[0][vector], x, element);
                        sums[1][vector] = multiply_words(sums[1][vector], y, element);
                    }
                    first = first.add(4);
                    second = second.add(4);
                    right = right.add(4);
                }
                for vector in 0..VECTORS {
                    sums[0][vector] = fold(sums[0][vector]);
                    sums[1][vector] = fold(sums[1][vector]);
                }
                left -= count;
            }
            for vector in 0..VECTORS {
                *out.add(vector * out_stride + row) = canonical(pair_total(sums[0][vector]));
                *out.add(vector * out_stride + next) = canonical(pair_total(sums[1][vector]));
            }
            row += 2;
        }
        within(least, most, min, max)
    }
}

fn within(least: v128, most: v128, min: i32, max: i32) -> u32 {
    let outside = v128_or(i32x4_lt(least, i32x4_splat(min)), i32x4_gt(most, i32x4_splat(max)));
    u32::from(!v128_any_true(outside))
}

/// Adds xᵀ · C to `sums`, for `vectors` (1 or 2) vectors of centred words, each four times, `room` of them apart.
/// `steps` rows may be summed before a reduction. Returns as `words_right` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn words_left(
    matrix: *const i32,
    rows: usize,
    columns: usize,
    elements: *const v128,
    room: usize,
    vectors: usize,
    sums: *mut v128,
    steps: usize,
    min: i32,
    max: i32,
) -> u32 {
    unsafe {
        if vectors == 1 {
            columns_of_words::<1>(matrix, rows, columns, elements, room, sums, steps, min, max)
        } else {
            columns_of_words::<2>(matrix, rows, columns, elements, room, sums, steps, min, max)
        }
    }
}

#[inline(always)]
unsafe fn columns_of_words<const VECTORS: usize>(
    matrix: *const i32,
    rows: usize,
    columns: usize,
    elements: *const v128,
    room: usize,
    sums: *mut v128,
    steps: usize,
    min: i32,
    max: i32,
) -> u32 {
    unsafe {
        let (mut least, mut most) = (i32x4_splat(max), i32x4_splat(min));
        let chunk = CHUNK_ROWS.min(steps);
        let mut unfolded = 0;
        let mut row = 0;
        while row < rows {
            let count = chunk.min(rows - row);
            unfolded += count;
            // Sums leave every call reduced, and are reduced where the next chunk could be too much.
            let is_last = row + count == rows;
            let folds = is_last || unfolded + chunk > steps;
            if folds {
                unfolded = 0;
            }
            let mut column = 0;
            while column < columns {
                let target = sums.add(column / 4 * 2 * VECTORS) as *mut [[v128; 2]; VECTORS];
                let mut own = *target;
                let mut first = matrix.add(row * columns + column);
                let mut left = elements.add(row);
                for _ in 0..count {
                    let x = v128_load(first as *const v128);
                    least = i32x4_min(least, x);
                    most = i32x4_max(most, x);
                    for vector in 0..VECTORS {
                        let element = *left.add(vector * room);
                        own[vector][0] = i64x2_add(own[vector][0], i64x2_extmul_low_i32x4(x, element));
                        own[vector][1] = i64x2_add(own[vector][1], i64x2_extmul_high_i32x4(x, element));
                    }
                    first = first.add(columns);
                    left = left.add(1);
                }
                if folds {
                    for vector in 0..VECTORS {
                        own[vector] = [fold(own[vector][0]), fold(own[vector][1])];
                    }
                }
                *target = own;
                column += 4;
            }
            row += count;
        }
        within(least, most, min, max)
    }
}

/// Moves the sums of `words_left` into `out`, modulo p, as `finish_bytes` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn finish_words(sums: *mut i64, columns: usize, vectors: usize, out: *mut u32) {
    unsafe {
        for column in 0..columns {
            for vector in 0..vectors {
                let sum = sums.add((column / 4 * vectors + vector) * 4 + column % 4);
                let to = out.add(vector * columns + column);
                *to = canonical(i64::from(*to) + *sum);
                *sum = 0;
            }
        }
    }
}

/// The index of the first entry outside `min` to `max`, or `length`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn first_outside(matrix: *const i32, length: usize, min: i32, max: i32) -> usize {
    unsafe {
        for at in 0..length {
            let entry = *matrix.add(at);
            if entry < min || entry > max {
                return at;
            }
        }
        length
    }
}
