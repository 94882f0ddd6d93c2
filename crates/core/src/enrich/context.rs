//! Adds parents, command lines and identities to documents that lack them, from a process table kept while reading.
//!
//! What is not known stays unknown: a child recorded before its parent, a parent that started before the log, a lost record.

use super::table::{Host, Hosts, Image, Moment};
use super::{Document, Enricher};
use crate::json::write_string;
use crate::value::Time;
use serde_json::Value;
use sha1::{Digest, Sha1};
use std::collections::VecDeque;

/// How many documents are held back, so that a record that comes late still serves those before it.
const WINDOW: usize = 256;

/// Keeps the table, and adds to documents as they pass.
#[derive(Debug, Default)]
pub struct Context {
    hosts: Hosts,
    held: VecDeque<Held>,
    arrivals: u64,
}

/// A document whose facts the table has, and that has not got its own additions yet.
#[derive(Debug)]
struct Held {
    document: Document,
    /// None if it is no JSON: it goes on as it is.
    value: Option<Value>,
    host: String,
    at: Moment,
}

impl Enricher for Context {
    fn push(&mut self, stream: &str, document: Document, out: &mut Vec<Document>) {
        let value = serde_json::from_slice::<Value>(&document.json).ok();
        let named = |value: &Value| {
            text(value, "host.id").or_else(|| text(value, "host.name")).or_else(|| text(value, "host.hostname"))
        };
        let host = value.as_ref().and_then(named).unwrap_or_else(|| stream.to_owned());
        let at = value.as_ref().map(|value| self.learn(value, &host)).unwrap_or_default();
        self.held.push_back(Held { document, value, host, at });
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

type Added = Vec<(&'static str, Value)>;

impl Context {
    /// Takes into the table what a document says.
    fn learn(&mut self, value: &Value, host_name: &str) -> Moment {
        self.arrivals += 1;
        let host = self.hosts.host(host_name);
        let stamp = text(value, "@timestamp").unwrap_or_default();
        let time = Time::parse(&stamp).map_or(host.latest, Time::total_nanos);
        host.latest = time;
        host.first.get_or_insert(time);
        let at = Moment { time, arrival: self.arrivals };
        let Some(pid) = number(value, "process.pid") else { return at };
        if has(value, "event.type", "end") {
            host.ended(pid, at);
            return at;
        }
        let recorded = text(value, "process.entity_id");
        let keep = recorded.is_some();
        let image = Image {
            from: at,
            ended: None,
            name: text(value, "process.name"),
            executable: text(value, "process.executable"),
            args: texts(value, "process.args"),
            command_line: command_line(value),
            entity_id: recorded.unwrap_or_else(|| identity(host_name, pid, &stamp)),
            parent: number(value, "process.parent.pid"),
            forked: false,
        };
        match (starts(value), has(value, "event.action", "fork")) {
            (true, true) => host.forked(pid, image),
            (true, false) => host.started(pid, image, keep),
            _ => host.seen(pid, image),
        }
        at
    }

    fn release(&mut self, out: &mut Vec<Document>) {
        let Some(Held { mut document, value, host, at }) = self.held.pop_front() else { return };
        if let Some(value) = value {
            let added = additions(&value, &host, self.hosts.host(&host), at);
            if !added.is_empty() {
                append(&mut document.json, &added);
            }
        }
        out.push(document);
    }
}

/// What a document lacks and the table knows.
fn additions(value: &Value, host_name: &str, host: &Host, at: Moment) -> Added {
    let mut added = Added::new();
    if get(value, "host.name").is_none() && get(value, "host.id").is_none() {
        added.push(("host.name", host_name.into()));
    }
    // Sequences and samples join on it; the host's name serves where nothing numbers the hosts.
    if get(value, "host.id").is_none() {
        added.push(("host.id", host_name.into()));
    }
    if has(value, "event.module", "auditd") && text(value, "host.os.type").is_none() {
        added.push(("host.os.type", "linux".into()));
    }
    let Some(pid) = number(value, "process.pid") else { return added };
    let image = host.image(pid, at);
    if get(value, "process.command_line").is_none() {
        added.extend(command_line(value).map(|line| ("process.command_line", line.into())));
    }
    if get(value, "process.entity_id").is_none() {
        added.extend(image.map(|image| ("process.entity_id", image.entity_id.clone().into())));
    }
    let parent = number(value, "process.parent.pid").or_else(|| image.and_then(|image| image.parent));
    add_parent(value, parent, host, at, &mut added);
    add_effective_parent(value, host, at, &mut added);
    added
}

/// The parent's image when the record was made. A recorded identity of the parent must be the one that the table knows.
fn add_parent(value: &Value, parent: Option<u64>, host: &Host, at: Moment, added: &mut Added) {
    let lacks_name = get(value, "process.parent.name").is_none() && get(value, "process.parent.executable").is_none();
    let found = parent.and_then(|pid| lookup(host, pid, text(value, "process.parent.entity_id").as_deref(), at));
    let Some(parent) = found else {
        if lacks_name {
            add_image_before(value, host, at, added);
        }
        return;
    };
    // What another source recorded under the same number may be another process.
    if !lacks_name && get(value, "process.parent.executable").and_then(Value::as_str) != parent.executable.as_deref() {
        return;
    }
    let mut add = |path: &'static str, found: Option<Value>| {
        if get(value, path).is_none() {
            added.extend(found.map(|found| (path, found)));
        }
    };
    add("process.parent.name", parent.name.clone().map(Value::from));
    add("process.parent.executable", parent.executable.clone().map(Value::from));
    add("process.parent.args", (!parent.args.is_empty()).then(|| parent.args.clone().into()));
    add("process.parent.command_line", parent.command_line.clone().map(Value::from));
    add("process.parent.entity_id", Some(parent.entity_id.clone().into()));
    if get(value, "process.Ext.ancestry").is_none() && has(value, "event.category", "process") {
        added.push(("process.Ext.ancestry", host.lineage(parent, |image| Some(image.entity_id.clone())).into()));
    }
    let ancestors = host.lineage(parent, |image| image.executable.clone().or_else(|| image.name.clone()));
    if lacks_name && !ancestors.is_empty() {
        added.push(("contraband.process.ancestors", ancestors.into()));
    }
}

/// A process that started within the log, and whose first exec this is, still was what its parent was.
fn add_image_before(value: &Value, host: &Host, at: Moment, added: &mut Added) {
    let began = text(value, "process.start").and_then(|start| Time::parse(&start)).map(Time::total_nanos);
    let within = began.zip(host.first).is_some_and(|(began, first)| began >= first);
    let pid = number(value, "process.pid");
    if !starts(value) || !within || pid.is_none_or(|pid| host.known_before(pid, at)) {
        return;
    }
    if let Some(executable) = text(value, "process.previous.executable") {
        added.push(("process.parent.name", base_name(&executable).into()));
        added.push(("process.parent.executable", executable.into()));
    }
}

/// Who asked for a process, where the record has only the number.
fn add_effective_parent(value: &Value, host: &Host, at: Moment, added: &mut Added) {
    let Some(pid) = number(value, "process.Ext.effective_parent.pid") else { return };
    if get(value, "process.Ext.effective_parent.executable").is_some() {
        return;
    }
    let identity = text(value, "process.Ext.effective_parent.entity_id");
    if let Some(image) = lookup(host, pid, identity.as_deref(), at) {
        added.extend(image.name.clone().map(|name| ("process.Ext.effective_parent.name", name.into())));
        let executable = image.executable.clone();
        added.extend(executable.map(|path| ("process.Ext.effective_parent.executable", path.into())));
    }
}

fn lookup<'h>(host: &'h Host, pid: u64, entity_id: Option<&str>, at: Moment) -> Option<&'h Image> {
    match entity_id {
        Some(entity_id) => host.identified(pid, entity_id),
        None => host.image(pid, at),
    }
}

fn command_line(value: &Value) -> Option<String> {
    let args = texts(value, "process.args");
    text(value, "process.command_line").or_else(|| (!args.is_empty()).then(|| args.join(" ")))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn starts(value: &Value) -> bool {
    // A failed exec changes no image.
    has(value, "event.category", "process")
        && has(value, "event.type", "start")
        && !has(value, "event.outcome", "failure")
}

/// The same process has the same identity in every run.
fn identity(host: &str, pid: u64, time: &str) -> String {
    let digest = Sha1::digest(format!("{host}\0{pid}\0{time}").as_bytes());
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the members before the closing brace, and names them in one more.
fn append(json: &mut Vec<u8>, added: &Added) {
    while json.last().is_some_and(|byte| *byte != b'}') {
        json.pop();
    }
    if json.pop().is_none() {
        return;
    }
    let empty = json.iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let mut separator = if empty { "" } else { "," };
    for (path, value) in added {
        json.extend_from_slice(separator.as_bytes());
        write_string(path, json);
        json.push(b':');
        json.extend_from_slice(value.to_string().as_bytes());
        separator = ",";
    }
    let names: Vec<Value> = added.iter().map(|(path, _)| Value::from(*path)).collect();
    json.extend_from_slice(separator.as_bytes());
    json.extend_from_slice(b"\"contraband.added\":");
    json.extend_from_slice(Value::from(names).to_string().as_bytes());
    json.push(b'}');
}

/// The value at a path, whether its names are nested or dotted. Null is none.
fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    if let Some(found) = object.get(path) {
        return Some(found).filter(|found| !found.is_null());
    }
    path.match_indices('.').find_map(|(at, _)| get(object.get(&path[..at])?, &path[at + 1..]))
}

fn text(value: &Value, path: &str) -> Option<String> {
    match get(value, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => list.first().and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

fn texts(value: &Value, path: &str) -> Vec<String> {
    match get(value, path) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn number(value: &Value, path: &str) -> Option<u64> {
    match get(value, path)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Whether any value of the field is the text.
fn has(value: &Value, path: &str, wanted: &str) -> bool {
    texts(value, path).iter().any(|text| text == wanted || wanted == "auditd" && text.starts_with("auditd"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Place;

    fn run(lines: &[&str]) -> Vec<Value> {
        let mut context = Context::default();
        let mut out = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let place = Place { record: number as u64 + 1, offset: 0 };
            context.push("web-1", Document { json: line.as_bytes().to_vec(), file: 0, place }, &mut out);
        }
        context.finish(&mut out);
        out.iter().map(|document| serde_json::from_slice(&document.json).expect("valid JSON")).collect()
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
