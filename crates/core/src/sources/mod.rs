//! Raw telemetry to ECS documents: one module a format. A decoder turns the bytes of one file into JSON documents, each
//! with the place it came from; what the documents mean is not known here.

/// Where in its file a document came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the record (of the line, for line formats), from 1.
    pub record: u64,
    /// Offset of its first byte in the decompressed file.
    pub offset: u64,
}

/// Something wrong with the input: what, and where. The rest of the file is still read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable kind, under which faults are counted (`"truncated record"`).
    pub kind: &'static str,
    /// One line: what was found, and what would be right.
    pub message: String,
    /// Where.
    pub place: Place,
}

/// What a decoder gives its documents and faults to.
pub trait Sink {
    /// One ECS document as one line of JSON (no line break).
    fn document(&mut self, json: &[u8], place: Place);
    /// One fault.
    fn fault(&mut self, fault: Fault);
}

/// Turns the bytes of one file, in pieces of any size, into documents. Memory must stay bounded whatever the input.
pub trait Decoder: Send {
    /// The next piece of the file.
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink);
    /// The end of the file: what is still held back comes out, and what is incomplete becomes a fault.
    fn finish(&mut self, sink: &mut dyn Sink);
}
