//! Back-pressure: how much may be read before results have been put into order. Without it, one slow chunk would let the
//! results of all later ones pile up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes under way. One piece is always let in, whatever its size.
const BYTES: u64 = 32 << 20;

#[derive(Debug, Default)]
struct Inside {
    pieces: usize,
    bytes: u64,
    closed: bool,
}

/// Lets pieces in, in order, and counts those that have not left.
#[derive(Debug)]
pub(super) struct Gate {
    most: usize,
    inside: Mutex<Inside>,
    left: Condvar,
}

impl Gate {
    /// At most `most` pieces at a time.
    pub(super) fn new(most: usize) -> Self {
        Self { most, inside: Mutex::default(), left: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room. `false`: nobody takes results any more.
    pub(super) fn enter(&self, bytes: u64) -> bool {
        let mut inside = self.lock();
        while !inside.closed && inside.pieces > 0 && (inside.pieces >= self.most || inside.bytes + bytes > BYTES) {
            inside = self.left.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        inside.pieces += 1;
        inside.bytes += bytes;
        !inside.closed
    }

    /// A piece has been dealt with.
    pub(super) fn leave(&self, bytes: u64) {
        let mut inside = self.lock();
        inside.pieces = inside.pieces.saturating_sub(1);
        inside.bytes = inside.bytes.saturating_sub(bytes);
        self.left.notify_all();
    }

    /// Nobody waits from now on.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn waits_for_room_and_lets_one_of_any_size_in() {
        let gate = Arc::new(Gate::new(2));
        assert!(gate.enter(BYTES * 10));
        let other = Arc::clone(&gate);
        let waiting = thread::spawn(move || other.enter(1));
        thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        gate.leave(BYTES * 10);
        assert!(waiting.join().unwrap());
        assert!(gate.enter(1));
        let other = Arc::clone(&gate);
        let waiting = thread::spawn(move || other.enter(0));
        gate.close();
        assert!(!waiting.join().unwrap());
    }
}
