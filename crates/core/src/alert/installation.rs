//! Which installation an alert belongs to: one run of one package's scripts on one host. The only place that decides it.
//!
//! An alert tells of its ancestors what the sensor or the process table told. Surest is the topmost installer among them, which the
//! process table knows, or of which a Linux sensor tells as leader of a session or group; then the package that the scripts' paths and
//! the command lines name; then the parent process.

use super::identity::named_uuid;
use super::package::package;
use crate::enrich::installs;
use crate::json::write_string;
use crate::value::{Event, Raw};

/// Namespace of installations' UUIDs (a random one, fixed for good).
const NAMESPACE: [u8; 16] =
    [0x0f, 0x2b, 0xd4, 0xc7, 0x8a, 0x45, 0x4c, 0x86, 0x9a, 0x8e, 0xf1, 0xa4, 0xd5, 0xb3, 0x15, 0x46];

/// The fields that are read, in the order of [`Field`].
const PATHS: [&str; 26] = [
    "contraband.installation.id",
    "contraband.installation.process",
    "host.id",
    "host.name",
    "host.boot.id",
    "process.parent.command_line",
    "process.parent.args",
    "process.command_line",
    "process.args",
    "process.parent.executable",
    "process.working_directory",
    "process.parent.entity_id",
    "process.entity_id",
    "process.parent.name",
    "process.name",
    "process.parent.pid",
    "process.pid",
    "process.entry_leader.entity_id",
    "process.entry_leader.name",
    "process.entry_leader.executable",
    "process.session_leader.entity_id",
    "process.session_leader.name",
    "process.session_leader.executable",
    "process.group_leader.entity_id",
    "process.group_leader.name",
    "process.group_leader.executable",
];

#[derive(Clone, Copy)]
enum Field {
    Recorded,
    Process,
    HostId,
    HostName,
    Boot,
    ParentCommandLine,
    ParentArgs,
    CommandLine,
    Args,
    ParentExecutable,
    WorkingDirectory,
    ParentEntity,
    Entity,
    ParentName,
    Name,
    ParentPid,
    Pid,
    EntryLeader,
    SessionLeader = 20,
    GroupLeader = 23,
}

/// What may name a package.
const TEXTS: [Field; 6] = [
    Field::ParentCommandLine,
    Field::ParentArgs,
    Field::CommandLine,
    Field::Args,
    Field::ParentExecutable,
    Field::WorkingDirectory,
];

/// Leaders of processes, outermost first.
const LEADERS: [Field; 3] = [Field::EntryLeader, Field::SessionLeader, Field::GroupLeader];

/// The event's numbers of the fields that are read.
#[derive(Clone, Copy, Debug)]
pub struct InstallationFields([u32; PATHS.len()]);

impl InstallationFields {
    /// `number` gives the event's number of a field.
    pub fn new(number: impl FnMut(&str) -> u32) -> Self {
        Self(PATHS.map(number))
    }

    /// The first value of a field, or of one `after` it.
    fn text<'e>(&self, event: &'e Event<'_>, field: Field, after: usize) -> Option<&'e str> {
        let value = event.first(self.0[field as usize + after])?.as_text();
        (!value.is_empty()).then_some(value)
    }
}

/// By what an installation is known, surest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Basis {
    /// The event is an alert that says so.
    Recorded,
    /// The topmost installer.
    Installer,
    Package,
    #[default]
    Parent,
}

/// The installation that an event belongs to.
#[derive(Clone, Debug, Default)]
pub struct Installation {
    basis: Basis,
    /// A UUID: equal for alerts of the same installation, on hosts that differ even where their names do not.
    id: String,
    package: Option<String>,
}

impl Installation {
    /// The installation that an event tells of.
    pub fn of(event: &Event<'_>, fields: &InstallationFields) -> Self {
        let text = |field| fields.text(event, field, 0);
        let package = named_package(event, fields);
        if let Some(recorded) = text(Field::Recorded) {
            return Self { basis: Basis::Recorded, id: recorded.to_owned(), package };
        }
        let installer = text(Field::Process).or_else(|| leader(event, fields));
        let (basis, what) = match (installer, &package) {
            (Some(process), _) => (Basis::Installer, format!("process {process}")),
            (None, Some(package)) => (Basis::Package, package.clone()),
            (None, None) => (Basis::Parent, parent(event, fields)),
        };
        let host = text(Field::HostId).or_else(|| text(Field::HostName)).unwrap_or_default();
        let boot = text(Field::Boot).map(|boot| format!("\0{boot}")).unwrap_or_default();
        Self { basis, id: named_uuid(NAMESPACE, &format!("{host}{boot}\0{what}")), package }
    }

    /// The one of several events' that is surest, and of those the first.
    pub(super) fn surest<'i>(all: impl Iterator<Item = &'i Self>) -> Option<&'i Self> {
        all.min_by_key(|installation| installation.basis)
    }

    /// Writes the members of an alert, after others.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"contraband.installation.id\":");
        write_string(&self.id, out);
        if let Some(package) = &self.package {
            out.extend_from_slice(b",\"contraband.installation.package\":");
            write_string(package, out);
        }
    }
}

/// The package that the most telling mark in any of the texts names.
fn named_package(event: &Event<'_>, fields: &InstallationFields) -> Option<String> {
    let mut all = String::new();
    for field in TEXTS {
        for value in event.values(fields.0[field as usize]) {
            if let Raw::Text(text) = value {
                all.push_str(text);
                all.push(' ');
            }
        }
    }
    package(&all).map(str::to_owned)
}

/// The outermost leader that is an installer.
fn leader<'e>(event: &'e Event<'_>, fields: &InstallationFields) -> Option<&'e str> {
    LEADERS.into_iter().find_map(|leader| {
        let entity = fields.text(event, leader, 0)?;
        [1, 2].into_iter().filter_map(|after| fields.text(event, leader, after)).any(installs).then_some(entity)
    })
}

/// The parent process, or the process itself where that is an installer and its parent is not.
fn parent(event: &Event<'_>, fields: &InstallationFields) -> String {
    let text = |field| fields.text(event, field, 0);
    let top = text(Field::Name).is_some_and(installs) && !text(Field::ParentName).is_some_and(installs);
    let own = text(Field::Entity);
    if let Some(entity) = own.filter(|_| top).or_else(|| text(Field::ParentEntity)).or(own) {
        return format!("process {entity}");
    }
    let host = text(Field::HostName).or_else(|| text(Field::HostId)).unwrap_or("unknown host");
    let name = text(Field::ParentName).or_else(|| text(Field::Name)).unwrap_or("unknown process");
    let number = text(Field::ParentPid).or_else(|| text(Field::Pid));
    format!("{host}: {name}{}", number.map(|number| format!(" (pid {number})")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(&str, &str)]) -> Installation {
        let mut event = Event::new(PATHS.len());
        for (path, value) in values {
            let field = PATHS.iter().position(|known| known == path).expect("a field that is read");
            event.push(field as u32, Raw::Text((*value).into()));
        }
        let mut number = 0;
        let fields = InstallationFields::new(|_| {
            number += 1;
            number - 1
        });
        Installation::of(&event, &fields)
    }

    #[test]
    fn every_field_has_its_path() {
        assert_eq!(PATHS[Field::Pid as usize], "process.pid");
        assert_eq!(PATHS[Field::EntryLeader as usize], "process.entry_leader.entity_id");
        assert_eq!(PATHS[Field::SessionLeader as usize], "process.session_leader.entity_id");
        assert_eq!(PATHS[Field::GroupLeader as usize], "process.group_leader.entity_id");
    }

    #[test]
    fn hosts_boots_and_packages_tell_installations_apart() {
        let script = ("process.args", "/var/lib/dpkg/info/x.postinst");
        let first = of(&[("host.id", "a"), script]);
        assert_eq!(first.package.as_deref(), Some("x"));
        assert_eq!(first.id, of(&[("host.id", "a"), ("process.parent.args", "/var/lib/dpkg/info/x.preinst")]).id);
        assert_ne!(first.id, of(&[("host.id", "b"), script]).id);
        assert_ne!(first.id, of(&[("host.id", "a"), ("host.boot.id", "1"), script]).id);
        let parents = ["1", "2"].map(|entity| of(&[("process.parent.entity_id", entity)]).id);
        assert_ne!(parents[0], parents[1]);
        assert_eq!(of(&[("contraband.installation.id", "kept")]).id, "kept");
    }

    #[test]
    fn the_topmost_installer_joins_what_differs_in_all_else() {
        let known = ("contraband.installation.process", "apt-1");
        let one = of(&[("process.args", "/var/lib/dpkg/info/x.postinst"), known]);
        assert_eq!(one.id, of(&[("process.parent.entity_id", "7"), known]).id);
        let leader = [("process.group_leader.entity_id", "apt-1"), ("process.group_leader.executable", "/usr/bin/apt")];
        assert_eq!(one.id, of(&leader).id);
        let shell = [("process.group_leader.entity_id", "apt-1"), ("process.group_leader.executable", "/bin/bash")];
        assert_ne!(one.id, of(&shell).id);
        let own = [("process.entity_id", "apt-1"), ("process.name", "apt"), ("process.parent.entity_id", "bash-1")];
        assert_eq!(one.id, of(&own).id);
        let package = of(&[("process.args", "x.deb")]);
        assert_eq!(Installation::surest([&package, &one].into_iter()).map(|found| &found.id), Some(&one.id));
    }
}
