//! What readers give in tests.

use crate::sources::{Fault, Place, Sink};

/// Documents with their record's number and place, and faults by kind and place.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub documents: Vec<(String, u64, u64)>,
    pub faults: Vec<(&'static str, u64)>,
}

impl Sink for Kept {
    fn document(&mut self, json: &[u8], place: Place) {
        self.documents.push((String::from_utf8(json.to_vec()).unwrap(), place.record, place.offset));
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.push((fault.kind, fault.place.offset));
    }
}
