//! Streams that may have nothing to read for as long as they like: standard input, a FIFO, a device. Reading happens in a thread of
//! its own, so that whoever asks can be stopped while nothing comes.

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Pieces that may wait to be taken.
const WAITING: usize = 4;
/// How often a reader that waits looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A stream that ends when it is stopped.
pub struct Patient {
    pieces: Receiver<io::Result<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    piece: Vec<u8>,
    at: usize,
}

impl Patient {
    /// Opens a stream, which may wait as well (a FIFO without a writer), and reads it. A thread that still waits when it is no longer
    /// needed ends with the process.
    pub fn new<R, O>(open: O, stop: Arc<AtomicBool>) -> Self
    where
        R: Read,
        O: FnOnce() -> io::Result<R> + Send + 'static,
    {
        let (sender, pieces) = bounded(WAITING);
        thread::spawn(move || {
            let mut stream = match open() {
                Ok(stream) => stream,
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut piece = vec![0; PIECE];
                let got = match stream.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return drop(sender.send(Err(error))),
                    Ok(0) => return,
                    Ok(got) => got,
                };
                piece.truncate(got);
                if sender.send(Ok(piece)).is_err() {
                    return;
                }
            }
        });
        Self { pieces, stop, piece: Vec::new(), at: 0 }
    }
}

impl Read for Patient {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            // What has come already is given even then.
            let patience = if self.stop.load(Ordering::Relaxed) { Duration::ZERO } else { LOOK };
            match self.pieces.recv_timeout(patience) {
                Ok(piece) => {
                    self.piece = piece?;
                    self.at = 0;
                }
                Err(RecvTimeoutError::Timeout) if patience == LOOK => {}
                Err(_) => return Ok(0),
            }
        }
        let got = out.len().min(self.piece.len() - self.at);
        out[..got].copy_from_slice(&self.piece[self.at..self.at + got]);
        self.at += got;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece and then waits.
    struct Slow(bool);

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0 {
                thread::sleep(Duration::from_secs(3600));
            }
            self.0 = true;
            out[..3].copy_from_slice(b"abc");
            Ok(3)
        }
    }

    #[test]
    fn a_stream_that_gives_nothing_can_be_stopped() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut stream = Patient::new(|| Ok(Slow(false)), Arc::clone(&stop));
        let mut text = [0; 8];
        assert_eq!(stream.read(&mut text).unwrap(), 3);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(stream.read(&mut text).unwrap(), 0);
    }

    #[test]
    fn bytes_and_errors_come_through() {
        let mut text = String::new();
        let stop = Arc::new(AtomicBool::new(false));
        Patient::new(|| Ok(io::Cursor::new("x".repeat(3 * PIECE))), Arc::clone(&stop))
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text.len(), 3 * PIECE);
        let mut failing = Patient::new(|| Err::<io::Empty, _>(io::Error::other("gone")), stop);
        assert_eq!(failing.read(&mut [0; 8]).unwrap_err().to_string(), "gone");
    }
}
