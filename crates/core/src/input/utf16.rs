//! UTF-16 to UTF-8 while reading, as PowerShell's files need it.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding};

const PIECE: usize = 64 * 1024;

/// Reads UTF-16 as UTF-8; what is no UTF-16 becomes U+FFFD.
pub struct Utf16Reader<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    used: usize,
    ended: bool,
    /// The decoder has been told of the end, and must not be asked again.
    finished: bool,
}

impl<R: Read> Utf16Reader<R> {
    /// `encoding` is UTF-16, little or big endian.
    pub fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            used: 0,
            ended: false,
            finished: false,
        }
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.len() < 4 {
            // The decoder writes whole characters only.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "UTF-16 is read in pieces of at least four bytes"));
        }
        if self.finished {
            return Ok(0);
        }
        loop {
            if self.used == self.raw.len() && !self.ended {
                self.raw.resize(PIECE, 0);
                let got = self.inner.read(&mut self.raw)?;
                self.raw.truncate(got);
                self.used = 0;
                self.ended = got == 0;
            }
            let (result, read, written, _) = self.decoder.decode_to_utf8(&self.raw[self.used..], out, self.ended);
            self.used += read;
            self.finished = self.ended && result == CoderResult::InputEmpty;
            if written > 0 || self.finished {
                return Ok(written);
            }
        }
    }
}
