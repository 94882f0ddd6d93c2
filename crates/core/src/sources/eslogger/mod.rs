//! macOS Endpoint Security as `eslogger` writes it (and forwarders that keep its members), to documents in the shape of
//! Elastic Defend. Members of the events are data (`content/sources/macos/eslogger.toml`); parents are not added here.

mod mapping;
mod process;

use memchr::memmem;
use serde_json::{Map, Value};

use super::{Fault, Mapper, Place, Settings, Sink};
use mapping::{Entry, entry, member, place};
use process::base_name;

/// Whether a document is an Endpoint Security message, told by the members that only it has together.
pub fn recognise(head: &[u8]) -> bool {
    ["\"event_type\"", "\"audit_token\"", "\"mach_time\"", "\"event\""]
        .iter()
        .all(|name| memmem::find(head, name.as_bytes()).is_some())
}

/// A mapper for one file.
pub fn mapper(settings: &Settings) -> Box<dyn Mapper> {
    Box::new(Eslogger { host_name: settings.host_name.clone() })
}

struct Eslogger {
    host_name: Option<String>,
}

impl Mapper for Eslogger {
    fn document(&mut self, json: &[u8], at: Place, sink: &mut dyn Sink) {
        let message = match serde_json::from_slice::<Value>(json) {
            Ok(message) => message,
            Err(error) => return sink.fault(Fault { kind: "invalid JSON", message: error.to_string(), place: at }),
        };
        let mut names = message.get("event").and_then(Value::as_object).into_iter().flatten();
        let Some((name, event)) = names.next().filter(|_| message.get("process").is_some_and(Value::is_object)) else {
            let message = "an Endpoint Security message expected (event, process)".to_owned();
            return sink.fault(Fault { kind: "unknown document", message, place: at });
        };
        let document = Value::Object(self.map(&message, name, event)).to_string();
        sink.document(document.as_bytes(), at);
    }

    fn finish(&mut self, _sink: &mut dyn Sink) {}
}

impl Eslogger {
    fn map(&self, message: &Value, name: &str, event: &Value) -> Map<String, Value> {
        let mut out = Map::new();
        let entry = entry(name, event);
        common(&mut out, message, name, entry);
        self.host(&mut out, message);
        let acting = &message["process"];
        let subject = entry.and_then(|entry| entry.process.as_deref()).and_then(|path| member(event, path));
        let subject = subject.unwrap_or(acting);
        process::write(&mut out, "process", subject);
        process::write_context(&mut out, subject);
        match name {
            "exec" => exec(&mut out, acting),
            // The process that forked is recorded whole: it is the parent.
            "fork" => process::write(&mut out, "process.parent", acting),
            "exit" => exit(&mut out, event),
            _ => {}
        }
        for (field, places) in entry.into_iter().flat_map(|entry| &entry.fields) {
            if let Some(value) = places.iter().find_map(|path| place(event, path)) {
                put(&mut out, field, converted(field, value));
            }
        }
        derived(&mut out);
        out
    }

    fn host(&self, out: &mut Map<String, Value>, message: &Value) {
        for (field, value) in [("type", "macos"), ("family", "macos"), ("platform", "macos"), ("name", "macOS")] {
            put(out, &format!("host.os.{field}"), value.into());
        }
        // Forwarders add the host to the message; eslogger itself names none.
        let recorded = member(message, "host.hostname").and_then(Value::as_str);
        if let Some(name) = self.host_name.as_deref().or(recorded) {
            put(out, "host.name", name.into());
        }
    }
}

fn common(out: &mut Map<String, Value>, message: &Value, name: &str, entry: Option<&Entry>) {
    if let Some(time) = member(message, "time") {
        put(out, "@timestamp", time.clone());
        put(out, "event.created", time.clone());
    }
    put(out, "event.kind", "event".into());
    put(out, "event.module", "endpoint".into());
    put(out, "event.action", entry.map_or(name, |entry| &entry.action).into());
    if let Some(sequence) = member(message, "global_seq_num").or_else(|| member(message, "glob_seq_num")) {
        put(out, "event.sequence", sequence.clone());
    }
    if let Some(entry) = entry {
        put(out, "event.category", entry.category.clone().into());
        put(out, "event.type", entry.kind.clone().into());
        put(out, "event.dataset", entry.dataset.clone().into());
    }
    // The event under Apple's own name, whatever it became.
    put(out, "event.code", name.into());
}

/// The image that called exec: the parent's, if the process had just been forked.
fn exec(out: &mut Map<String, Value>, acting: &Value) {
    if let Some(path) = member(acting, "executable.path") {
        put(out, "process.previous.executable", path.clone());
    }
}

/// `stat` is what wait(2) gives: the exit code in its second byte, or the signal in the lowest seven bits.
fn exit(out: &mut Map<String, Value>, event: &Value) {
    if let Some(status) = member(event, "stat").and_then(Value::as_i64) {
        let signal = status & 0x7f;
        let code = if signal == 0 { (status >> 8) & 0xff } else { 128 + signal };
        put(out, "process.exit_code", code.into());
    }
}

/// Modes are octal texts, numbers of users texts, URLs of files paths, arguments lists.
fn converted(field: &str, value: Value) -> Value {
    match (field, &value) {
        ("file.mode", Value::Number(mode)) => format!("{:04o}", mode.as_u64().unwrap_or_default() & 0o7777).into(),
        ("file.uid" | "file.gid", Value::Number(number)) => number.to_string().into(),
        ("Persistence.args", Value::String(_)) => vec![value].into(),
        (_, Value::String(text)) if text.starts_with("file://") => path_of_url(&text["file://".len()..]).into(),
        _ => value,
    }
}

/// Undoes the percent encoding of a URL's path; what is no encoding stays.
fn path_of_url(url: &str) -> String {
    let mut bytes = Vec::with_capacity(url.len());
    let mut rest = url.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What follows from other fields, as Defend writes it.
fn derived(out: &mut Map<String, Value>) {
    let text = |out: &Map<String, Value>, pointer: [&str; 2]| -> Option<String> {
        out.get(pointer[0])?.get(pointer[1])?.as_str().map(str::to_owned)
    };
    if let Some(path) = text(out, ["file", "path"]) {
        let name = base_name(&path);
        put(out, "file.name", name.into());
        if let Some((_, extension)) =
            name.rsplit_once('.').filter(|(stem, extension)| !stem.is_empty() && !extension.is_empty())
        {
            put(out, "file.extension", extension.into());
        }
    }
    if let Some(path) = text(out, ["Persistence", "path"]) {
        put(out, "Persistence.name", base_name(&path).trim_end_matches(".plist").into());
    }
    let args = out.get("process").and_then(|process| process.get("args")).and_then(Value::as_array);
    if let Some(args) = args {
        let (count, line) = (args.len(), args.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "));
        put(out, "process.args_count", count.into());
        put(out, "process.command_line", line.into());
    }
}

/// Sets a value at a dotted path. Null is left out.
fn put(out: &mut Map<String, Value>, path: &str, value: Value) {
    if value.is_null() {
        return;
    }
    match path.split_once('.') {
        None => {
            out.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = out.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
