//! Memory of output blocks, used again: to give it back to the system and to get it anew costs as much as to fill it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are kept at most.
const BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// Buffers that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Pool {
    kept: Mutex<Kept>,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty buffer, with room if one is kept.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut kept = self.lock();
        let buffer = kept.buffers.pop().unwrap_or_default();
        kept.bytes -= buffer.capacity();
        buffer
    }

    /// Keeps a buffer that is not needed any more, if there is room.
    pub(super) fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = self.lock();
        if buffer.capacity() > 0 && kept.bytes + buffer.capacity() <= BYTES {
            kept.bytes += buffer.capacity();
            kept.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_no_more_than_a_bound_is_kept() {
        let pool = Pool::default();
        pool.give(b"text".to_vec());
        let buffer = pool.take();
        assert!(buffer.is_empty() && buffer.capacity() >= 4);
        assert_eq!(pool.take().capacity(), 0);
        for _ in 0..40 {
            pool.give(Vec::with_capacity(1 << 20));
        }
        let kept = std::iter::from_fn(|| Some(pool.take()).filter(|buffer| buffer.capacity() > 0)).count();
        assert_eq!(kept, 16);
    }
}
