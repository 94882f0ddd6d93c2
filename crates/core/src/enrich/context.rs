//! Adds parents, command lines and identities to documents that lack them, from a process table kept while reading.
//!
//! What is not known stays unknown: a child recorded before its parent, a parent that started before the log, a lost record.

use super::added::{Added, has_list};
use super::addition::Addition;
use super::facts::{FactReader, Facts, Field, Known};
use super::identity::Identity;
use super::image::{Builder, Image, Moment, Nanoseconds, nanoseconds};
use super::installers::Role;
use super::records::Records;
use super::table::{Host, Hosts, Lineage, Transaction};
use super::{Document, Enricher, Ready, Wanted};
use crate::sources::Unwritten;
use crate::value::{Picked, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many documents are held back, so that a record that comes late still serves those before it.
const WINDOW: usize = 256;

/// So long after the first processes of a boot its record may come: two minutes. What is older ran before.
const BOOT: Nanoseconds = 120_000_000_000;

/// Keeps the table, and adds to documents as they pass.
pub struct Context {
    wanted: Wanted,
    reader: FactReader,
    table: Table,
    held: VecDeque<Held>,
    /// Documents in `held`.
    count: usize,
}

/// What the documents so far told.
#[derive(Default)]
struct Table {
    hosts: Hosts,
    arrivals: u64,
    /// For texts that are put together.
    builder: Builder,
}

/// What the table has the facts of, and that has not got its own additions yet.
enum Held {
    /// One document; without values if it is no JSON: it goes on as it is.
    Document(Document, Option<(Picked, Learned)>),
    /// Records that are not written yet. All before the first are done; what the table learnt from the others.
    Records(Box<Records>, VecDeque<Waiting>),
}

/// A record that waits.
struct Waiting {
    learned: Learned,
    says: Says,
}

/// Where a record's facts are.
enum Says {
    /// Among the values that were picked out.
    Values(Known),
    /// In its document, from which the picked values may differ.
    Document(Picked),
    /// Nowhere: its document is no JSON.
    Nothing,
}

/// Host and time of a document.
struct Learned {
    host: Arc<str>,
    at: Moment,
}

impl Enricher for Context {
    fn document(&mut self, stream: &str, document: Document, out: &mut Vec<Ready>) {
        let read = self.reader.read(&document.json).map(|picked| {
            let known = self.reader.known(&picked);
            let learned = self.table.learn(&self.reader.facts(&picked, &known), stream);
            (picked, learned)
        });
        self.held.push_back(Held::Document(document, read));
        self.count += 1;
        self.release(WINDOW, out);
    }

    fn records(&mut self, stream: &str, records: Unwritten, out: &mut Vec<Ready>) {
        let number = records.records.len();
        self.held
            .push_back(Held::Records(Box::new(Records::new(records)), VecDeque::with_capacity(number.min(WINDOW + 1))));
        for record in 0..number {
            let Some(Held::Records(records, waiting)) = self.held.back_mut() else { return };
            let (says, learned) = if records.is_doubtful(record) {
                let mut json = Vec::new();
                records.render(record, &mut json);
                match self.reader.read(&json) {
                    Some(picked) => {
                        let known = self.reader.known(&picked);
                        let learned = self.table.learn(&self.reader.facts(&picked, &known), stream);
                        (Says::Document(picked), learned)
                    }
                    None => (Says::Nothing, Learned { host: Arc::from(stream), at: Moment::default() }),
                }
            } else {
                let known = records.known(record, &self.wanted.numbering);
                let learned = self.table.learn(&records.facts(record, &self.wanted.numbering, &known), stream);
                (Says::Values(known), learned)
            };
            waiting.push_back(Waiting { learned, says });
            self.count += 1;
            self.release(WINDOW, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Ready>) {
        self.release(0, out);
    }
}

impl Context {
    /// A table that knows nothing yet.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, reader: FactReader::new(), table: Table::default(), held: VecDeque::new(), count: 0 }
    }

    /// Adds to the oldest documents, until only so many are held.
    fn release(&mut self, most: usize, out: &mut Vec<Ready>) {
        while self.count > most {
            self.count -= 1;
            if let Some(Held::Records(records, waiting)) = self.held.front_mut() {
                if let Some(Waiting { learned, says }) = waiting.pop_front() {
                    self.table.add_to_record(records, &learned, &says, &self.wanted, &self.reader);
                }
                if records.is_done() {
                    out.extend(self.held.pop_front().and_then(Held::ready));
                }
                continue;
            }
            let Some(mut held) = self.held.pop_front() else { return };
            if let Held::Document(document, Some((picked, learned))) = &mut held {
                // Otherwise `convert` wrote it.
                if !has_list(&document.json) {
                    let known = self.reader.known(picked);
                    let facts = self.reader.facts(picked, &known);
                    let mut added = Added::to(&mut document.json);
                    self.table.add(&facts, learned, &mut added);
                    added.end();
                }
            }
            out.extend(held.ready());
        }
    }
}

impl Held {
    fn ready(self) -> Option<Ready> {
        Some(match self {
            Held::Document(document, _) => Ready::Document(document),
            Held::Records(records, _) => Ready::Records(records),
        })
    }
}

impl Table {
    /// Takes in what a document says.
    fn learn(&mut self, facts: &Facts<'_>, stream: &str) -> Learned {
        self.arrivals += 1;
        let (host_name, host) = self.hosts.host(facts.host().unwrap_or(stream));
        let stamp = facts.text(Field::Timestamp).unwrap_or_default();
        let time = Time::parse(stamp).map_or(host.latest, nanoseconds);
        host.latest = time;
        host.first.get_or_insert(time);
        let at = Moment { time, arrival: self.arrivals };
        let learned = Learned { host: Arc::clone(host_name), at };
        if facts.halts {
            host.restarted(at, at.time);
        } else if facts.boots {
            host.restarted(at, at.time.saturating_sub(BOOT));
        }
        let Some(pid) = facts.number(Field::Pid) else { return learned };
        if facts.ends {
            host.ended(pid, at);
            return learned;
        }
        let (name, executable) = (facts.text(Field::Name), facts.text(Field::Executable));
        if let Some(child) = facts.number(Field::CallExit).filter(|child| facts.forked && *child > 0) {
            let image = Image {
                from: at,
                ended: None,
                texts: self.builder.begin().add(name).add(executable).add(None).texts(std::iter::empty()),
                identity: Identity::of(&learned.host, child, stamp),
                parent: Some(pid),
                forked: true,
                role: Role::Other,
            };
            host.forked(child, image, &mut self.builder);
        }
        if !facts.starts && !host.news(pid, at, executable) {
            return learned;
        }
        let parent = facts.parent_pid();
        let forks = facts.starts && facts.forks;
        let recorded = facts.text(Field::EntityId);
        let known = match recorded {
            // What a start records of itself is kept as it is.
            Some(recorded) if facts.starts => Some(recorded.into()),
            _ if forks => None,
            _ => host.identity_before(pid, parent, at),
        };
        let made = || recorded.map_or_else(|| Identity::of(&learned.host, pid, stamp), Identity::from);
        self.builder.begin().add(name).add(executable);
        match facts.text(Field::CommandLine) {
            Some(line) => self.builder.add(Some(line)),
            None => self.builder.add_joined(facts.args()),
        };
        let image = Image {
            from: at,
            ended: None,
            texts: self.builder.texts(facts.args()),
            identity: known.unwrap_or_else(made),
            parent,
            forked: false,
            role: Role::of(name, executable, facts.args()),
        };
        if forks {
            host.forked(pid, image, &mut self.builder);
        } else {
            host.insert(pid, image);
        }
        learned
    }

    /// Adds to the first of the records that has not got its additions.
    fn add_to_record(
        &mut self,
        records: &mut Records,
        learned: &Learned,
        says: &Says,
        wanted: &Wanted,
        reader: &FactReader,
    ) {
        let Records { unwritten, additions, added } = records;
        let mut noted = Added::beside(additions, &wanted.additions);
        match says {
            Says::Values(known) => {
                let extent = unwritten.records.get(added.len()).map(|record| record.values).unwrap_or_default();
                self.add(&Facts::of(&unwritten.picked, extent, &wanted.numbering, known), learned, &mut noted);
            }
            Says::Document(picked) => {
                self.add(&reader.facts(picked, &reader.known(picked)), learned, &mut noted);
            }
            Says::Nothing => {}
        }
        added.push(noted.end());
    }

    fn add(&mut self, facts: &Facts<'_>, learned: &Learned, added: &mut Added<'_>) {
        let at = learned.at;
        add_host(facts, &learned.host, added);
        if let Some(pid) = facts.number(Field::Pid) {
            let (_, host) = self.hosts.host(&learned.host);
            let family = Family::of(pid, facts, host, at);
            add_process(facts, &family, host, at, added);
            if let Some(transaction) = family.transaction(host) {
                added.text(Addition::Installation, &host.installation(transaction, at));
            }
        }
    }
}

/// A record's process, and what the table knows of those above it.
struct Family<'h> {
    image: Option<&'h Image>,
    /// The parent when the record was made, and its ancestors.
    above: Lineage<'h>,
}

impl<'h> Family<'h> {
    fn of(pid: u64, facts: &Facts<'_>, host: &'h Host, at: Moment) -> Self {
        let image = host.image(pid, at);
        let parent = facts.parent_pid().or_else(|| image.and_then(|image| image.parent));
        // A recorded identity of the parent must be the one that the table knows.
        let parent = parent.and_then(|pid| lookup(host, pid, facts.text(Field::ParentEntity), at));
        Self { image, above: host.lineage(parent) }
    }

    fn parent(&self) -> Option<&'h Image> {
        self.above.iter().next()
    }

    /// The installation that the process belongs to, where an installer is among its ancestors: all that it started has the same.
    fn transaction(&self, host: &Host) -> Option<Transaction> {
        let Some(image) = self.image else { return self.above.topmost_installer(None) };
        let parent = host.parent(image);
        if parent.map(std::ptr::from_ref) == self.parent().map(std::ptr::from_ref) {
            return self.above.topmost_installer(Some(image));
        }
        // The image is from before the record, or the record names another parent.
        host.lineage(parent).topmost_installer(Some(image))
    }
}

fn add_host(facts: &Facts<'_>, host_name: &str, added: &mut Added<'_>) {
    if !facts.has(Field::HostName) && !facts.has(Field::HostId) {
        added.text(Addition::HostName, host_name);
    }
    // Sequences and samples join on it; the host's name serves where nothing numbers the hosts.
    if !facts.has(Field::HostId) {
        added.text(Addition::HostId, host_name);
    }
    if facts.auditd && !facts.has(Field::OsType) {
        added.text(Addition::OsType, "linux");
    }
}

/// What a document lacks of its process and the table knows.
fn add_process(facts: &Facts<'_>, family: &Family<'_>, host: &Host, at: Moment, added: &mut Added<'_>) {
    let image = family.image;
    if !facts.has(Field::CommandLine) {
        // The table joined the arguments of a start already.
        let joined = image.filter(|image| image.from == at && !image.forked).and_then(|own| own.texts.command_line());
        match joined {
            Some(joined) => added.text(Addition::CommandLine, joined),
            None => added.maybe(Addition::CommandLine, facts.command_line().as_deref()),
        }
    }
    if !facts.has(Field::EntityId) {
        added.maybe(Addition::EntityId, image.map(|image| &*image.identity));
    }
    add_parent(facts, family, host, at, added);
    add_effective_parent(facts, host, at, added);
}

/// The parent's image when the record was made.
fn add_parent(facts: &Facts<'_>, family: &Family<'_>, host: &Host, at: Moment, added: &mut Added<'_>) {
    let lacks_name = !facts.has(Field::ParentName) && !facts.has(Field::ParentExecutable);
    let Some(parent) = family.parent() else {
        if lacks_name {
            add_image_before(facts, host, at, added);
        }
        return;
    };
    let texts = &parent.texts;
    // What another source recorded under the same number may be another process.
    if !lacks_name && facts.text(Field::ParentExecutable) != texts.executable() {
        return;
    }
    if !facts.has(Field::ParentName) {
        added.maybe(Addition::ParentName, texts.name());
    }
    if !facts.has(Field::ParentExecutable) {
        added.maybe(Addition::ParentExecutable, texts.executable());
    }
    if !facts.has(Field::ParentArgs) && texts.args().next().is_some() {
        added.texts(Addition::ParentArgs, texts.args());
    }
    if !facts.has(Field::ParentCommandLine) {
        added.maybe(Addition::ParentCommandLine, texts.command_line());
    }
    if !facts.has(Field::ParentEntity) {
        added.text(Addition::ParentEntity, &parent.identity);
    }
    let wants_ancestry = !facts.has(Field::Ancestry) && facts.process;
    if !wants_ancestry && !lacks_name {
        return;
    }
    if wants_ancestry {
        added.texts(Addition::Ancestry, family.above.iter().map(|image| &*image.identity));
    }
    if lacks_name {
        let names = family.above.iter().filter_map(|image| image.texts.executable().or_else(|| image.texts.name()));
        let mut names = names.peekable();
        if names.peek().is_some() {
            added.texts(Addition::Ancestors, names);
        }
    }
}

/// A process that started within the log, and whose first exec this is, still was what its parent was.
fn add_image_before(facts: &Facts<'_>, host: &Host, at: Moment, added: &mut Added<'_>) {
    let began = facts.text(Field::Start).and_then(Time::parse).map(nanoseconds);
    let within = began.zip(host.first).is_some_and(|(began, first)| began >= first);
    if !facts.starts || !within || facts.number(Field::Pid).is_none_or(|pid| host.known_before(pid, at)) {
        return;
    }
    if let Some(executable) = facts.text(Field::PreviousExecutable) {
        added.text(Addition::ParentName, base_name(executable));
        added.text(Addition::ParentExecutable, executable);
    }
}

/// Who asked for a process, where the record has only the number.
fn add_effective_parent(facts: &Facts<'_>, host: &Host, at: Moment, added: &mut Added<'_>) {
    let Some(pid) = facts.number(Field::EffectiveParentPid) else { return };
    if facts.has(Field::EffectiveParentExecutable) {
        return;
    }
    if let Some(image) = lookup(host, pid, facts.text(Field::EffectiveParentEntity), at) {
        added.maybe(Addition::EffectiveParentName, image.texts.name());
        added.maybe(Addition::EffectiveParentExecutable, image.texts.executable());
    }
}

fn lookup<'h>(host: &'h Host, pid: u64, entity_id: Option<&str>, at: Moment) -> Option<&'h Image> {
    match entity_id {
        Some(entity_id) => host.identified(pid, entity_id),
        None => host.image(pid, at),
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Place;
    use serde_json::Value;

    fn run(lines: &[&str]) -> Vec<Value> {
        let mut context = Context::new(Wanted::new(std::iter::empty()));
        let mut out = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let place = Place { record: number as u64 + 1, offset: 0 };
            context.document("web-1", Document { json: line.as_bytes().to_vec(), place }, &mut out);
        }
        context.finish(&mut out);
        let json = |ready: &Ready| match ready {
            Ready::Document(document) => serde_json::from_slice(&document.json).expect("valid JSON"),
            Ready::Records(_) => panic!("no records were given"),
        };
        out.iter().map(json).collect()
    }

    const START: &str = r#""event":{"category":["process"],"type":["start"],"action":"executed","module":"auditd"}"#;

    fn start(pid: u64, parent: u64, name: &str) -> String {
        format!(
            r#"{{{START},"process":{{"pid":{pid},"name":"{name}","args":["{name}","-x"],"parent":{{"pid":{parent}}}}}}}"#
        )
    }

    #[test]
    fn children_get_their_parent_and_the_names_of_what_was_added() {
        let out = run(&[&start(10, 1, "dpkg"), &start(11, 10, "sh")]);
        assert_eq!(out[0].get("process.parent.name"), None);
        assert_eq!(out[1]["process.parent.name"], "dpkg");
        assert_eq!(out[1]["process.parent.command_line"], "dpkg -x");
        assert_eq!(out[1]["process.command_line"], "sh -x");
        assert_eq!(out[1]["process.parent.entity_id"], out[0]["process.entity_id"]);
        assert_eq!(out[1]["process.Ext.ancestry"], Value::from(vec![out[0]["process.entity_id"].clone()]));
        assert_eq!(out[1]["host.name"], "web-1");
        assert_eq!(out[1]["host.id"], "web-1");
        assert_eq!(out[1]["host.os.type"], "linux");
        let added = out[1]["contraband.added"].as_array().expect("a list");
        assert!(added.contains(&"process.parent.name".into()) && !added.contains(&"process.name".into()));
    }

    fn start_at(time: &str, pid: u64, parent: u64, name: &str) -> String {
        format!(r#"{{"@timestamp":"{time}",{}"#, &start(pid, parent, name)[1..])
    }

    #[test]
    fn a_child_recorded_before_its_parent_finds_it_by_time() {
        let out = run(&[
            &start_at("2026-11-24T03:00:00.200Z", 11, 10, "sh"),
            &start_at("2026-11-24T03:00:00.100Z", 10, 1, "dpkg"),
            &start_at("2026-11-24T03:00:00.300Z", 10, 1, "curl"),
        ]);
        assert_eq!(out[0]["process.parent.name"], "dpkg");
    }

    #[test]
    fn a_parent_that_started_after_its_child_and_a_lost_parent_stay_unknown() {
        let out = run(&[
            &start_at("2026-11-24T03:00:00.100Z", 11, 10, "sh"),
            &start_at("2026-11-24T03:00:00.200Z", 10, 1, "dpkg"),
        ]);
        assert_eq!(out[0].get("process.parent.name"), None);
        assert_eq!(out[1].get("process.parent.name"), None);
    }

    #[test]
    fn a_process_from_before_the_log_is_known_from_its_first_record() {
        let connects = r#"{"event":{"category":["network"],"type":["start"],"module":"auditd"},
            "process":{"pid":10,"name":"dpkg","executable":"/usr/bin/dpkg","parent":{"pid":1}}}"#;
        let out = run(&[connects, &start(11, 10, "sh")]);
        assert_eq!(out[1]["process.parent.executable"], "/usr/bin/dpkg");
        assert_eq!(out[1].get("process.parent.args"), None);
        assert_eq!(out[1]["process.parent.entity_id"], out[0]["process.entity_id"]);
    }

    /// Endpoint Security records the image that called exec: a process that was forked within the log had its parent's.
    #[test]
    fn a_first_exec_tells_the_parent_of_a_process_that_started_within_the_log() {
        let exec = |began: &str, pid: u64| {
            format!(
                r#"{{"@timestamp":"2026-11-24T03:00:00.100Z","event":{{"category":["process"],"type":["start"]}},
                "process":{{"pid":{pid},"name":"curl","start":"{began}","parent":{{"pid":7}},"previous":{{"executable":"/bin/sh"}}}}}}"#
            )
        };
        let out = run(&[
            &exec("2026-11-24T02:59:59Z", 8),
            &exec("2026-11-24T03:00:01Z", 9),
            &exec("2026-11-24T03:00:01Z", 9),
        ]);
        let parents: Vec<_> = out.iter().map(|document| document.get("process.parent.name")).collect();
        assert_eq!(parents, [None, Some(&"sh".into()), None]);
    }

    #[test]
    fn auditbeat_7_names_the_parents_number_in_another_field() {
        let child = start(11, 10, "sh").replace(r#""parent":{"pid":10}"#, r#""ppid":10"#);
        let out = run(&[&start(10, 1, "dpkg"), &child]);
        assert_eq!(out[1]["process.parent.name"], "dpkg");
    }

    #[test]
    fn what_has_its_additions_gets_no_others_and_an_argument_does_not_say_so() {
        let through = start(11, 10, "sh").replacen('{', r#"{"contraband.added":["host.name"],"#, 1);
        let out = run(&[&start(10, 1, "dpkg"), &through, &start(12, 10, "contraband.added")]);
        assert_eq!(out[1].get("process.parent.name"), None);
        assert_eq!(out[2]["process.parent.name"], "dpkg");
    }

    #[test]
    fn another_recorded_parent_is_not_taken_for_the_one_of_that_number() {
        let child = r#"{"event":{"category":["process"],"type":["start"]},
            "process":{"pid":11,"name":"sh","parent":{"pid":10,"entity_id":"other"}}}"#;
        let out = run(&[&start(10, 1, "dpkg"), child]);
        assert_eq!(out[1].get("process.parent.name"), None);
    }

    #[test]
    fn exec_in_place_keeps_the_process_and_a_reused_number_does_not() {
        let end = r#"{"event":{"category":["process"],"type":["end"]},"process":{"pid":10}}"#;
        let out = run(&[&start(10, 1, "env"), &start(10, 1, "dpkg"), &start(11, 10, "sh"), end, &start(10, 1, "cron")]);
        assert_eq!(out[2]["process.parent.name"], "dpkg");
        assert_eq!(out[0]["process.entity_id"], out[1]["process.entity_id"]);
        assert_eq!(out[3]["process.entity_id"], out[1]["process.entity_id"]);
        // Same host, number and time: only the number of the run tells them apart here, so the start must be a new one.
        assert_eq!(out[4].get("process.parent.name"), None);
    }

    #[test]
    fn auditds_own_calls_tell_of_forks_and_ends() {
        let call = |call: &str, exit: &str| {
            format!(
                r#"{{"event":{{"category":["process"],"type":["info"],"module":"auditd"}},"auditd":{{"data":{{"syscall":"{call}","exit":"{exit}"}}}},
                "process":{{"pid":10,"name":"dpkg","parent":{{"pid":1}}}}}}"#
            )
        };
        let out = run(&[&start(10, 1, "dpkg"), &call("clone", "12"), &start(13, 12, "sh")]);
        assert_eq!(out[2]["process.parent.name"], "dpkg");
        assert_eq!(out[2]["process.parent.args"], Value::from(vec!["dpkg", "-x"]));
        let out = run(&[&start(10, 1, "dpkg"), &call("clone", "EAGAIN"), &start(13, 12, "sh")]);
        assert_eq!(out[2].get("process.parent.name"), None);
        // Its children are adopted when it ends: one that names the number later is another process's.
        let ends = start_at("2026-11-24T03:00:00Z", 10, 1, "dpkg");
        let end = format!(r#"{{"@timestamp":"2026-11-24T03:00:01Z",{}"#, &call("exit_group", "0")[1..]);
        let out = run(&[&ends, &end, &start_at("2026-11-24T03:00:02Z", 13, 10, "sh")]);
        assert_eq!(out[2].get("process.parent.name"), None);
    }

    #[test]
    fn a_fork_without_exec_is_what_its_parent_was() {
        let fork = r#"{"event":{"category":["process"],"type":["start"],"action":"fork"},"process":{"pid":12,"parent":{"pid":10}}}"#;
        let out = run(&[&start(10, 1, "apt-get"), fork, &start(13, 12, "sh")]);
        assert_eq!(out[2]["process.parent.name"], "apt-get");
    }
}
