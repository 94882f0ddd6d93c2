//! The search with vector instructions: 32 places of the text at a time. With `json::vector` the only module with `unsafe`: loads from memory, and calls of
//! functions that need AVX2 after it was found to be there. `Search::line_by_bytes` is its twin.
#![allow(unsafe_code)]

use super::search::{Search, Walk};

/// Whether this machine has the instructions.
#[cfg(target_arch = "x86_64")]
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

/// Whether this machine has the instructions.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn available() -> bool {
    false
}

/// See [`Search::line`].
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn line(search: &Search, text: &[u8], walk: &mut Walk) -> (usize, bool) {
    search.line_by_bytes(text, walk)
}

/// See [`Search::line`]. Only where the instructions are [`available`].
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn line(search: &Search, text: &[u8], walk: &mut Walk) -> (usize, bool) {
    debug_assert!(available());
    // SAFETY: `Search` calls this only after `available` has said that AVX2 is there.
    unsafe { avx2::line(search, text, walk) }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::super::search::{Search, Walk, line_end};
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_srli_epi16,
    };

    const WIDTH: usize = 32;
    /// Bytes that a step looks at: a window may start at the last of its places.
    const REACH: usize = WIDTH + 3;

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(text: &[u8; REACH], shift: usize) -> __m256i {
        debug_assert!(shift + WIDTH <= REACH);
        // SAFETY: 32 bytes from `shift`, which is at most 3, lie within the 35 of the array; the load needs no alignment.
        unsafe { _mm256_loadu_si256(text.as_ptr().add(shift).cast()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn table(nibbles: &[u8; 16]) -> __m256i {
        // SAFETY: the array has the 16 bytes that are loaded; the load needs no alignment.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(nibbles.as_ptr().cast()) })
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn line(search: &Search, text: &[u8], walk: &mut Walk) -> (usize, bool) {
        let tables = search.tables();
        let low = [table(&tables.low[0]), table(&tables.low[1]), table(&tables.low[2]), table(&tables.low[3])];
        let high = [table(&tables.high[0]), table(&tables.high[1]), table(&tables.high[2]), table(&tables.high[3])];
        let fifteen = _mm256_set1_epi8(15);
        let byte = |byte: u8| _mm256_set1_epi8(byte as i8);
        let (line_break, backslash, u, slash) = (byte(b'\n'), byte(b'\\'), byte(b'u'), byte(b'/'));
        let mut at = walk.start();
        while let Some(piece) = text.get(at..).and_then(|rest| rest.first_chunk::<REACH>()) {
            let bytes = [load(piece, 0), load(piece, 1), load(piece, 2), load(piece, 3)];
            let mut buckets = _mm256_set1_epi8(-1);
            for place in 0..4 {
                let below = _mm256_shuffle_epi8(low[place], _mm256_and_si256(bytes[place], fifteen));
                let above = _mm256_srli_epi16::<4>(bytes[place]);
                let above = _mm256_shuffle_epi8(high[place], _mm256_and_si256(above, fifteen));
                buckets = _mm256_and_si256(buckets, _mm256_and_si256(below, above));
            }
            let none = _mm256_movemask_epi8(_mm256_cmpeq_epi8(buckets, _mm256_setzero_si256())) as u32;
            let after = _mm256_or_si256(_mm256_cmpeq_epi8(bytes[1], u), _mm256_cmpeq_epi8(bytes[1], slash));
            let escapes = _mm256_and_si256(_mm256_cmpeq_epi8(bytes[0], backslash), after);
            let breaks = _mm256_cmpeq_epi8(bytes[0], line_break);
            let rare = _mm256_movemask_epi8(_mm256_or_si256(escapes, breaks)) as u32;
            let mut places = !none | rare;
            while places != 0 {
                let place = places.trailing_zeros();
                places &= places - 1;
                let here = at + place as usize;
                if rare >> place & 1 == 1 {
                    if text[here] == b'\n' {
                        return (here, search.ended(walk));
                    }
                    if search.hides(text, here, walk) {
                        return (line_end(text, here), true);
                    }
                }
                if search.found(text, here, walk) {
                    return (line_end(text, here), true);
                }
            }
            at += WIDTH;
        }
        search.rest_by_bytes(text, at, walk)
    }
}
