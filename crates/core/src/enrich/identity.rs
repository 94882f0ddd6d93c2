//! By what a process is known. What is made here is made of host, number and time, and the same in every run. It knows no process.

use sha1::{Digest, Sha1};
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// `process.entity_id`. A table holds hundreds of thousands, most of them made: these need no memory of their own.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// Hexadecimal digits.
    Made([u8; 16]),
    /// As a document has it.
    Recorded(Arc<str>),
}

impl Identity {
    /// The identity of a process that has none: of its host, its number, and the time of its record as it stands there.
    pub fn of(host: &str, pid: u64, time: &str) -> Self {
        const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        // Writing to a text does not fail.
        let _ = write!(text, "{host}\0{pid}\0{time}");
        let mut digits = [0; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(Sha1::digest(text)) {
            pair.copy_from_slice(&[HEXADECIMAL[usize::from(byte >> 4)], HEXADECIMAL[usize::from(byte & 15)]]);
        }
        Self::Made(digits)
    }
}

impl From<&str> for Identity {
    fn from(recorded: &str) -> Self {
        Self::Recorded(recorded.into())
    }
}

impl Deref for Identity {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Made(digits) => std::str::from_utf8(digits).unwrap_or_default(),
            Self::Recorded(text) => text,
        }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_the_same_in_every_run_and_wherever_it_is_kept() {
        let made = Identity::of("web-1", 10, "2026-11-24T03:00:00.100Z");
        assert_eq!(&*made, "1535dc7a550c5b62");
        assert_eq!(made, Identity::from("1535dc7a550c5b62"));
        assert_ne!(made, Identity::of("web-1", 1, "0"));
    }
}
