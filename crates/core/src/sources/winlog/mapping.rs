//! The mappings of providers to ECS, read from the TOML files of `content/sources/windows` and `linux` that are compiled in. Adding an
//! event or a field changes one of them and nothing here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use serde::Deserialize;

use super::document::{Layout, Slot};

/// The files, in no order that matters.
const FILES: &[&str] = &[
    include_str!("../../../../../src/contraband/content/sources/windows/sysmon.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/security.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/eventlog.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/system.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/msiinstaller.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/powershell.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/powershell_classic.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/appxdeployment.toml"),
    include_str!("../../../../../src/contraband/content/sources/windows/taskscheduler.toml"),
    include_str!("../../../../../src/contraband/content/sources/linux/sysmon.toml"),
];

/// The fields that every document may have, whatever its provider.
const COMMON: &[&str] = &[
    "@timestamp",
    "ecs.version",
    "event.action",
    "event.category",
    "event.code",
    "event.created",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.provider",
    "event.type",
    "host.name",
    "host.os.type",
    "log.level",
    "message",
    "related.hash",
    "related.hosts",
    "related.ip",
    "related.user",
    "user.id",
    "winlog.activity_id",
    "winlog.channel",
    "winlog.computer_name",
    "winlog.event_data",
    "winlog.event_id",
    "winlog.keywords",
    "winlog.opcode",
    "winlog.process.pid",
    "winlog.process.thread.id",
    "winlog.provider_guid",
    "winlog.provider_name",
    "winlog.record_id",
    "winlog.task",
    "winlog.user.domain",
    "winlog.user.identifier",
    "winlog.user.name",
    "winlog.user.type",
    "winlog.user_data",
    "winlog.version",
];

/// The place of a path among those that every document may have; one that is not there does not compile.
pub const fn common(path: &str) -> usize {
    let mut place = 0;
    while place < COMMON.len() {
        if same(COMMON[place].as_bytes(), path.as_bytes()) {
            return place;
        }
        place += 1;
    }
    panic!("the path is not among those that every document may have");
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// How a value becomes a field. The names are those of the TOML files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Text,
    Integer,
    Boolean,
    Ip,
    /// `MD5=…,SHA256=…` below the field; the import hash goes to `….pe.imphash` beside it.
    Hashes,
    /// A path: the field, and name, directory and extension beside it.
    Path,
    /// A path: the field, and the name beside it.
    Executable,
    /// The same with slashes.
    UnixPath,
    /// The same with slashes.
    UnixExecutable,
    /// A command line: the field, and `args` and `args_count` beside it.
    CommandLine,
    /// The same, split as the pipeline for Security 4688 does.
    AuditedCommandLine,
    /// `DOMAIN\name` below the field.
    Account,
    /// The part before `@`.
    AccountName,
    /// A registry path below the field.
    RegistryPath,
    /// Registry data below the field.
    RegistryData,
    /// Sysmon's `QueryResults`, below the field.
    DnsAnswers,
    /// Words: stays in the event data, as a list.
    Words,
    /// Stays in the event data, as what `values` makes of it.
    Replaced,
}

/// The lists below `related`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Related {
    Hash,
    Hosts,
    Ip,
    User,
}

/// One `[[map]]` of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    data: Vec<String>,
    field: Option<String>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    only: Vec<u32>,
    #[serde(default)]
    except: Vec<u32>,
    /// The value stays in the event data too.
    #[serde(default)]
    copy: bool,
    /// Values that become others (`""`: none); a value that is not among them becomes none.
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// A value that is not among `values` stays what it is.
    #[serde(default)]
    others: bool,
    related: Option<Related>,
}

/// The constants of an event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    pub action: Option<String>,
    #[serde(default)]
    pub category: Vec<String>,
    #[serde(default, rename = "type")]
    pub kind: Vec<String>,
    pub outcome: Option<String>,
    pub module: Option<String>,
    /// The names of the event's values in their order, for forms that have the values only.
    #[serde(default)]
    pub data: Vec<String>,
    /// Further fields, all of them text.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
}

/// One `[[expand]]`: a value that holds further named values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expand {
    pub data: String,
    #[serde(default)]
    pub only: Vec<u32>,
    #[serde(default)]
    pub except: Vec<u32>,
}

impl Expand {
    /// Whether it is for this event.
    pub fn applies(&self, event: u32) -> bool {
        (self.only.is_empty() || self.only.contains(&event)) && !self.except.contains(&event)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    providers: Vec<String>,
    module: Option<String>,
    /// `host.os.type`, where it is not Windows.
    os: Option<String>,
    /// The value that is the event's own time.
    time: Option<String>,
    /// Whether the record's user is `user.id`.
    #[serde(default)]
    user: bool,
    /// Values that count as none.
    #[serde(default)]
    empty: Vec<String>,
    /// Values that are in other fields already.
    #[serde(default)]
    drop: Vec<String>,
    #[serde(default)]
    expand: Vec<Expand>,
    #[serde(default)]
    default: Constants,
    #[serde(default)]
    events: BTreeMap<String, Constants>,
    #[serde(default)]
    map: Vec<Line>,
}

/// Hashes the names of values, of which a mapping knows some dozens: nobody gains by names that fall together.
#[derive(Debug, Default)]
pub struct NameHasher(u64);

/// See [`NameHasher`].
pub type Names = BuildHasherDefault<NameHasher>;

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut eights = bytes.chunks_exact(8);
        let rest = eights.by_ref().fold(self.0, |hash, eight| {
            mix(hash, u64::from_le_bytes(eight.try_into().expect("a piece of eight bytes")))
        });
        let last = eights.remainder().iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        self.0 = mix(rest, last ^ (bytes.len() as u64) << 56);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    let wide = u128::from(hash ^ word ^ 0x9E37_79B9_7F4A_7C15) * u128::from(0xD6E8_FEB8_6659_FD93_u64);
    wide as u64 ^ (wide >> 64) as u64
}

/// One way from a value to fields.
#[derive(Debug)]
pub struct Step {
    /// Lower ranks win a field.
    pub rank: u32,
    pub kind: Kind,
    pub only: Vec<u32>,
    pub except: Vec<u32>,
    pub copy: bool,
    pub values: BTreeMap<String, String>,
    pub others: bool,
    pub related: Option<Related>,
    /// The fields that the kind fills, in the order of [`fields_of`].
    pub slots: Vec<Slot>,
}

impl Step {
    /// Whether it is for this event.
    pub fn applies(&self, event: u32) -> bool {
        (self.only.is_empty() || self.only.contains(&event)) && !self.except.contains(&event)
    }
}

/// The mapping of one provider.
#[derive(Debug)]
pub struct Provider {
    pub module: Option<String>,
    pub os: Option<String>,
    pub time: Option<String>,
    pub user: bool,
    pub empty: Vec<String>,
    pub drop: HashSet<String, Names>,
    pub expand: Vec<Expand>,
    pub default: EventConstants,
    pub events: HashMap<u32, EventConstants, foldhash::fast::RandomState>,
    pub steps: HashMap<String, Vec<Step>, Names>,
}

/// [`Constants`] with their slots.
#[derive(Debug, Default)]
pub struct EventConstants {
    pub constants: Constants,
    pub set: Vec<(Slot, String)>,
}

/// All mappings, and the layout of what they write.
#[derive(Debug)]
pub struct Mappings {
    pub layout: Layout,
    pub providers: HashMap<String, std::sync::Arc<Provider>, Names>,
    /// The slots of what every document may have; see [`common`].
    pub common: Vec<Slot>,
}

/// The mappings that are compiled in.
pub static MAPPINGS: LazyLock<Mappings> = LazyLock::new(|| {
    let files =
        FILES.iter().map(|text| toml::from_str(text).expect("the shipped mappings are valid: a test reads them"));
    Mappings::new(files.collect())
});

/// The names of an event's values in their order, as far as its mapping knows them.
pub fn property_names(provider: &str, event: u32) -> &'static [String] {
    let known = MAPPINGS.providers.get(provider).and_then(|provider| provider.events.get(&event));
    known.map_or(&[], |event| &event.constants.data)
}

/// The fields that a line of this kind fills.
fn fields_of(kind: Kind, field: &str) -> Vec<String> {
    let beside = |name: &str| match field.rsplit_once('.') {
        Some((parent, _)) => format!("{parent}.{name}"),
        None => name.to_owned(),
    };
    let below = |names: &[&str]| names.iter().map(|name| format!("{field}.{name}")).collect();
    match kind {
        Kind::Text | Kind::Integer | Kind::Boolean | Kind::Ip | Kind::AccountName => vec![field.to_owned()],
        Kind::Hashes => {
            let mut fields: Vec<String> = below(&["md5", "sha1", "sha256"]);
            fields.push(beside("pe.imphash"));
            fields
        }
        Kind::Path | Kind::UnixPath => vec![field.to_owned(), beside("name"), beside("directory"), beside("extension")],
        Kind::Executable | Kind::UnixExecutable => vec![field.to_owned(), beside("name")],
        Kind::CommandLine | Kind::AuditedCommandLine => vec![field.to_owned(), beside("args"), beside("args_count")],
        Kind::Account => below(&["domain", "name"]),
        Kind::RegistryPath => below(&["path", "hive", "key", "value"]),
        Kind::RegistryData => below(&["strings", "type"]),
        Kind::DnsAnswers => below(&["answers", "resolved_ip"]),
        Kind::Words | Kind::Replaced => Vec::new(),
    }
}

impl Mappings {
    fn new(files: Vec<File>) -> Self {
        let mut paths: BTreeSet<String> = COMMON.iter().map(|&path| path.to_owned()).collect();
        for file in &files {
            for line in &file.map {
                paths.extend(line.field.iter().flat_map(|field| fields_of(line.kind, field)));
            }
            let constants = file.events.values().chain([&file.default]);
            paths.extend(constants.flat_map(|constants| constants.set.keys().cloned()));
        }
        let layout = Layout::new(&paths);
        let common = COMMON.iter().map(|&path| layout.slot(path)).collect();
        let mut providers = HashMap::default();
        for file in files {
            let names = file.providers.clone();
            let provider = std::sync::Arc::new(Provider::new(file, &layout));
            providers.extend(names.into_iter().map(|name| (name, std::sync::Arc::clone(&provider))));
        }
        Self { layout, providers, common }
    }
}

impl Provider {
    fn new(file: File, layout: &Layout) -> Self {
        let constants = |constants: Constants| EventConstants {
            set: constants.set.iter().map(|(path, value)| (layout.slot(path), value.clone())).collect(),
            constants,
        };
        let mut steps: HashMap<String, Vec<Step>, Names> = HashMap::default();
        let mut rank = 0;
        for line in file.map {
            for name in &line.data {
                rank += 1;
                let fields = line.field.iter().flat_map(|field| fields_of(line.kind, field));
                steps.entry(name.clone()).or_default().push(Step {
                    rank,
                    kind: line.kind,
                    only: line.only.clone(),
                    except: line.except.clone(),
                    copy: line.copy,
                    values: line.values.clone(),
                    others: line.others,
                    related: line.related,
                    slots: fields.map(|field| layout.slot(&field)).collect(),
                });
            }
        }
        Self {
            module: file.module,
            os: file.os,
            time: file.time,
            user: file.user,
            empty: file.empty,
            drop: file.drop.into_iter().collect(),
            expand: file.expand,
            default: constants(file.default),
            events: file
                .events
                .into_iter()
                .map(|(code, event)| (code.parse().expect("an event's key is its number"), constants(event)))
                .collect(),
            steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_mappings_are_valid() {
        assert_eq!(MAPPINGS.layout.conflict(), None);
        assert!(MAPPINGS.providers.contains_key("Microsoft-Windows-Sysmon"));
    }
}
