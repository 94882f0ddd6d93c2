//! Which parts of a record's document somebody looks at before it is written. It knows neither records nor values.

use super::document::Slot;
use super::mapping::MAPPINGS;
use super::record::{SYSTEM, System};
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
    /// The common values of a record that come to something that is wanted.
    system: [bool; SYSTEM.len()],
}

/// The fields that a common value of a record decides. `None`: it decides how the record is read at all.
fn fields_of(field: System) -> Option<&'static [&'static str]> {
    Some(match field {
        System::Provider | System::EventId | System::Time | System::UserDataName => return None,
        System::ProviderGuid => &["winlog.provider_guid"],
        System::Version => &["winlog.version"],
        System::Level => &["log.level"],
        System::Task | System::LevelName => &[],
        System::Opcode | System::OpcodeName => &["winlog.opcode"],
        System::Keywords => &["event.outcome", "winlog.keywords"],
        System::RecordId => &["winlog.record_id"],
        System::ProcessId => &["winlog.process.pid"],
        System::ThreadId => &["winlog.process.thread.id"],
        System::Channel => &["winlog.channel", "event.outcome", "winlog.keywords"],
        System::Computer => &["host.name", "winlog.computer_name"],
        System::UserId => &["user.id", "winlog.user"],
        System::ActivityId => &["winlog.activity_id"],
        System::Message => &["message"],
        System::TaskName => &["event.action", "winlog.task"],
    })
}

impl Wishes {
    /// What a projection wants.
    pub fn new(projection: Arc<Projection>) -> Self {
        let node = |path: &str| projection.find(ROOT, path.as_bytes()).map(|entry| entry.node);
        let nodes: Vec<Option<Node>> = MAPPINGS.layout.paths().map(|path| node(&path)).collect();
        let related = node("related").is_some();
        let data = ["winlog.event_data", "winlog.user_data"].map(node);
        let decides = |field| fields_of(field).is_none_or(|fields| fields.iter().any(|path| node(path).is_some()));
        let system = SYSTEM.map(decides);
        Self { projection, nodes, related, data, system }
    }

    /// Where a slot's value leads, if anything in it is wanted.
    pub fn node(&self, slot: Slot) -> Option<Node> {
        self.nodes.get(slot).copied().flatten()
    }

    /// Whether a slot's value is looked at.
    pub fn wants(&self, slot: Slot) -> bool {
        self.node(slot).is_some()
    }

    /// Whether a common value of a record comes to something that is looked at.
    pub fn wants_system(&self, field: System) -> bool {
        self.system[field as usize]
    }

    /// The wanted fields that a slot's value is.
    pub fn fields(&self, slot: Slot) -> &[u32] {
        self.node(slot).map_or(&[], |node| self.projection.slots(node))
    }

    /// The wanted fields that a named value of the event data is, or of the user data.
    pub fn data_fields(&self, name: &str, user_data: bool) -> &[u32] {
        let entry = self.data[usize::from(user_data)].and_then(|node| self.projection.find(node, name.as_bytes()));
        entry.map_or(&[], |entry| self.projection.slots(entry.node))
    }

    /// Whether a named value of the event data is looked at.
    pub fn wants_data(&self, name: &str) -> bool {
        self.data.iter().flatten().any(|node| self.projection.find(*node, name.as_bytes()).is_some())
    }
}
