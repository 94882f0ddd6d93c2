//! The shapes of the templates of chunks before. Each chunk has its templates anew, and a log has few: a template that is the same in all
//! that its tokens come from has the same shape.

use super::binxml::Chunk;
use super::shape::Shape;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of outlines that are remembered.
const MOST: usize = 1 << 20;

/// The shapes so far.
#[derive(Debug, Default)]
pub struct Library {
    /// By whether the template is of children of `Event`, and its outline. `None`: it has no shape.
    known: [HashMap<Box<[u8]>, Option<Arc<Shape>>, RandomState>; 2],
    held: usize,
    numbers: u64,
    outline: Vec<u8>,
}

impl Library {
    /// The shape of a chunk's template, if it can be read and has one.
    pub(super) fn shape(&mut self, chunk: &mut Chunk<'_>, definition: usize, inside_event: bool) -> Option<Arc<Shape>> {
        self.outline.clear();
        if !chunk.outline(definition, &mut self.outline) {
            return None;
        }
        let place = usize::from(inside_event);
        if let Some(shape) = self.known[place].get(self.outline.as_slice()) {
            return shape.clone();
        }
        if self.held > MOST {
            self.known.iter_mut().for_each(HashMap::clear);
            self.held = 0;
        }
        self.numbers = self.numbers.wrapping_add(1);
        let shape =
            chunk.shape(definition, inside_event).map(|shape| Arc::new(Shape { number: self.numbers, ..shape }));
        self.held += self.outline.len();
        self.known[place].insert(self.outline.as_slice().into(), shape.clone());
        shape
    }
}
