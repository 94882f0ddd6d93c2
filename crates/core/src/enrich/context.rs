//! Adds parents, command lines and identities to documents that lack them, from a process table kept while reading.
//!
//! What is not known stays unknown: a child recorded before its parent, a parent that started before the log, a lost record.

use super::table::{Hosts, Process};
use super::{Document, Enricher};
use crate::json::write_string;
use serde_json::Value;
use sha1::{Digest, Sha1};

/// Keeps the table, and adds to documents as they pass.
#[derive(Debug, Default)]
pub struct Context {
    hosts: Hosts,
}

impl Enricher for Context {
    fn push(&mut self, stream: &str, mut document: Document, out: &mut Vec<Document>) {
        if let Ok(value) = serde_json::from_slice::<Value>(&document.json) {
            let added = self.added(stream, &value);
            if !added.is_empty() {
                append(&mut document.json, &added);
            }
        }
        out.push(document);
    }

    fn finish(&mut self, _out: &mut Vec<Document>) {}
}

type Added = Vec<(&'static str, Value)>;

impl Context {
    fn added(&mut self, stream: &str, value: &Value) -> Added {
        let mut added = Added::new();
        let known = text(value, "host.id").or_else(|| text(value, "host.name"));
        let host_name = known.clone().unwrap_or_else(|| stream.to_owned());
        if known.is_none() {
            added.push(("host.name", host_name.clone().into()));
        }
        if has(value, "event.module", "auditd") && text(value, "host.os.type").is_none() {
            added.push(("host.os.type", "linux".into()));
        }
        let Some(pid) = number(value, "process.pid") else { return added };
        let host = self.hosts.host(&host_name);
        let parent = number(value, "process.parent.pid").or_else(|| host.get(pid).and_then(|process| process.parent));
        let args = texts(value, "process.args");
        let command_line = text(value, "process.command_line").or_else(|| (!args.is_empty()).then(|| args.join(" ")));
        if text(value, "process.command_line").is_none() {
            added.extend(command_line.clone().map(|line| ("process.command_line", line.into())));
        }
        let recorded = text(value, "process.entity_id");
        let mut entity_id = recorded.clone();
        if starts(value) {
            let new = identity(&host_name, pid, text(value, "@timestamp").as_deref().unwrap_or_default());
            let new = recorded.clone().unwrap_or(new);
            if has(value, "event.action", "fork") {
                host.forked(pid, parent.unwrap_or_default(), new);
            } else {
                let process = Process {
                    name: text(value, "process.name"),
                    executable: text(value, "process.executable"),
                    args,
                    command_line,
                    entity_id: new,
                    parent,
                    ended: false,
                };
                entity_id = Some(host.started(pid, process));
            }
        } else if has(value, "event.type", "end")
            && let Some(process) = host.get_mut(pid)
        {
            process.ended = true;
        }
        if recorded.is_none() {
            let known = entity_id.or_else(|| host.get(pid).map(|process| process.entity_id.clone()));
            added.extend(known.map(|id| ("process.entity_id", id.into())));
        }
        if let Some(parent) = parent {
            let lacks =
                text(value, "process.parent.name").is_none() && text(value, "process.parent.executable").is_none();
            if lacks && let Some(process) = host.get(parent) {
                add_parent(value, process, &mut added);
            }
            let ancestors = host.ancestors(parent);
            if lacks && !ancestors.is_empty() {
                added.push(("contraband.process.ancestors", ancestors.into()));
            }
        }
        added
    }
}

fn add_parent(value: &Value, process: &Process, added: &mut Added) {
    let mut add = |path: &'static str, found: Option<Value>| {
        if get(value, path).is_none() {
            added.extend(found.map(|found| (path, found)));
        }
    };
    add("process.parent.name", process.name.clone().map(Value::from));
    add("process.parent.executable", process.executable.clone().map(Value::from));
    add("process.parent.args", (!process.args.is_empty()).then(|| process.args.clone().into()));
    add("process.parent.command_line", process.command_line.clone().map(Value::from));
    add("process.parent.entity_id", Some(process.entity_id.clone().into()));
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
        assert_eq!(out[1]["host.name"], "web-1");
        assert_eq!(out[1]["host.os.type"], "linux");
        let added = out[1]["contraband.added"].as_array().expect("a list");
        assert!(added.contains(&"process.parent.name".into()) && !added.contains(&"process.name".into()));
    }

    #[test]
    fn a_child_before_its_parent_and_a_lost_parent_stay_unknown() {
        let out = run(&[&start(11, 10, "sh"), &start(10, 1, "dpkg")]);
        assert_eq!(out[0].get("process.parent.name"), None);
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
