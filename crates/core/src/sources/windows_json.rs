//! Windows events as JSON, in the three forms that tools write: `evtx_dump -o jsonl` (the XML's own tree),
//! `Get-WinEvent | ConvertTo-Json` (.NET's properties), and `NXLog`'s flat records. What the records mean is not known here.

use memchr::memmem;
use serde_json::{Map, Value};

use super::winlog::{ELEMENTS, Record, RecordMapper, System, property_names, push_filetime};
use super::{Fault, Mapper, Place, Settings, Sink};

/// Whether a document is of one of the forms, told by the names that only they have together.
pub fn recognise(head: &[u8]) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| memmem::find(head, format!("\"{name}\"").as_bytes()).is_some());
    has(&["Event", "System", "EventRecordID"])
        || has(&["ProviderName", "LogName", "MachineName"])
        || has(&["EventID", "SourceName", "Channel", "Hostname"])
}

/// A mapper for one file.
pub fn mapper(settings: &Settings) -> Box<dyn Mapper> {
    Box::new(WindowsJson { host_name: settings.host_name.clone(), ..WindowsJson::default() })
}

#[derive(Default)]
struct WindowsJson {
    host_name: Option<String>,
    record: Record,
    mapper: RecordMapper,
    json: Vec<u8>,
}

impl Mapper for WindowsJson {
    fn document(&mut self, json: &[u8], place: Place, sink: &mut dyn Sink) {
        self.record.clear();
        let read = match serde_json::from_slice::<Value>(json) {
            Ok(Value::Object(object)) => read(&object, &mut self.record),
            Ok(_) => false,
            Err(error) => {
                return sink.fault(Fault { kind: "invalid JSON", message: error.to_string(), place });
            }
        };
        if !read {
            let message = "a Windows event expected (Event.System, ProviderName or SourceName)".to_owned();
            return sink.fault(Fault { kind: "unknown document", message, place });
        }
        self.json.clear();
        self.mapper.write(&self.record, self.host_name.as_deref(), &mut self.json);
        sink.document(&self.json, place);
    }

    fn finish(&mut self, _sink: &mut dyn Sink) {}
}

fn read(object: &Map<String, Value>, record: &mut Record) -> bool {
    if let Some(Value::Object(source)) = object.get("_source") {
        read(source, record)
    } else if let Some(Value::Object(event)) = object.get("Event") {
        read_tree(event, record)
    } else if object.contains_key("ProviderName") {
        read_dotnet(object, record);
        true
    } else if object.contains_key("SourceName") {
        read_flat(object, record);
        true
    } else {
        false
    }
}

/// A value as text: numbers and booleans as they are written, an element with attributes as its text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(object) => {
            ["#text", "Value", "value"].iter().find_map(|key| object.get(*key)).map_or(String::new(), text)
        }
        other => other.to_string(),
    }
}

/// Sets a common value, if there is one.
fn set(record: &mut Record, field: System, value: Option<&Value>) {
    let text = value.map_or(String::new(), text);
    if !text.is_empty() {
        record.set(field, &text);
    }
}

/// A GUID in braces, as Windows renders it; older versions of `evtx_dump` leave them out.
fn braced(name: &str, value: String) -> String {
    let bytes = value.as_bytes();
    let dashes = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|&at| bytes[at] == b'-');
    let named = name.len() >= 4 && name[name.len() - 4..].eq_ignore_ascii_case("guid");
    if dashes && named { format!("{{{value}}}") } else { value }
}

fn push(record: &mut Record, name: &str, value: &Value) {
    record.push(name, &braced(name, text(value)));
}

/// `evtx_dump`'s form; attributes lie in `#attributes`, or beside the element as `…_attributes`.
fn read_tree(event: &Map<String, Value>, record: &mut Record) -> bool {
    let Some(Value::Object(system)) = event.get("System") else {
        return false;
    };
    let attribute = |element: &str, name: &str| {
        let inside = system.get(element).and_then(|value| value.get("#attributes"));
        inside.or_else(|| system.get(&format!("{element}_attributes"))).and_then(|attributes| attributes.get(name))
    };
    for (field, element, name) in [
        (System::Provider, "Provider", "Name"),
        (System::Time, "TimeCreated", "SystemTime"),
        (System::ActivityId, "Correlation", "ActivityID"),
        (System::ProcessId, "Execution", "ProcessID"),
        (System::ThreadId, "Execution", "ThreadID"),
        (System::UserId, "Security", "UserID"),
    ] {
        set(record, field, attribute(element, name));
    }
    let guid = attribute("Provider", "Guid").map_or(String::new(), text);
    record.set(System::ProviderGuid, &braced("Guid", guid));
    for (field, element) in ELEMENTS {
        set(record, field, system.get(element));
    }
    if let Some(Value::Object(data)) = event.get("EventData") {
        read_event_data(data, record);
    }
    if let Some(Value::Object(data)) = event.get("UserData") {
        for (name, fields) in data.iter().filter(|(name, _)| !name.starts_with('#') && !name.ends_with("_attributes")) {
            record.set(System::UserDataName, name);
            read_user_data(fields, record);
        }
    }
    true
}

/// Unnamed values are called by their number.
fn read_event_data(data: &Map<String, Value>, record: &mut Record) {
    for (name, value) in data.iter().filter(|(name, _)| *name != "#attributes") {
        if name != "Data" {
            push(record, name, value);
            continue;
        }
        let unnamed = value.get("#text").unwrap_or(value);
        let items = unnamed.as_array().map_or(std::slice::from_ref(unnamed), Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            record.push(&format!("param{}", index + 1), &text(item));
        }
    }
}

fn read_user_data(fields: &Value, record: &mut Record) {
    for (name, value) in fields.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with('#')) {
        push(record, name, value);
    }
}

/// `Get-WinEvent`'s form. Its properties have no names: they are known or numbered; Sysmon's also stand in the message.
fn read_dotnet(event: &Map<String, Value>, record: &mut Record) {
    for (field, name) in [
        (System::Provider, "ProviderName"),
        (System::EventId, "Id"),
        (System::Version, "Version"),
        (System::Level, "Level"),
        (System::Task, "Task"),
        (System::Opcode, "Opcode"),
        (System::Keywords, "Keywords"),
        (System::RecordId, "RecordId"),
        (System::ProcessId, "ProcessId"),
        (System::ThreadId, "ThreadId"),
        (System::Channel, "LogName"),
        (System::Computer, "MachineName"),
        (System::UserId, "UserId"),
        (System::ActivityId, "ActivityId"),
        (System::TaskName, "TaskDisplayName"),
        (System::OpcodeName, "OpcodeDisplayName"),
    ] {
        set(record, field, event.get(name));
    }
    let message = event.get("Message").map_or(String::new(), text).replace("\r\n", "\n");
    record.set(System::Message, &message);
    record.set(System::ProviderGuid, &braced("Guid", event.get("ProviderId").map_or(String::new(), text)));
    let time = event.get("TimeCreated").map_or(String::new(), text);
    record.set(System::Time, &dotnet_time(&time).unwrap_or(time));
    let id = record.get(System::EventId).parse().unwrap_or_default();
    let properties = event.get("Properties").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut known = property_names(record.get(System::Provider), id);
    if record.get(System::Provider) == "Microsoft-Windows-Sysmon" {
        let named = || message.lines().skip(1).filter_map(|line| line.split_once(':'));
        if named().any(|(name, _)| name == "UtcTime") || properties.is_empty() {
            named().for_each(|(name, value)| record.push(name.trim(), value.trim_start()));
            return;
        }
        known = if in_known_order(known, properties) { known } else { &[] };
    }
    for (index, property) in properties.iter().enumerate() {
        let numbered = format!("param{}", index + 1);
        push(record, known.get(index).map_or(numbered.as_str(), String::as_str), property);
    }
}

/// Whether the properties of a Sysmon event are those whose names are known: older schemas lack the last one, or have no rule's
/// name before the time.
fn in_known_order(known: &[String], properties: &[Value]) -> bool {
    let time = known.iter().position(|name| name == "UtcTime").and_then(|at| properties.get(at));
    let timed = time.map(text).is_some_and(|time| time.as_bytes().get(4) == Some(&b'-') && time.contains(':'));
    timed && (properties.len() == known.len() || properties.len() + 1 == known.len())
}

/// `/Date(1603828814324)/`, milliseconds since 1970, as ISO 8601.
fn dotnet_time(text: &str) -> Option<String> {
    let milliseconds: i64 = text.strip_prefix("/Date(")?.strip_suffix(")/")?.parse().ok()?;
    let since_1601 = milliseconds.checked_add(11_644_473_600_000)?.checked_mul(10_000)?;
    let mut out = String::new();
    push_filetime(&mut out, u64::try_from(since_1601).ok()?);
    Some(out)
}

/// `NXLog`'s form: common values and event data side by side.
fn read_flat(event: &Map<String, Value>, record: &mut Record) {
    for (name, value) in event {
        let field = match name.as_str() {
            "SourceName" => System::Provider,
            "EventID" => System::EventId,
            "Version" => System::Version,
            "Task" => System::Task,
            "OpcodeValue" => System::Opcode,
            "Keywords" => System::Keywords,
            "RecordNumber" => System::RecordId,
            "ExecutionProcessID" => System::ProcessId,
            "ThreadID" => System::ThreadId,
            "Channel" => System::Channel,
            "Hostname" => System::Computer,
            "UserID" => System::UserId,
            "ActivityID" => System::ActivityId,
            "@timestamp" => System::Time,
            "Message" => System::Message,
            "Category" => System::TaskName,
            "ProviderGuid" => System::ProviderGuid,
            "@version" | "tags" | "host" | "port" | "Opcode" | "EventTime" | "EventReceivedTime" | "EventType"
            | "Severity" | "SeverityValue" | "SourceModuleName" | "SourceModuleType" | "AccountType" => continue,
            _ => {
                push(record, name, value);
                continue;
            }
        };
        set(record, field, Some(value));
    }
}
