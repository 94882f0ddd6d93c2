//! What becomes of the values of events of one kind, worked out once: the values that all its records have are fields already, and each
//! of the others has its way. Records of the kind then give their wanted values without a document between. What it gives is what
//! [`RecordMapper::pick`](super::RecordMapper::pick) gives; it has no words of its own for what a mapping does.

use super::convert;
use super::document::{Content, Document, Slot};
use super::mapper::{COMMON, FIXED, event_id};
use super::mapping::{self, MAPPINGS, Provider, Related, common};
use super::routes::{self, Route};
use super::steps::{self, Fields};
use super::wishes::Wishes;
use super::{Record, System};
use crate::sources::digits::signed;
use crate::value::{Extent, Picked};
use std::collections::HashSet;
use std::sync::Arc;

/// The common values that are other ones in each record, or in most: a kind is worked out without them.
pub const MOVING: [System; 5] =
    [System::Time, System::RecordId, System::ActivityId, System::ProcessId, System::ThreadId];

/// What a kind asks its records for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// One of the common values that move.
    System(System),
    /// The value of the event data with this number.
    Data(usize),
}

/// Where a value is stored, and its type. Only who gives the values knows what that means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub kind: u8,
    pub at: u32,
    pub size: u16,
}

/// The values of a record of a kind.
pub trait Values {
    /// Appends the text of a value.
    fn write(&self, asked: Asked, out: &mut String);
    /// Where the value of the event data with this number is stored, if it is one of the record's own.
    fn stored(&self, number: usize) -> Option<Stored>;
    /// The bytes of a value of this record, or of one before whose values were picked into the same collection. Those of one type and the same
    /// bytes have the same text.
    fn bytes(&self, stored: Stored) -> &[u8];
}

/// Texts for the record at hand, used again for each.
#[derive(Debug, Default)]
pub struct Scratch {
    value: String,
    buffer: String,
    numeral: String,
    own_time: String,
    /// The values of fields for which several compete.
    rivals: Document,
}

/// How the records of one kind become wanted values.
#[derive(Debug)]
pub struct Prepared {
    wishes: Arc<Wishes>,
    provider: Option<&'static Provider>,
    /// What all records have, by the fields that it is: texts, and numbers and booleans.
    texts: Vec<(Box<[u32]>, Box<str>)>,
    literals: Vec<(Box<[u32]>, Box<str>)>,
    /// The same for slots for which others compete, with their ranks.
    rivals: Vec<(Slot, u32, Vec<Box<str>>)>,
    /// Whether several compete for a slot.
    contested: Box<[bool]>,
    competes: bool,
    /// The common values that move and that somebody looks at.
    moving: Vec<(System, Slot, bool)>,
    /// Of the event data, in the order of their names.
    ways: Vec<Way>,
    /// Where what all records have is among the values that were picked out last, and which these are.
    fixed: Extent,
    fixed_in: u64,
}

/// The way of one of the event data.
#[derive(Debug)]
struct Way {
    number: usize,
    route: Route,
    /// Whether it is the event's own time.
    is_time: bool,
    /// The wanted fields that it is if it stays event data.
    stays: Box<[u32]>,
    /// Whether what becomes of a value is decided by it alone: then it is the same for the same value.
    alone: bool,
    /// Values of records before.
    known: [Known; KNOWN],
}

/// How many values of records before are remembered of each of the event data.
const KNOWN: usize = 8;

/// A value of a record before, and what it became.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    picked_in: u64,
    stored: Stored,
    values: Extent,
}

impl Prepared {
    /// Prepares a kind from the document that its common values make.
    pub(super) fn new(document: &Document, record: &Record, names: &[&str], wishes: &Arc<Wishes>) -> Option<Self> {
        let event = event_id(record);
        let provider = routes::provider(record.get(System::Provider));
        let root = record.get(System::UserDataName);
        let unique = names.iter().collect::<HashSet<_>>().len() == names.len();
        let expands = provider.is_some_and(|provider| provider.expand.iter().any(|expand| expand.applies(event)));
        if wishes.related || expands || !unique || !root.is_empty() && names.contains(&"xml_name") {
            return None;
        }
        let ways: Vec<Way> = names
            .iter()
            .enumerate()
            .filter_map(|(number, name)| Way::new(number, name, provider, event, root, wishes))
            .collect();
        let timestamp = MAPPINGS.common[const { common("@timestamp") }];
        let steps = || ways.iter().flat_map(|way| &way.route.steps);
        let has_objects = |step: &mapping::Step| step.slots.first().is_some_and(|answers| wishes.wants(*answers));
        if steps().any(|step| step.slots.contains(&timestamp))
            || steps().any(|step| step.kind == mapping::Kind::DnsAnswers && has_objects(step))
        {
            return None;
        }
        let moving = moving(provider);
        let contested = contested(document, &moving, &ways);
        let mut prepared = Self {
            wishes: Arc::clone(wishes),
            provider,
            texts: Vec::new(),
            literals: Vec::new(),
            rivals: Vec::new(),
            competes: contested.contains(&true),
            moving: moving.into_iter().filter(|(_, slot, _)| contested[*slot] || wishes.wants(*slot)).collect(),
            ways: ways.into_iter().map(|way| way.with_rivals(&contested)).collect(),
            contested,
            fixed: Extent::default(),
            fixed_in: 0,
        };
        if !root.is_empty() {
            prepared.texts.push((wishes.data_fields("xml_name", true).into(), root.into()));
        }
        prepared.take_fixed(document).then_some(prepared)
    }

    /// Takes what the document of the common values has. `false`: there is something that is neither text nor number.
    fn take_fixed(&mut self, document: &Document) -> bool {
        let mut simple = true;
        let data = [const { common("winlog.event_data") }, const { common("winlog.user_data") }];
        let is_data = |slot| data.iter().any(|path| MAPPINGS.common[*path] == slot);
        let ranked = document.filled().filter(|(slot, _)| self.contested[*slot] && !is_data(*slot));
        self.rivals = ranked.map(|(slot, rank)| (slot, rank, Vec::new())).collect();
        document.each(|slot, content| {
            let fields: Box<[u32]> = self.wishes.fields(slot).into();
            let rival = self.rivals.iter_mut().find(|(rival, ..)| *rival == slot);
            match (content, rival) {
                (Content::Text(text), Some((.., texts))) => texts.push(text.into()),
                (Content::Text(text), None) => self.texts.push((fields, text.into())),
                (Content::Literal(text), None) => self.literals.push((fields, text.into())),
                // The name below the user data, which is there already.
                (Content::Json(_), None) if is_data(slot) => {}
                _ => simple = false,
            }
        });
        self.texts.retain(|(fields, _)| !fields.is_empty());
        self.literals.retain(|(fields, _)| !fields.is_empty());
        simple
    }

    /// Adds the wanted values of a record of this kind. `picked_in` tells one collection of picked values from another, and is not 0.
    pub fn pick(&mut self, values: &impl Values, scratch: &mut Scratch, picked: &mut Picked, picked_in: u64) {
        self.pick_fixed(picked, picked_in);
        let Scratch { value, buffer, numeral, own_time, rivals } = scratch;
        if self.competes {
            rivals.clear(&MAPPINGS.layout, Some(Arc::clone(&self.wishes)));
            for (slot, rank, texts) in &self.rivals {
                rivals.each_text(*slot, *rank, |take| texts.iter().for_each(|text| take(text)));
            }
        }
        let (wishes, contested) = (&*self.wishes, &*self.contested);
        let mut out = Direct { picked, wishes, contested, rivals, numeral, stays: &[] };
        own_time.clear();
        for way in &mut self.ways {
            let stored = values.stored(way.number).filter(|_| way.alone);
            let mark = out.picked.mark();
            let mut place = None;
            if let Some(stored) = stored {
                let bytes = values.bytes(stored);
                let known = &mut way.known[place_of(bytes)];
                if known.picked_in == picked_in
                    && known.stored.kind == stored.kind
                    && values.bytes(known.stored) == bytes
                {
                    out.picked.repeat(known.values);
                    continue;
                }
                place = Some(known);
            }
            value.clear();
            values.write(Asked::Data(way.number), value);
            if way.is_time {
                convert::push_utc_time(value, own_time);
            }
            if let Some(text) = steps::meaning(self.provider, value) {
                out.stays = &way.stays;
                steps::take(&mut out, buffer, &way.route, "", &text);
            }
            if let Some((known, stored)) = place.zip(stored) {
                *known = Known { picked_in, stored, values: out.picked.since(mark) };
            }
        }
        let timestamp = MAPPINGS.common[const { common("@timestamp") }];
        for (field, slot, is_number) in &self.moving {
            // The record's own time is only looked at where the event has none.
            if !own_time.is_empty() && *slot == timestamp && !contested[timestamp] {
                continue;
            }
            value.clear();
            values.write(Asked::System(*field), value);
            if *is_number {
                convert::integer(value).map(|number| out.number(*slot, COMMON, number));
            } else {
                out.put(*slot, COMMON, value, None);
            }
        }
        out.put(timestamp, FIXED, own_time, None);
        if self.competes {
            pick_rivals(rivals, &self.wishes, picked);
        }
    }

    fn pick_fixed(&mut self, picked: &mut Picked, picked_in: u64) {
        if self.fixed_in == picked_in {
            return picked.repeat(self.fixed);
        }
        let mark = picked.mark();
        self.texts.iter().for_each(|(fields, text)| picked.text(fields, text));
        for (fields, text) in &self.literals {
            picked.literal(fields, text);
        }
        (self.fixed, self.fixed_in) = (picked.since(mark), picked_in);
    }
}

impl Way {
    /// `None`: nobody looks at what becomes of the value.
    fn new(
        number: usize,
        name: &str,
        provider: Option<&'static Provider>,
        event: u32,
        root: &str,
        wishes: &Wishes,
    ) -> Option<Self> {
        let route = Route::new(name, provider, event, Some(wishes));
        let is_time = provider.is_some_and(|provider| provider.time.as_deref() == Some(name));
        let stays = wishes.data_fields(name, !root.is_empty()).into();
        let known = [Known::default(); KNOWN];
        route.wanted.then_some(Self { number, route, is_time, stays, alone: !is_time, known })
    }

    /// The same where several compete for some slots.
    fn with_rivals(mut self, contested: &[bool]) -> Self {
        self.alone &= !self.route.steps.iter().flat_map(|step| &step.slots).any(|slot| contested[*slot]);
        self
    }
}

/// Where a value is remembered: by its size and its end, where paths and identities differ.
fn place_of(bytes: &[u8]) -> usize {
    let end = match bytes.last_chunk() {
        Some(end) => u128::from_le_bytes(*end),
        None => bytes.iter().fold(0, |all, byte| all << 8 | u128::from(*byte)),
    };
    let mixed =
        (end as u64 ^ ((end >> 64) as u64).rotate_left(29) ^ bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as usize % KNOWN
}

/// The common values that move: the slot of each, and whether it is a number.
fn moving(provider: Option<&Provider>) -> Vec<(System, Slot, bool)> {
    let own_time = provider.is_some_and(|provider| provider.time.is_some());
    let slot = |path: usize| MAPPINGS.common[path];
    let mut all = vec![
        (System::Time, slot(const { common("@timestamp") }), false),
        (System::RecordId, slot(const { common("winlog.record_id") }), false),
        (System::ActivityId, slot(const { common("winlog.activity_id") }), false),
        (System::ProcessId, slot(const { common("winlog.process.pid") }), true),
        (System::ThreadId, slot(const { common("winlog.process.thread.id") }), true),
    ];
    if own_time {
        all.push((System::Time, slot(const { common("event.created") }), false));
    }
    all
}

/// For which slots several values compete. The event's own time and the record's are one here: the former always wins.
fn contested(document: &Document, moving: &[(System, Slot, bool)], ways: &[Way]) -> Box<[bool]> {
    let mut writers = vec![0_u8; MAPPINGS.layout.paths().count()];
    let mut write = |slot: Slot| writers[slot] = writers[slot].saturating_add(1);
    document.filled().for_each(|(slot, _)| write(slot));
    moving.iter().for_each(|(_, slot, _)| write(*slot));
    for step in ways.iter().flat_map(|way| &way.route.steps) {
        step.slots.iter().for_each(|slot| write(*slot));
    }
    writers.into_iter().map(|times| times > 1).collect()
}

fn pick_rivals(rivals: &Document, wishes: &Wishes, picked: &mut Picked) {
    rivals.each(|slot, content| {
        let fields = wishes.fields(slot);
        match content {
            Content::Text(text) => picked.text(fields, text),
            Content::Literal(text) => {
                picked.literal(fields, text);
            }
            Content::Json(_) => {}
        }
    });
}

/// Picks out what steps fill; what several compete for goes to a document first.
struct Direct<'p> {
    picked: &'p mut Picked,
    wishes: &'p Wishes,
    contested: &'p [bool],
    rivals: &'p mut Document,
    numeral: &'p mut String,
    /// The fields that the value at hand is if it stays event data; none any more once it did.
    stays: &'p [u32],
}

impl Fields for Direct<'_> {
    fn text(&mut self, slot: Slot, rank: u32, text: &str) -> bool {
        if self.contested[slot] {
            return self.rivals.text(slot, rank, text);
        }
        self.picked.text(self.wishes.fields(slot), text);
        true
    }

    fn number(&mut self, slot: Slot, rank: u32, number: i64) -> bool {
        if self.contested[slot] {
            return self.rivals.number(slot, rank, number);
        }
        let fields = self.wishes.fields(slot);
        if !fields.is_empty() {
            self.numeral.clear();
            signed(self.numeral, number);
            self.picked.number(fields, self.numeral);
        }
        true
    }

    fn boolean(&mut self, slot: Slot, rank: u32, value: bool) -> bool {
        if self.contested[slot] {
            return self.rivals.boolean(slot, rank, value);
        }
        self.picked.literal(self.wishes.fields(slot), if value { "true" } else { "false" });
        true
    }

    fn each_text(&mut self, slot: Slot, rank: u32, give: impl FnOnce(&mut dyn FnMut(&str))) -> bool {
        if self.contested[slot] {
            return self.rivals.each_text(slot, rank, give);
        }
        let fields = self.wishes.fields(slot);
        if !fields.is_empty() {
            give(&mut |text| self.picked.text(fields, text));
        }
        true
    }

    fn json(&mut self, slot: Slot, rank: u32, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        // Kinds with objects that somebody looks at are not prepared.
        !self.contested[slot] || self.rivals.json(slot, rank, write)
    }

    fn wants(&self, slot: Slot) -> bool {
        self.wishes.wants(slot)
    }

    fn relate(&mut self, _: Related, _: &str) {}

    fn stay(&mut self, _: &str, value: &str) {
        self.picked.text(std::mem::take(&mut self.stays), value);
    }

    fn stay_words(&mut self, _: &str, value: &str) {
        let fields = std::mem::take(&mut self.stays);
        value.split_whitespace().for_each(|word| self.picked.text(fields, word));
    }
}
