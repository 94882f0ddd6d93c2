//! Where the values of usual events go that somebody wants, worked out once: so they are picked out without the document that they would
//! stand in. `document` is its twin, and serves whatever is not usual.

use super::data::Pair;
use super::document::{DATASET, ECS_VERSION};
use super::event::Event;
use super::keys::{COUNT, KEYS, Key};
use super::wishes::{COUNT_OF_ARGUMENTS, Wishes, keys_below};
use crate::json::{Projection, ROOT};
use crate::sources::digits::is_plain;
use crate::sources::writer::timestamp;
use crate::value::Picked;

macro_rules! places {
    ($($variant:ident $text:literal)*) => {
        /// A field of usual events.
        #[derive(Clone, Copy)]
        enum Place {
            $($variant,)*
        }

        const PATHS: &[&str] = &[$($text,)*];
    };
}

places! {
    Timestamp "@timestamp"
    ArgumentCount "auditd.data.argc" MessageType "auditd.message_type" Result "auditd.result" Session "auditd.session"
    Version "ecs.version"
    Action "event.action" Category "event.category" Dataset "event.dataset" Kind "event.kind" Module "event.module"
    Outcome "event.outcome" Sequence "event.sequence" Type "event.type"
    FilePath "file.path"
    Architecture "host.architecture" HostHostname "host.hostname" HostName "host.name"
    Args "process.args" ArgsCount "process.args_count" Executable "process.executable" Name "process.name"
    ParentPid "process.parent.pid" Pid "process.pid" Title "process.title" WorkingDirectory "process.working_directory"
    User "user.id" UserGroup "user.group.id" Effective "user.effective.id" EffectiveGroup "user.effective.group.id"
    Tags "tags"
}

/// Fields that are not taken here: where one of them is wanted, `document` serves.
const OTHERS: [&str; 17] = [
    "auditd.file",
    "auditd.summary",
    "auditd.user",
    "file.device",
    "file.gid",
    "file.group",
    "file.inode",
    "file.mode",
    "file.owner",
    "file.uid",
    "group",
    "related",
    "user.effective.group.name",
    "user.effective.name",
    "user.group.name",
    "user.name",
    "user.target",
];

/// The wanted fields that each value fills.
#[derive(Debug)]
pub(super) struct Places {
    fixed: Vec<Box<[u32]>>,
    /// Those of `auditd.data` and of `auditd.paths`, by key.
    data: ByKey,
    paths: ByKey,
}

#[derive(Debug)]
struct ByKey {
    slots: [Box<[u32]>; COUNT],
    any: bool,
}

impl ByKey {
    /// Those below an object of a document. `None`: a field is among them that no known key fills.
    fn below(object: &str, but: &str, wanted: &Projection) -> Option<Self> {
        let mut slots = [const { Vec::new() }; COUNT];
        let mut any = false;
        for (key, node) in keys_below(object, but, wanted) {
            if key == Key::Other {
                return None;
            }
            slots[key as usize].extend_from_slice(wanted.slots(node));
            any = true;
        }
        Some(Self { slots: slots.map(Vec::into_boxed_slice), any })
    }

    /// Picks values out; whether a key came twice: the document has to say what counts.
    fn pick<'p, 'a: 'p>(&self, pairs: impl Iterator<Item = &'p Pair<'a>>, picked: &mut Picked) -> bool {
        let (mut seen, mut twice) = (0_u128, false);
        for pair in pairs {
            let slots = &self.slots[pair.key as usize];
            if !slots.is_empty() {
                twice |= seen >> pair.key as u32 & 1 == 1;
                seen |= 1 << pair.key as u32;
                picked.text(slots, &pair.value);
            }
        }
        twice
    }
}

// One bit for each key.
const _: () = assert!(KEYS.len() <= u128::BITS as usize);

impl Places {
    /// The places of the wanted fields. `None`: one is wanted that is not taken here.
    pub fn of(wanted: &Projection) -> Option<Self> {
        let find = |path: &str| wanted.find(ROOT, path.as_bytes());
        if OTHERS.into_iter().any(|path| find(path).is_some()) {
            return None;
        }
        let slots = |path: &&str| find(path).map(|entry| wanted.slots(entry.node).into()).unwrap_or_default();
        Some(Self {
            fixed: PATHS.iter().map(slots).collect(),
            data: ByKey::below("auditd.data", COUNT_OF_ARGUMENTS, wanted)?,
            paths: ByKey::below("auditd.paths", "", wanted)?,
        })
    }

    fn slots(&self, place: Place) -> &[u32] {
        &self.fixed[place as usize]
    }

    fn wants(&self, place: Place) -> bool {
        !self.slots(place).is_empty()
    }

    fn maybe(&self, place: Place, text: Option<&str>, picked: &mut Picked) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            picked.text(self.slots(place), text);
        }
    }

    /// Picks the wanted values of an event out; whether the document has to say what counts. `None`: it is no usual event.
    pub fn pick(&self, event: &Event<'_>, wishes: &Wishes, picked: &mut Picked) -> Option<bool> {
        if event.source.is_some() || event.destination.is_some() || event.direction.is_some() {
            return None;
        }
        if self.wants(Place::Timestamp) {
            picked.text(self.slots(Place::Timestamp), &timestamp(event.milliseconds));
        }
        let doubtful = self.audit(event, wishes, picked);
        self.event(event, picked);
        self.process(event, picked);
        self.users(event, picked);
        event.tags.iter().for_each(|tag| picked.text(self.slots(Place::Tags), tag));
        Some(doubtful)
    }

    fn audit(&self, event: &Event<'_>, wishes: &Wishes, picked: &mut Picked) -> bool {
        let mut twice = self.data.any && self.data.pick(event.data.iter().filter(|pair| wishes.is_datum(pair)), picked);
        if let Some(count) = event.arguments.count() {
            self.number(Place::ArgumentCount, count as i64, picked);
        }
        if self.wants(Place::MessageType) {
            picked.text(self.slots(Place::MessageType), &event.kind.to_ascii_lowercase());
        }
        if self.paths.any {
            for path in &event.paths {
                twice |= self.paths.pick(event.path_pairs(path).iter(), picked);
            }
        }
        picked.text(self.slots(Place::Result), event.result);
        self.maybe(Place::Session, event.session.as_deref().filter(|session| *session != "unset"), picked);
        twice
    }

    fn event(&self, event: &Event<'_>, picked: &mut Picked) {
        picked.text(self.slots(Place::Version), ECS_VERSION);
        self.maybe(Place::Action, Some(event.action), picked);
        event.category.iter().for_each(|category| picked.text(self.slots(Place::Category), category));
        picked.text(self.slots(Place::Dataset), DATASET);
        picked.text(self.slots(Place::Kind), "event");
        picked.text(self.slots(Place::Module), "auditd");
        picked.text(self.slots(Place::Outcome), event.outcome());
        self.number(Place::Sequence, event.serial as i64, picked);
        event.types.iter().for_each(|kind| picked.text(self.slots(Place::Type), kind));
        if let Some(file) = event.file.and_then(|at| event.paths.get(at)).filter(|_| self.wants(Place::FilePath)) {
            self.maybe(Place::FilePath, event.of_path(file, Key::Name).map(AsRef::as_ref), picked);
        }
        self.maybe(Place::Architecture, event.datum(Key::Architecture).map(AsRef::as_ref), picked);
        self.maybe(Place::HostHostname, Some(event.node), picked);
        self.maybe(Place::HostName, Some(event.node), picked);
    }

    fn process(&self, event: &Event<'_>, picked: &mut Picked) {
        let datum = |key: Key| event.datum(key).map(AsRef::as_ref);
        event.arguments.complete().for_each(|argument| picked.text(self.slots(Place::Args), &argument));
        let count = event.arguments.number();
        if count > 0 {
            self.number(Place::ArgsCount, count as i64, picked);
        }
        self.maybe(Place::Executable, datum(Key::Executable), picked);
        self.maybe(Place::Name, datum(Key::CommandName), picked);
        self.digits(Place::ParentPid, datum(Key::Parent), picked);
        self.digits(Place::Pid, datum(Key::Process), picked);
        self.maybe(Place::Title, datum(Key::Title), picked);
        self.maybe(Place::WorkingDirectory, datum(Key::Cwd), picked);
    }

    fn users(&self, event: &Event<'_>, picked: &mut Picked) {
        let number = |key: Key| event.id(key).filter(|id| *id != "unset");
        let user = if event.user.set { event.user.id.as_deref() } else { number(Key::User) };
        let effective = if event.effective.set { event.effective.id.as_deref() } else { number(Key::EffectiveUser) };
        self.maybe(Place::User, user, picked);
        self.maybe(Place::UserGroup, event.id(Key::Group), picked);
        self.maybe(Place::Effective, effective, picked);
        self.maybe(Place::EffectiveGroup, event.id(Key::EffectiveGroup), picked);
    }

    fn number(&self, place: Place, number: i64, picked: &mut Picked) {
        picked.integer(self.slots(place), number);
    }

    /// A number for a text of digits, else the text itself.
    fn digits(&self, place: Place, text: Option<&str>, picked: &mut Picked) {
        let Some(text) = text else { return };
        if is_plain(text) {
            return picked.number(self.slots(place), text);
        }
        match text.parse() {
            Ok(number) => self.number(place, number, picked),
            Err(_) => picked.text(self.slots(place), text),
        }
    }
}
