//! Which parts of an event somebody looks at before its document is written. It knows neither records nor values.

use super::data::Pair;
use super::keys::{COUNT, KEYS, Key};
use crate::json::{Node, Projection, ROOT};

/// The keys of a kind of record that come to something that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeySet([bool; COUNT]);

impl KeySet {
    /// Every key.
    pub const ALL: Self = Self([true; COUNT]);

    /// These keys, those that a check allows, and those that are known by name only: they are rare.
    fn which(always: &[Key], or: impl Fn(Key) -> bool) -> Self {
        let mut all = [false; COUNT];
        for key in KEYS {
            all[*key as usize] = *key == Key::Other || always.contains(key) || or(*key);
        }
        Self(all)
    }

    /// These without those that are known by name only.
    fn known(mut self) -> Self {
        self.0[Key::Other as usize] = false;
        self
    }

    /// Whether a key is among them.
    #[inline]
    pub fn have(&self, key: Key) -> bool {
        self.0[key as usize]
    }
}

/// The wanted parts of an event.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// The keys of SYSCALL records and those about the whole process.
    pub system_call: KeySet,
    /// The keys of PATH records.
    pub path: KeySet,
    /// The keys of `BPRM_FCAPS` records, most of which only stand for themselves: a program that is started brings a dozen.
    pub capabilities: KeySet,
    /// The keys of `auditd.data` and of `auditd.paths`.
    pub data: KeySet,
    pub pairs: KeySet,
    /// Whether every PATH record is read, or only those that decide which file an event is about.
    pub paths: bool,
    /// Whether names of users and groups are wanted.
    pub names: bool,
    /// Whether owner and group of a file are wanted by name.
    pub owners: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        let all = KeySet::ALL;
        let (system_call, path, capabilities, data, pairs) = (all, all, all, all, all);
        Self { system_call, path, capabilities, data, pairs, paths: true, names: true, owners: true }
    }
}

impl Wishes {
    /// What a projection wants.
    pub fn of(wanted: &Projection) -> Self {
        let wants = |path: &str| wanted.find(ROOT, path.as_bytes()).is_some();
        let below = |object: &str, key: Key| wants(&format!("{object}.{}", key.text()));
        let data = KeySet::which(&[], |key| below("auditd.data", key));
        let pairs = KeySet::which(&[], |key| below("auditd.paths", key));
        let names = NAMES.into_iter().any(wants);
        let system_call = system_call(wants, &data, names);
        // A value of `auditd.data` may be wanted whose key is known by name only.
        let own = wants("auditd.summary")
            || keys_below("auditd.data", COUNT_OF_ARGUMENTS, wanted).any(|(key, _)| key == Key::Other);
        Self {
            system_call,
            capabilities: if own { system_call } else { system_call.known() },
            path: path(wants, &pairs),
            data,
            pairs,
            paths: wants("auditd.paths"),
            names,
            owners: wants("file.owner") || wants("file.group"),
        }
    }

    /// Whether a pair stands in `auditd.data`, and is wanted there.
    pub fn is_datum(&self, pair: &Pair<'_>) -> bool {
        self.data.have(pair.key) && !is_elsewhere(pair.key) && !pair.is_socket()
    }
}

/// Whether a key has a place of its own outside `auditd.data`.
fn is_elsewhere(key: Key) -> bool {
    matches!(key, Key::Process | Key::Parent | Key::Title | Key::CommandName | Key::Executable | Key::Cwd)
}

/// What `auditd.data` has beside the pairs of records.
pub(super) const COUNT_OF_ARGUMENTS: &str = "argc";

/// The keys below an object of a document that are wanted, and where each leads, but for one name, which is no pair's.
pub(super) fn keys_below(object: &str, but: &str, wanted: &Projection) -> impl Iterator<Item = (Key, Node)> {
    let below = wanted.find(ROOT, object.as_bytes()).into_iter().flat_map(|entry| wanted.below(entry.node));
    let below = below.filter(|(name, _)| *name != but.as_bytes());
    below.map(|(name, node)| (std::str::from_utf8(name).map_or(Key::Other, Key::of), node))
}

/// What needs the name of a user or group.
const NAMES: [&str; 9] = [
    "auditd.summary",
    "auditd.user",
    "group.name",
    "related",
    "user.effective.group.name",
    "user.effective.name",
    "user.group.name",
    "user.name",
    "user.target.name",
];

/// The numbers of users and groups that ECS has a place for, and where.
const NUMBERS: [(Key, &str); 4] = [
    (Key::User, "user.id"),
    (Key::Group, "user.group.id"),
    (Key::EffectiveUser, "user.effective.id"),
    (Key::EffectiveGroup, "user.effective.group.id"),
];

fn system_call(wants: impl Fn(&str) -> bool, data: &KeySet, names: bool) -> KeySet {
    // These say what the event is at all, or whose it is.
    const ALWAYS: &[Key] = &[
        Key::Architecture,
        Key::CommandName,
        Key::Cwd,
        Key::Executable,
        Key::Message,
        Key::Parent,
        Key::Process,
        Key::Result,
        Key::RuleKeys,
        Key::Success,
        Key::SystemCall,
    ];
    if wants("auditd.summary") {
        return KeySet::ALL;
    }
    let number = |key: Key| NUMBERS.into_iter().any(|(number, path)| number == key && wants(path));
    KeySet::which(ALWAYS, |key| match key {
        Key::Session => wants("auditd.session"),
        Key::Title => wants("process.title"),
        Key::Subject => wants("auditd.user"),
        // Taken apart, it gives five keys.
        Key::Object => true,
        // The kernel writes none, and they have another name in documents.
        key if key.text().starts_with("socket_") => true,
        key => data.have(key) || number(key) || names && key.is_id(key.text()),
    })
}

fn path(wants: impl Fn(&str) -> bool, pairs: &KeySet) -> KeySet {
    const ALWAYS: &[Key] = &[Key::Message, Key::Name, Key::NameType];
    const FILE: [&str; 7] =
        ["file.device", "file.gid", "file.group", "file.inode", "file.mode", "file.owner", "file.uid"];
    if wants("auditd.summary") || wants("auditd.file") || FILE.into_iter().any(wants) {
        return KeySet::ALL;
    }
    KeySet::which(ALWAYS, |key| key == Key::Object || pairs.have(key))
}
