//! Kinds of records: those of one template (and one inside it) with the same common values. What becomes of the other values is worked
//! out once a kind, and a record is then no more than its values.

use super::super::winlog::{Asked, MOVING, Prepared, Record, RecordMapper, Scratch, Stored, System, Values, Wishes};
use super::binxml::{Chunk, Instance, Value};
use super::library::Library;
use super::shape::{Shape, Source, Target};
use super::values::write_value;
use crate::value::Picked;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// Kinds, and pairs of templates, that are remembered: a log has some dozens.
const MOST: usize = 1024;
/// So often a template of a kind may use one value: a record's texts stay a few times as long as the record.
const USES: usize = 8;

/// Where a text comes from.
#[derive(Debug)]
enum Origin {
    /// It is the same in every record.
    Text(Box<str>),
    /// A value of the event's template.
    Outer(u16),
    /// A value of the template inside it.
    Inner(u16),
}

/// What becomes of the values of two templates.
#[derive(Debug)]
struct Pair {
    /// The common values that tell kinds apart.
    telling: Vec<(System, Origin)>,
    /// The common values that each record has its own of, in the order of [`MOVING`].
    moving: [Option<Origin>; MOVING.len()],
    /// The event data.
    data: Vec<(Box<str>, Origin)>,
    /// By the bytes of the telling values; `None`: each record has to be looked at as a whole.
    kinds: HashMap<Box<[u8]>, Option<Prepared>, RandomState>,
    /// The latest of them.
    latest: (Box<[u8]>, Option<Prepared>),
}

/// The kinds of records so far, and room for the record at hand.
#[derive(Debug, Default)]
pub struct Kinds {
    /// By the numbers of the shapes; `None`: such records have to be looked at as a whole.
    pairs: HashMap<(u64, u64), Option<Box<Pair>>, RandomState>,
    /// How many kinds there are in all pairs.
    count: usize,
    instances: Instances,
    key: Vec<u8>,
    scratch: Scratch,
    common: Record,
}

/// The template instances of a record.
#[derive(Debug, Default)]
struct Instances {
    outer: Instance,
    inner: Instance,
}

/// What values are picked with.
pub struct Tools<'t> {
    pub library: &'t mut Library,
    pub mapper: &'t mut RecordMapper,
    pub host_name: Option<&'t str>,
    pub wishes: &'t Arc<Wishes>,
}

impl Kinds {
    /// Adds the wanted values of the record whose binary XML lies at `at`. `false`: nothing was added, and the record has to be looked at
    /// as a whole. `picked_in` tells one collection of picked values from another.
    pub fn pick(
        &mut self,
        chunk: &mut Chunk<'_>,
        (at, size): (usize, usize),
        tools: &mut Tools<'_>,
        picked: &mut Picked,
        picked_in: u64,
    ) -> bool {
        let Some(has_inner) = self.instances.read(chunk, at, size, tools.library) else { return false };
        if self.count > MOST || self.pairs.len() > MOST {
            self.pairs.clear();
            self.count = 0;
        }
        let Self { pairs, count, instances, key, scratch, common } = self;
        let inner = has_inner.then_some(&*instances.inner.shape);
        let shapes = (instances.outer.shape.number, inner.map_or(0, |shape| shape.number));
        let pair = pairs.entry(shapes).or_insert_with(|| Pair::of(&instances.outer.shape, inner, tools.wishes));
        let Some(pair) = pair else { return false };
        let Pair { telling, moving, data, kinds, latest } = &mut **pair;
        let bytes = chunk.bytes();
        key.clear();
        telling.iter().for_each(|(_, origin)| instances.tell(origin, bytes, key));
        if *latest.0 != **key {
            let found = kinds.remove_entry(key.as_slice()).unwrap_or_else(|| {
                *count += 1;
                common.clear();
                for (field, origin) in &*telling {
                    let start = common.mark();
                    instances.write(origin, bytes, common.text());
                    common.set_from(*field, start);
                }
                let names: Vec<&str> = data.iter().map(|(name, _)| &**name).collect();
                (key.as_slice().into(), tools.mapper.prepare(common, &names, tools.host_name, tools.wishes))
            });
            let (key, prepared) = std::mem::replace(latest, found);
            kinds.insert(key, prepared);
        }
        let Some(prepared) = &mut latest.1 else { return false };
        prepared.pick(&OfRecord { instances, bytes, moving, data }, scratch, picked, picked_in);
        true
    }
}

/// The values of a record.
struct OfRecord<'r> {
    instances: &'r Instances,
    /// The chunk's.
    bytes: &'r [u8],
    moving: &'r [Option<Origin>; MOVING.len()],
    data: &'r [(Box<str>, Origin)],
}

impl Values for OfRecord<'_> {
    fn write(&self, asked: Asked, out: &mut String) {
        let origin = match asked {
            Asked::Data(number) => Some(&self.data[number].1),
            Asked::System(field) => {
                let place = MOVING.iter().position(|moving| *moving == field);
                place.and_then(|place| self.moving[place].as_ref())
            }
        };
        if let Some(origin) = origin {
            self.instances.write(origin, self.bytes, out);
        }
    }

    fn stored(&self, number: usize) -> Option<Stored> {
        self.instances.value(&self.data[number].1).map(Value::stored)
    }

    fn bytes(&self, stored: Stored) -> &[u8] {
        let at = stored.at as usize;
        self.bytes.get(at..at + usize::from(stored.size)).unwrap_or_default()
    }
}

impl Instances {
    /// Reads the instances of a record; whether there is an inner one. `None`: it is not that simple.
    fn read(&mut self, chunk: &mut Chunk<'_>, at: usize, size: usize, library: &mut Library) -> Option<bool> {
        if !chunk.instance_at(at, size, false, library, &mut self.outer) {
            return None;
        }
        let mut children = self.outer.children();
        let (first, second) = (children.next(), children.next());
        drop(children);
        if second.is_some() || self.outer.nested() > usize::from(first.is_some()) {
            return None;
        }
        let Some(child) = first else { return Some(false) };
        (chunk.child(child, library, &mut self.inner) && self.inner.nested() == 0).then_some(true)
    }

    fn value(&self, origin: &Origin) -> Option<Value> {
        match origin {
            Origin::Text(_) => None,
            Origin::Outer(number) => self.outer.value(*number),
            Origin::Inner(number) => self.inner.value(*number),
        }
    }

    fn raw<'c>(&self, origin: &Origin, chunk: &'c [u8]) -> Option<(u8, &'c [u8])> {
        self.value(origin)?.raw(chunk)
    }

    /// Appends a value to what tells kinds apart.
    fn tell(&self, origin: &Origin, chunk: &[u8], key: &mut Vec<u8>) {
        // A value that is not there is rendered as an empty one is.
        if let Some((kind, bytes)) = self.raw(origin, chunk) {
            key.extend_from_slice(&[1, kind]);
            key.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
            key.extend_from_slice(bytes);
        } else {
            key.push(0);
        }
    }

    fn write(&self, origin: &Origin, chunk: &[u8], out: &mut String) {
        if let Origin::Text(text) = origin {
            out.push_str(text);
        } else if let Some((kind, bytes)) = self.raw(origin, chunk) {
            write_value(out, kind, bytes);
        }
    }
}

impl Pair {
    /// What becomes of the values of templates of these shapes. `None`: that is not simple.
    fn of(outer: &Shape, inner: Option<&Shape>, wishes: &Wishes) -> Option<Box<Self>> {
        let mut system: Vec<(System, Origin)> = Vec::new();
        let mut data = Vec::new();
        let outer = outer.texts.iter().map(|(target, source)| (target, Origin::of(source, Origin::Outer)));
        let inner = inner.into_iter().flat_map(|shape| &shape.texts);
        for (target, origin) in outer.chain(inner.map(|(target, source)| (target, Origin::of(source, Origin::Inner)))) {
            match target {
                Target::System(field) if wishes.wants_system(*field) => {
                    // Of one that comes twice the last counts.
                    system.retain(|(known, _)| known != field);
                    system.push((*field, origin));
                }
                Target::System(_) => {}
                Target::Data(name) => data.push((name.clone(), origin)),
            }
        }
        let mut moving = [const { None }; MOVING.len()];
        let mut telling = Vec::new();
        for (field, origin) in system {
            match MOVING.iter().position(|moving| *moving == field) {
                Some(place) => moving[place] = Some(origin),
                None => telling.push((field, origin)),
            }
        }
        let has_message = telling.iter().any(|(field, _)| *field == System::Message);
        let origins = || {
            telling
                .iter()
                .map(|(_, origin)| origin)
                .chain(data.iter().map(|(_, origin)| origin))
                .chain(moving.iter().flatten())
        };
        let often = origins().any(|origin| origins().filter(|other| origin.same_value(other)).count() > USES);
        let latest = (Box::default(), None);
        (!has_message && !often).then(|| Box::new(Self { telling, moving, data, kinds: HashMap::default(), latest }))
    }
}

impl Origin {
    fn of(source: &Source, value: fn(u16) -> Self) -> Self {
        match source {
            Source::Text(text) => Self::Text(text.clone()),
            Source::Value(number) => value(*number),
        }
    }

    fn same_value(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Outer(one), Self::Outer(two)) | (Self::Inner(one), Self::Inner(two)) => one == two,
            _ => false,
        }
    }
}
