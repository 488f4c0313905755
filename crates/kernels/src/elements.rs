//! Requantization, lookup and the smallest and largest entry: one pass each over entries that the caller streams in.

use core::arch::wasm32::*;

const I8: u32 = 0;
const U8: u32 = 1;

/// y = saturate(zero_point + ((x + bias) · multiplier + 2^(shift−1)) >> shift) for one shift of 32 to 62 and a zero point
/// below 2^30 in size, so that the high word of the product is all that is left and no sum can overflow. Multipliers
/// and biases repeat every `period` entries, a multiple of four. Whole vectors are written: up to 15 entries past the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn requantize_high(
    source: *const i32,
    target: *mut u8,
    length: usize,
    multipliers: *const i32,
    biases: *const i32,
    period: usize,
    shift: u32,
    zero_point: i32,
    kind: u32,
) {
    unsafe {
        let rounding = i64x2_splat(1 << (shift - 1));
        let zero_point = i32x4_splat(zero_point);
        let mut phase = 0;
        let mut four = |at: usize| {
            let x = i32x4_add(
                v128_load(source.add(at) as *const v128),
                v128_load(biases.add(phase) as *const v128),
            );
            let multiplier = v128_load(multipliers.add(phase) as *const v128);
            phase += 4;
            if phase == period {
                phase = 0;
            }
            let low = i64x2_add(i64x2_extmul_low_i32x4(x, multiplier), rounding);
            let high = i64x2_add(i64x2_extmul_high_i32x4(x, multiplier), rounding);
            let words = i32x4_shuffle::<1, 3, 5, 7>(low, high);
            i32x4_add(zero_point, i32x4_shr(words, shift - 32))
        };
        let mut at = 0;
        if kind == I8 || kind == U8 {
            while at < length {
                let low = i16x8_narrow_i32x4(four(at), four(at + 4));
                let high = i16x8_narrow_i32x4(four(at + 8), four(at + 12));
                let bytes = if kind == I8 { i8x16_narrow_i16x8(low, high) } else { u8x16_narrow_i16x8(low, high) };
                v128_store(target.add(at) as *mut v128, bytes);
                at += 16;
            }
        } else {
            while at < length {
                v128_store(target.add(4 * at) as *mut v128, four(at));
                at += 4;
            }
        }
    }
}

/// The same for every shift of 0 to 62, one per entry of the period, and every zero point: entry by entry in 64 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn requantize_any(
    source: *const i32,
    target: *mut u8,
    length: usize,
    multipliers: *const i32,
    biases: *const i32,
    shifts: *const u8,
    period: usize,
    zero_point: i32,
    kind: u32,
) {
    unsafe {
        let (min, max) = match kind {
            I8 => (-128, 127),
            U8 => (0, 255),
            _ => (i64::from(i32::MIN), i64::from(i32::MAX)),
        };
        let mut phase = 0;
        for at in 0..length {
            let x = i64::from((*source.add(at)).wrapping_add(*biases.add(phase)));
            let shift = u32::from(*shifts.add(phase));
            // 2^(shift−1), and 0 for shift 0. The product is at most 2^62, the rounding at most 2^61.
            let rounding = (1i64 << shift) >> 1;
            let scaled = (x * i64::from(*multipliers.add(phase)) + rounding) >> shift;
            let value = (i64::from(zero_point) + scaled).clamp(min, max);
            if kind == I8 || kind == U8 {
                *target.add(at) = value as u8;
            } else {
                *(target as *mut i32).add(at) = value as i32;
            }
            phase += 1;
            if phase == period {
                phase = 0;
            }
        }
    }
}

/// Replaces each byte by its entry in a table of 256.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn look_up(bytes: *mut u8, length: usize, table: *const u8) {
    unsafe {
        for at in 0..length {
            *bytes.add(at) = *table.add(*bytes.add(at) as usize);
        }
    }
}

/// Widens the smallest and largest entry in `range` (two words) by `length` (at least 1) entries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn extend_range(source: *const i32, length: usize, range: *mut i32) {
    unsafe {
        let (mut least, mut most) = (i32x4_splat(*range), i32x4_splat(*range.add(1)));
        let whole = length & !3;
        let mut at = 0;
        while at < whole {
            let x = v128_load(source.add(at) as *const v128);
            least = i32x4_min(least, x);
            most = i32x4_max(most, x);
            at += 4;
        }
        while at < length {
            let x = i32x4_splat(*source.add(at));
            least = i32x4_min(least, x);
            most = i32x4_max(most, x);
            at += 1;
        }
        let mut lanes = [[0i32; 4]; 2];
        v128_store(lanes[0].as_mut_ptr() as *mut v128, least);
        v128_store(lanes[1].as_mut_ptr() as *mut v128, most);
        for lane in 0..4 {
            *range = (*range).min(lanes[0][lane]);
            *range.add(1) = (*range.add(1)).max(lanes[1][lane]);
        }
    }
}
