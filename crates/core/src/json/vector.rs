//! Bytes that end or bend a string, sixteen at a time. With `filter::vector` the only module with `unsafe`: calls of functions that need SSE2, which
//! every x86-64 processor has. `cursor::special` is its twin.
#![allow(unsafe_code)]

use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8};

/// Bits for the quotes, backslashes and control characters among sixteen bytes.
#[inline]
pub(super) fn specials(sixteen: &[u8; 16]) -> u32 {
    // SAFETY: SSE2 is part of x86-64.
    unsafe { with_sse2(sixteen) }
}

#[target_feature(enable = "sse2")]
#[inline]
fn with_sse2(sixteen: &[u8; 16]) -> u32 {
    let both = u128::from_le_bytes(*sixteen);
    let bytes = _mm_set_epi64x((both >> 64) as i64, both as i64);
    let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
    let slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
    let controls = _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, _mm_set1_epi8(0x1f)));
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), controls)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_told_apart() {
        for byte in 0..=u8::MAX {
            for place in 0..16 {
                let mut sixteen = [b'a'; 16];
                sixteen[place] = byte;
                let special = byte == b'"' || byte == b'\\' || byte < 0x20;
                assert_eq!(specials(&sixteen), u32::from(special) << place, "{byte} at {place}");
            }
        }
    }
}
