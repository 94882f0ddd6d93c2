//! The fields that the process table adds to documents, by number: where each leads is looked up once, not for each record. It knows
//! no values.

use crate::json::{Projection, ROOT};

macro_rules! additions {
    ($($variant:ident $text:literal)*) => {
        /// A field that is added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Addition {
            $($variant,)*
        }

        const NAMES: &[&str] = &[$($text,)*];
    };
}

additions! {
    HostId "host.id" HostName "host.name" OsType "host.os.type"
    CommandLine "process.command_line" EntityId "process.entity_id"
    ParentName "process.parent.name" ParentExecutable "process.parent.executable" ParentArgs "process.parent.args"
    ParentCommandLine "process.parent.command_line" ParentEntity "process.parent.entity_id"
    EffectiveParentName "process.Ext.effective_parent.name"
    EffectiveParentExecutable "process.Ext.effective_parent.executable"
    Ancestry "process.Ext.ancestry" Ancestors "contraband.process.ancestors"
    Installation "contraband.installation.process"
    List "contraband.added"
}

impl Addition {
    /// As documents have it.
    pub const fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// The wanted fields that each addition fills.
#[derive(Clone, Debug)]
pub(super) struct Slots(Vec<Box<[u32]>>);

impl Slots {
    /// Those of a projection.
    pub fn of(wanted: &Projection) -> Self {
        let slots = |name: &&str| match wanted.find(ROOT, name.as_bytes()) {
            Some(entry) => wanted.slots(entry.node).into(),
            None => Box::default(),
        };
        Self(NAMES.iter().map(slots).collect())
    }

    /// The numbers of the fields.
    #[inline]
    pub fn get(&self, addition: Addition) -> &[u32] {
        &self.0[addition as usize]
    }
}
