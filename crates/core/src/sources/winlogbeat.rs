//! Documents of Winlogbeat that its modules have not seen yet (sent to Logstash or Kafka, or wrapped in a `message` by
//! them): the event data is mapped as the modules would have, all else stays. Documents that are mapped already pass.

use memchr::memmem;
use serde_json::{Map, Value};

use super::winlog::{Record, RecordMapper, System};
use super::{Fault, Mapper, Place, Settings, Sink};

/// Wrappers inside wrappers: Beats, Logstash, one more.
const MAX_WRAPPERS: usize = 4;

/// Whether the document is one: with `winlog` and no category yet, or inside a text.
pub fn recognise(head: &[u8]) -> bool {
    let has = |text: &str| memmem::find(head, text.as_bytes()).is_some();
    let plain = has("\"winlog\"") && has("\"provider_name\"") && !has("\"category\"");
    plain || (has("\\\"winlog\\\"") && has("\\\"provider_name\\\"") && !has("\"winlog\":"))
}

/// A mapper for one file.
pub fn mapper(_settings: &Settings) -> Box<dyn Mapper> {
    Box::<Winlogbeat>::default()
}

#[derive(Default)]
struct Winlogbeat {
    record: Record,
    mapper: RecordMapper,
    json: Vec<u8>,
}

impl Mapper for Winlogbeat {
    fn document(&mut self, json: &[u8], place: Place, sink: &mut dyn Sink) {
        let document = match serde_json::from_slice::<Value>(json) {
            Ok(document) => unwrap(document, MAX_WRAPPERS),
            Err(error) => return sink.fault(Fault { kind: "invalid JSON", message: error.to_string(), place }),
        };
        match self.map(document) {
            Ok(json) => sink.document(&json, place),
            Err(error) => sink.fault(Fault { kind: "invalid JSON", message: error.to_string(), place }),
        }
    }

    fn finish(&mut self, _sink: &mut dyn Sink) {}
}

impl Winlogbeat {
    fn map(&mut self, mut document: Value) -> serde_json::Result<Vec<u8>> {
        let raw = document.get("winlog").is_some_and(Value::is_object)
            && document.pointer("/event/category").is_none()
            && document.pointer("/event/module").is_none();
        if !raw {
            return serde_json::to_vec(&document);
        }
        read(&document, &mut self.record);
        self.json.clear();
        self.mapper.write(&self.record, None, &mut self.json);
        let mut mapped: Value = serde_json::from_slice(&self.json)?;
        if document.pointer("/winlog/time_created").is_none()
            && let Some(event) = mapped.get_mut("event").and_then(Value::as_object_mut)
        {
            event.remove("created");
        }
        if let Some(winlog) = document.get_mut("winlog").and_then(Value::as_object_mut) {
            winlog.remove("event_data");
            winlog.remove("user_data");
        }
        merge(&mut document, mapped);
        serde_json::to_vec(&document)
    }
}

/// Takes a document out of the text that holds it.
fn unwrap(document: Value, depth: usize) -> Value {
    if depth == 0 || document.get("winlog").is_some() {
        return document;
    }
    for pointer in ["/message", "/event/original", "/_source"] {
        let inner = match document.pointer(pointer) {
            Some(Value::String(text)) => serde_json::from_str::<Value>(text).ok(),
            Some(inner @ Value::Object(_)) => Some(inner.clone()),
            _ => None,
        };
        if let Some(inner @ Value::Object(_)) = inner {
            return unwrap(inner, depth - 1);
        }
    }
    document
}

fn read(document: &Value, record: &mut Record) {
    record.clear();
    for (field, pointer) in [
        (System::Provider, "/winlog/provider_name"),
        (System::ProviderGuid, "/winlog/provider_guid"),
        (System::EventId, "/winlog/event_id"),
        (System::Version, "/winlog/version"),
        (System::RecordId, "/winlog/record_id"),
        (System::ProcessId, "/winlog/process/pid"),
        (System::ThreadId, "/winlog/process/thread/id"),
        (System::Channel, "/winlog/channel"),
        (System::Computer, "/winlog/computer_name"),
        (System::UserId, "/winlog/user/identifier"),
        (System::ActivityId, "/winlog/activity_id"),
        (System::TaskName, "/winlog/task"),
        (System::OpcodeName, "/winlog/opcode"),
        (System::Time, "/@timestamp"),
        (System::UserDataName, "/winlog/user_data/xml_name"),
    ] {
        match document.pointer(pointer) {
            Some(Value::String(text)) => record.set(field, text),
            Some(value @ Value::Number(_)) => record.set(field, &value.to_string()),
            _ => {}
        }
    }
    for pointer in ["/winlog/event_data", "/winlog/user_data"] {
        for (name, value) in document.pointer(pointer).and_then(Value::as_object).into_iter().flatten() {
            match value {
                Value::String(text) => record.push(name, text),
                Value::Null => {}
                other => record.push(name, &other.to_string()),
            }
        }
    }
}

/// What was mapped replaces what it is called like; the host and its kind stay what the document says.
fn merge(document: &mut Value, mapped: Value) {
    match (document, mapped) {
        (Value::Object(document), Value::Object(mapped)) => merge_objects(document, mapped),
        (document, mapped) => *document = mapped,
    }
}

fn merge_objects(document: &mut Map<String, Value>, mapped: Map<String, Value>) {
    for (name, value) in mapped {
        match document.get_mut(&name) {
            Some(Value::String(_)) if matches!(name.as_str(), "name" | "level" | "message") && value.is_string() => {}
            Some(known) => merge(known, value),
            None => {
                document.insert(name, value);
            }
        }
    }
}
