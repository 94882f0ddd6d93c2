//! The arguments of a process from its EXECVE records: the kernel spreads long lists over many records, and long
//! arguments over many pieces (`a1_len=8000 a1[0]=… a1[1]=…`). It knows nothing else of the event.

use super::record::{Value, pairs, plain, unhex};

/// One argument, as far as it was read.
#[derive(Clone, Debug, Default)]
struct Argument {
    bytes: Vec<u8>,
    present: bool,
}

/// The arguments of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    arguments: Vec<Argument>,
    count: Option<usize>,
}

/// More than the kernel passes to a process (2 MiB of arguments, at least two bytes each).
const MAXIMUM: usize = 1 << 20;

impl Arguments {
    /// Reads one EXECVE record; the records of an event come in order.
    pub fn read(&mut self, body: &str) {
        for (key, value) in pairs(plain(body)) {
            if key == "argc" {
                self.count = value.text.parse().ok();
            } else if let Some(number) = argument_number(key).filter(|number| *number < MAXIMUM) {
                self.append(number, value);
            }
        }
    }

    fn append(&mut self, number: usize, value: Value<'_>) {
        // Holes are filled by later records; a number far beyond the list is no argument but damage.
        if number > self.arguments.len() + 4096 {
            return;
        }
        if number >= self.arguments.len() {
            self.arguments.resize(number + 1, Argument::default());
        }
        let argument = &mut self.arguments[number];
        argument.present = true;
        match unhex(value.text).filter(|_| !value.quoted) {
            Some(bytes) => argument.bytes.extend_from_slice(&bytes),
            None => argument.bytes.extend_from_slice(value.text.as_bytes()),
        }
    }

    /// What `argc` says.
    pub fn count(&self) -> Option<usize> {
        self.count
    }

    /// Whether an argument that `argc` announces was not read.
    pub fn incomplete(&self) -> bool {
        self.count.is_some_and(|count| self.complete().count() < count)
    }

    /// The arguments up to the first that is missing.
    pub fn complete(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        let limit = self.count.unwrap_or(usize::MAX);
        let arguments = self.arguments.iter().take(limit).take_while(|argument| argument.present);
        arguments.map(|argument| String::from_utf8_lossy(&argument.bytes))
    }
}

/// `12` of `a12` and of `a12[3]`; `None` for `a12_len`.
fn argument_number(key: &str) -> Option<usize> {
    let digits = key.strip_prefix('a')?;
    let digits = digits.split_once('[').map_or(digits, |(digits, _)| digits);
    (!digits.is_empty() && digits.len() <= 7 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}
