//! Words in their least width: each entry less the base, `width` bits, the lowest bit first, one after the other.

/// Packs `length` entries and fills the last byte up with zeros. Writes up to 15 bytes past the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pack_bits(source: *const i32, mut target: *mut u8, length: usize, base: i32, width: u32) {
    unsafe {
        let mut pending = 0u64;
        let mut filled = 0u32; // Below 64.
        let mut append = |bits: u64, count: u32| {
            pending |= bits << filled;
            let sum = filled + count;
            if sum >= 64 {
                (target as *mut u64).write_unaligned(pending);
                target = target.add(8);
                // Two shifts, since one by 64 would be one by 0.
                pending = (bits >> 1) >> (63 - filled);
                filled = sum - 64;
            } else {
                filled = sum;
            }
        };
        let entry = |at: usize| u64::from((*source.add(at)).wrapping_sub(base) as u32);
        let mut at = 0;
        if width <= 16 {
            while at + 4 <= length {
                let low = entry(at) | entry(at + 1) << width;
                let high = entry(at + 2) | entry(at + 3) << width;
                append(low | high << (2 * width), 4 * width);
                at += 4;
            }
        } else {
            while at + 2 <= length {
                // Up to 64 bits: a width of 32 fills them.
                append(entry(at) | entry(at + 1) << width, 2 * width);
                at += 2;
            }
        }
        while at < length {
            append(entry(at), width);
            at += 1;
        }
        (target as *mut u64).write_unaligned(pending);
    }
}

/// Unpacks `length` entries of 1 to 32 bits. `range` (two words) is widened by the entries as they lie there, before the
/// base is added. Reads up to 8 bytes past the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack_bits(
    source: *const u8,
    target: *mut i32,
    length: usize,
    base: i32,
    width: u32,
    range: *mut u32,
) {
    unsafe {
        let mask = (1u64 << width) - 1;
        let (mut least, mut most) = (*range, *range.add(1));
        let mut bit = 0usize;
        for at in 0..length {
            let bits = (source.add(bit >> 3) as *const u64).read_unaligned();
            let entry = ((bits >> (bit & 7)) & mask) as u32;
            least = least.min(entry);
            most = most.max(entry);
            *target.add(at) = base.wrapping_add(entry as i32);
            bit += width as usize;
        }
        *range = least;
        *range.add(1) = most;
    }
}
