//! Adds parents, command lines and identities to documents that lack them, from a process table kept while reading.
//!
//! What is not known stays unknown: a child recorded before its parent, a parent that started before the log, a lost record.

use super::added::Added;
use super::facts::{FactReader, Facts, Field};
use super::installers::Role;
use super::table::{Host, Hosts, Image, Moment};
use super::{Content, Document, Enricher, Wanted};
use crate::sources::Render;
use crate::value::Time;
use sha1::{Digest, Sha1};
use std::collections::VecDeque;

/// How many documents are held back, so that a record that comes late still serves those before it.
const WINDOW: usize = 256;

/// Keeps the table, and adds to documents as they pass.
pub struct Context {
    wanted: Wanted,
    reader: FactReader,
    hosts: Hosts,
    held: VecDeque<Held>,
    arrivals: u64,
}

/// A document whose facts the table has, and that has not got its own additions yet.
struct Held {
    document: Document,
    /// None if it is no JSON: it goes on as it is.
    facts: Option<Facts>,
    host: String,
    at: Moment,
}

impl Enricher for Context {
    fn push(&mut self, stream: &str, document: Document, out: &mut Vec<Document>) {
        let mut facts = self.read(&document.content);
        let host = facts.as_mut().and_then(|facts| facts.host.take()).unwrap_or_else(|| stream.to_owned());
        let at = facts.as_mut().map(|facts| self.learn(facts, &host)).unwrap_or_default();
        self.held.push_back(Held { document, facts, host, at });
        while self.held.len() > WINDOW {
            self.release(out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Document>) {
        while !self.held.is_empty() {
            self.release(out);
        }
    }
}

impl Context {
    /// A table that knows nothing yet.
    pub fn new(wanted: Wanted) -> Self {
        let reader = FactReader::new(wanted.projection.width, wanted.facts);
        Self { wanted, reader, hosts: Hosts::default(), held: VecDeque::new(), arrivals: 0 }
    }

    fn read(&mut self, content: &Content) -> Option<Facts> {
        match content {
            Content::Json(json) => self.reader.read(json),
            Content::Unwritten(record, _) if !record.doubtful => Some(self.reader.picked(&record.picked)),
            doubtful @ Content::Unwritten(..) => {
                let mut json = Vec::new();
                doubtful.render(&mut json);
                self.reader.read(&json)
            }
        }
    }

    /// Takes into the table what a document says.
    fn learn(&mut self, facts: &mut Facts, host_name: &str) -> Moment {
        self.arrivals += 1;
        let host = self.hosts.host(host_name);
        let stamp = facts.timestamp.take().unwrap_or_default();
        let time = Time::parse(&stamp).map_or(host.latest, Time::total_nanos);
        host.latest = time;
        host.first.get_or_insert(time);
        let at = Moment { time, arrival: self.arrivals };
        let Some(pid) = facts.pid else { return at };
        if facts.ends {
            host.ended(pid, at);
            return at;
        }
        if !facts.starts && !host.news(pid, at, facts.executable.as_deref()) {
            return at;
        }
        let recorded = facts.entity_id.take();
        let keep = recorded.is_some() && facts.starts;
        let mut image = Image {
            from: at,
            ended: None,
            name: facts.name.take(),
            executable: facts.executable.take(),
            args: std::mem::take(&mut facts.args),
            command_line: facts.command_line.clone(),
            entity_id: recorded.unwrap_or_else(|| identity(host_name, pid, &stamp)),
            parent: facts.parent_pid,
            forked: false,
            role: Role::Other,
        };
        image.role = Role::of(image.name.as_deref(), image.executable.as_deref(), &image.args);
        if facts.starts && facts.forks {
            host.forked(pid, image);
        } else {
            host.started(pid, image, keep);
        }
        at
    }

    fn release(&mut self, out: &mut Vec<Document>) {
        let Some(Held { mut document, facts, host, at }) = self.held.pop_front() else { return };
        if let Some(facts) = facts {
            let mut added = Added::to(&mut document.content, &self.wanted.projection);
            add_host(&facts, &host, &mut added);
            if let Some(pid) = facts.pid {
                let host = self.hosts.host(&host);
                add_process(&facts, pid, host, at, &mut added);
                add_installation(&facts, pid, host, at, &mut added);
            }
            added.end();
        }
        out.push(document);
    }
}

fn add_host(facts: &Facts, host_name: &str, added: &mut Added<'_>) {
    if !facts.has(Field::HostName) && !facts.has(Field::HostId) {
        added.text("host.name", host_name);
    }
    // Sequences and samples join on it; the host's name serves where nothing numbers the hosts.
    if !facts.has(Field::HostId) {
        added.text("host.id", host_name);
    }
    if facts.auditd && !facts.has(Field::OsType) {
        added.text("host.os.type", "linux");
    }
}

/// What a document lacks of its process and the table knows.
fn add_process(facts: &Facts, pid: u64, host: &Host, at: Moment, added: &mut Added<'_>) {
    let image = host.image(pid, at);
    if !facts.has(Field::CommandLine) {
        added.maybe("process.command_line", facts.command_line.as_deref());
    }
    if !facts.has(Field::EntityId) {
        added.maybe("process.entity_id", image.map(|image| image.entity_id.as_str()));
    }
    let parent = facts.parent_pid.or_else(|| image.and_then(|image| image.parent));
    add_parent(facts, parent, host, at, added);
    add_effective_parent(facts, host, at, added);
}

/// The installation that a process belongs to, where an installer is among its ancestors: all that it started has the same.
fn add_installation(facts: &Facts, pid: u64, host: &mut Host, at: Moment, added: &mut Added<'_>) {
    let own = || host.image(pid, at);
    let parent = || facts.parent_pid.and_then(|pid| lookup(host, pid, facts.parent_entity_id.as_deref(), at));
    let found = own().or_else(parent).and_then(|image| host.topmost_installer(image));
    if let Some(transaction) = found {
        added.text("contraband.installation.process", &host.installation(transaction, at));
    }
}

/// The parent's image when the record was made. A recorded identity of the parent must be the one that the table knows.
fn add_parent(facts: &Facts, parent: Option<u64>, host: &Host, at: Moment, added: &mut Added<'_>) {
    let lacks_name = !facts.has(Field::ParentName) && !facts.has(Field::ParentExecutable);
    let found = parent.and_then(|pid| lookup(host, pid, facts.parent_entity_id.as_deref(), at));
    let Some(parent) = found else {
        if lacks_name {
            add_image_before(facts, host, at, added);
        }
        return;
    };
    // What another source recorded under the same number may be another process.
    if !lacks_name && facts.parent_executable != parent.executable {
        return;
    }
    if !facts.has(Field::ParentName) {
        added.maybe("process.parent.name", parent.name.as_deref());
    }
    if !facts.has(Field::ParentExecutable) {
        added.maybe("process.parent.executable", parent.executable.as_deref());
    }
    if !facts.has(Field::ParentArgs) && !parent.args.is_empty() {
        added.texts("process.parent.args", parent.args.iter().map(String::as_str));
    }
    if !facts.has(Field::ParentCommandLine) {
        added.maybe("process.parent.command_line", parent.command_line.as_deref());
    }
    if !facts.has(Field::ParentEntity) {
        added.text("process.parent.entity_id", &parent.entity_id);
    }
    let wants_ancestry = !facts.has(Field::Ancestry) && facts.process;
    if !wants_ancestry && !lacks_name {
        return;
    }
    let lineage = host.lineage(parent);
    if wants_ancestry {
        added.texts("process.Ext.ancestry", lineage.iter().map(|image| image.entity_id.as_str()));
    }
    let mut names = lineage.iter().filter_map(|image| image.executable.as_deref().or(image.name.as_deref())).peekable();
    if lacks_name && names.peek().is_some() {
        added.texts("contraband.process.ancestors", names);
    }
}

/// A process that started within the log, and whose first exec this is, still was what its parent was.
fn add_image_before(facts: &Facts, host: &Host, at: Moment, added: &mut Added<'_>) {
    let began = facts.start.as_deref().and_then(Time::parse).map(Time::total_nanos);
    let within = began.zip(host.first).is_some_and(|(began, first)| began >= first);
    if !facts.starts || !within || facts.pid.is_none_or(|pid| host.known_before(pid, at)) {
        return;
    }
    if let Some(executable) = &facts.previous_executable {
        added.text("process.parent.name", base_name(executable));
        added.text("process.parent.executable", executable);
    }
}

/// Who asked for a process, where the record has only the number.
fn add_effective_parent(facts: &Facts, host: &Host, at: Moment, added: &mut Added<'_>) {
    let Some(pid) = facts.effective_parent_pid else { return };
    if facts.has(Field::EffectiveParentExecutable) {
        return;
    }
    if let Some(image) = lookup(host, pid, facts.effective_parent_entity_id.as_deref(), at) {
        added.maybe("process.Ext.effective_parent.name", image.name.as_deref());
        added.maybe("process.Ext.effective_parent.executable", image.executable.as_deref());
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

/// The same process has the same identity in every run.
fn identity(host: &str, pid: u64, time: &str) -> String {
    const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha1::digest(format!("{host}\0{pid}\0{time}").as_bytes());
    let digits = digest[..8].iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(HEXADECIMAL[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::super::PATHS;
    use super::*;
    use crate::json::Projection;
    use crate::sources::Place;
    use serde_json::Value;
    use std::sync::Arc;

    fn run(lines: &[&str]) -> Vec<Value> {
        let projection = Arc::new(Projection::new(PATHS));
        let mut context = Context::new(Wanted { projection, facts: 0 });
        let mut out = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let place = Place { record: number as u64 + 1, offset: 0 };
            context.push(
                "web-1",
                Document { content: Content::Json(line.as_bytes().to_vec()), file: 0, place },
                &mut out,
            );
        }
        context.finish(&mut out);
        let json = |document: &Document| {
            let mut json = Vec::new();
            document.content.render(&mut json);
            serde_json::from_slice(&json).expect("valid JSON")
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
    fn a_fork_without_exec_is_what_its_parent_was() {
        let fork = r#"{"event":{"category":["process"],"type":["start"],"action":"fork"},"process":{"pid":12,"parent":{"pid":10}}}"#;
        let out = run(&[&start(10, 1, "apt-get"), fork, &start(13, 12, "sh")]);
        assert_eq!(out[2]["process.parent.name"], "apt-get");
    }
}
