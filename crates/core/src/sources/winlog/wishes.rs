//! Which parts of a record's document somebody looks at before it is written. It knows neither records nor values.

use super::document::Slot;
use super::mapping::MAPPINGS;
use crate::json::{Node, Projection, ROOT};
use std::sync::Arc;

/// The wanted fields of the documents that the mappings make.
#[derive(Debug)]
pub struct Wishes {
    pub projection: Arc<Projection>,
    /// Where each slot's value leads, if anything in it is wanted.
    nodes: Vec<Option<Node>>,
    /// Whether any list below `related` is wanted.
    pub related: bool,
    /// Where the event data lie, under both of their names.
    data: [Option<Node>; 2],
}

impl Wishes {
    /// What a projection wants.
    pub fn new(projection: Arc<Projection>) -> Self {
        let node = |path: &str| projection.find(ROOT, path.as_bytes()).map(|entry| entry.node);
        let nodes: Vec<Option<Node>> = MAPPINGS.layout.paths().map(|path| node(&path)).collect();
        let related = node("related").is_some();
        let data = ["winlog.event_data", "winlog.user_data"].map(node);
        Self { projection, nodes, related, data }
    }

    /// Where a slot's value leads, if anything in it is wanted.
    pub fn node(&self, slot: Slot) -> Option<Node> {
        self.nodes.get(slot).copied().flatten()
    }

    /// Whether a slot's value is looked at.
    pub fn wants(&self, slot: Slot) -> bool {
        self.node(slot).is_some()
    }

    /// Whether a named value of the event data is looked at.
    pub fn wants_data(&self, name: &str) -> bool {
        self.data.iter().flatten().any(|node| self.projection.find(*node, name.as_bytes()).is_some())
    }
}
