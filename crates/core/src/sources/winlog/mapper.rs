//! Makes the ECS document of a record, as Winlogbeat with its modules writes it: what every event gets is here, what a
//! provider's events get is in its mapping. It knows neither files nor forms.

use std::sync::Arc;

use super::convert;
use super::document::{Content, Document, Slot, write_strings};
use super::mapping::{Expand, MAPPINGS, Mappings, Provider, Related, common};
use super::prepared::Prepared;
use super::routes::{self, Routes};
use super::steps::{self, Fields};
use super::wishes::Wishes;
use super::{Record, System};
use crate::json::{Scanner, write_string};
use crate::value::{Event, Picked};

/// Keywords of the Security log (`winmeta.h`).
const AUDIT_FAILURE: u64 = 0x0010_0000_0000_0000;
const AUDIT_SUCCESS: u64 = 0x0020_0000_0000_0000;
const CLASSIC: u64 = 0x0080_0000_0000_0000;

/// The rank of what every event gets: a mapping's line wins over it.
pub(super) const COMMON: u32 = 1 << 20;
/// The rank of what nothing may replace.
pub(super) const FIXED: u32 = 0;

/// Maps records, one after another, with scratch that is used again.
#[derive(Debug, Default)]
pub struct RecordMapper {
    draft: Draft,
    /// Values found inside others.
    expanded: Record,
    routes: Routes,
    /// For texts that are put together.
    buffer: String,
    /// For values that are lists or objects.
    scratch: Event<'static>,
}

/// The document at hand, and what is gathered for it.
#[derive(Debug, Default)]
struct Draft {
    document: Document,
    related: [Vec<String>; 4],
    event_data: Vec<u8>,
    named: Vec<u64>,
    /// What is wanted of a document that is not written; all of it otherwise.
    wishes: Option<Arc<Wishes>>,
}

impl Draft {
    fn clear(&mut self, wishes: Option<&Arc<Wishes>>) {
        self.document.clear(&MAPPINGS.layout, wishes.map(Arc::clone));
        self.related.iter_mut().for_each(Vec::clear);
        self.event_data.clear();
        self.named.clear();
    }

    /// Adds a value to the event data; of two with one name the first counts.
    fn stay_as(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.wishes.as_ref().is_some_and(|wishes| !wishes.wants_data(name)) {
            return;
        }
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.named.contains(&hash) {
            return;
        }
        self.named.push(hash);
        if !self.event_data.is_empty() {
            self.event_data.push(b',');
        }
        write_string(name, &mut self.event_data);
        self.event_data.push(b':');
        write(&mut self.event_data);
    }
}

impl Fields for Draft {
    fn text(&mut self, slot: Slot, rank: u32, text: &str) -> bool {
        self.document.text(slot, rank, text)
    }

    fn number(&mut self, slot: Slot, rank: u32, number: i64) -> bool {
        self.document.number(slot, rank, number)
    }

    fn boolean(&mut self, slot: Slot, rank: u32, value: bool) -> bool {
        self.document.boolean(slot, rank, value)
    }

    fn each_text(&mut self, slot: Slot, rank: u32, give: impl FnOnce(&mut dyn FnMut(&str))) -> bool {
        self.document.each_text(slot, rank, give)
    }

    fn json(&mut self, slot: Slot, rank: u32, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.document.json(slot, rank, write)
    }

    fn wants(&self, slot: Slot) -> bool {
        self.document.wants(slot)
    }

    fn relate(&mut self, related: Related, text: &str) {
        if self.wishes.as_ref().is_some_and(|wishes| !wishes.related) {
            return;
        }
        let list = &mut self.related[related as usize];
        if !text.is_empty() && !list.iter().any(|known| known == text) {
            list.push(text.to_owned());
        }
    }

    fn stay(&mut self, name: &str, value: &str) {
        self.stay_as(name, |out| write_string(value, out));
    }

    fn stay_words(&mut self, name: &str, value: &str) {
        self.stay_as(name, |out| write_strings(out, value.split_whitespace()));
    }
}

impl RecordMapper {
    /// Appends the document of `record` to `out`, one line of JSON without its end. `host_name` is the host of records that
    /// name none.
    pub fn write(&mut self, record: &Record, host_name: Option<&str>, out: &mut Vec<u8>) {
        self.fill(record, host_name, None);
        self.draft.document.write(&MAPPINGS.layout, out);
    }

    /// Adds the values of the wanted fields that the document of `record` would have. Whether the document may differ.
    pub fn pick(
        &mut self,
        record: &Record,
        host_name: Option<&str>,
        wishes: &Arc<Wishes>,
        picked: &mut Picked,
    ) -> bool {
        self.fill(record, host_name, Some(wishes));
        let mut sure = true;
        let scratch = &mut self.scratch;
        self.draft.document.each(|slot, content| {
            let Some(node) = wishes.node(slot) else { return };
            let fields = wishes.projection.slots(node);
            match content {
                Content::Text(text) => picked.text(fields, text),
                Content::Literal(text) => sure &= picked.literal(fields, text),
                Content::Json(text) => {
                    let mut event: Event<'_> = std::mem::take(scratch);
                    event.widen(wishes.projection.width);
                    sure &= Scanner::new(&wishes.projection).value(text, node, &mut event).is_ok();
                    picked.all(&event);
                    *scratch = event.recycle();
                }
            }
        });
        !sure
    }

    /// What becomes of the records of one kind; see [`Prepared`]. `common` has the values that all of them have, `names` those of their event
    /// data in order. `None`: that has to be found out record by record.
    pub fn prepare(
        &mut self,
        common: &Record,
        names: &[&str],
        host_name: Option<&str>,
        wishes: &Arc<Wishes>,
    ) -> Option<Prepared> {
        self.fill(common, host_name, Some(wishes));
        Prepared::new(&self.draft.document, common, names, wishes)
    }

    /// What of a record that is read next comes to something that is wanted. For records of the same wishes only.
    pub fn selection<'s>(&'s mut self, wishes: &'s Wishes) -> Selection<'s> {
        Selection { routes: &mut self.routes, wishes }
    }

    /// Makes the document of a record, as far as it is wanted.
    fn fill(&mut self, record: &Record, host_name: Option<&str>, wishes: Option<&Arc<Wishes>>) {
        let mappings = &*MAPPINGS;
        if self.draft.wishes.as_ref().map(Arc::as_ptr) != wishes.map(Arc::as_ptr) {
            self.routes = Routes::default();
            self.draft.wishes = wishes.map(Arc::clone);
        }
        self.draft.clear(wishes);
        self.expanded.clear();
        let event = event_id(record);
        let provider = routes::provider(record.get(System::Provider));
        self.routes.begin(provider, event);
        self.common(mappings, record, host_name);
        if let Some(provider) = provider {
            self.constants(mappings, provider, event);
            self.times(mappings, provider, record);
            let expansions = provider.expand.iter();
            for expand in expansions.filter(|expand| expand.applies(event)) {
                expand_into(&mut self.expanded, expand, record);
            }
        }
        self.values(provider, record);
        self.finish(mappings, record);
    }

    fn text(&mut self, mappings: &Mappings, path: usize, rank: u32, text: &str) {
        if !text.is_empty() {
            self.draft.document.text(mappings.common[path], rank, text);
        }
    }

    fn number(&mut self, mappings: &Mappings, path: usize, text: &str) {
        if let Some(value) = convert::integer(text) {
            self.draft.document.number(mappings.common[path], COMMON, value);
        }
    }

    /// What every event gets.
    fn common(&mut self, mappings: &Mappings, record: &Record, host_name: Option<&str>) {
        let computer = record.get(System::Computer);
        let host = if computer.is_empty() { host_name.unwrap_or_default() } else { computer };
        for (path, text) in [
            (const { common("@timestamp") }, record.get(System::Time)),
            (const { common("ecs.version") }, "8.17.0"),
            (const { common("event.kind") }, "event"),
            (const { common("event.code") }, record.get(System::EventId)),
            (const { common("event.provider") }, record.get(System::Provider)),
            (const { common("event.action") }, record.get(System::TaskName)),
            (const { common("host.name") }, host),
            (const { common("host.os.type") }, "windows"),
            (const { common("log.level") }, level(record)),
            (const { common("winlog.activity_id") }, record.get(System::ActivityId)),
            (const { common("winlog.channel") }, record.get(System::Channel)),
            (const { common("winlog.computer_name") }, computer),
            (const { common("winlog.event_id") }, record.get(System::EventId)),
            (const { common("winlog.opcode") }, opcode(record)),
            (const { common("winlog.provider_guid") }, record.get(System::ProviderGuid)),
            (const { common("winlog.provider_name") }, record.get(System::Provider)),
            (const { common("winlog.record_id") }, record.get(System::RecordId)),
            (const { common("winlog.task") }, record.get(System::TaskName)),
        ] {
            self.text(mappings, path, COMMON, text);
        }
        let message = record.get(System::Message).trim_end();
        if message.contains('\r') {
            self.text(mappings, const { common("message") }, COMMON, &message.replace("\r\n", "\n"));
        } else {
            self.text(mappings, const { common("message") }, COMMON, message);
        }
        self.number(mappings, const { common("winlog.process.pid") }, record.get(System::ProcessId));
        self.number(mappings, const { common("winlog.process.thread.id") }, record.get(System::ThreadId));
        if record.get(System::Version) != "0" {
            self.number(mappings, const { common("winlog.version") }, record.get(System::Version));
        }
        self.keywords(mappings, record);
        self.user(mappings, record.get(System::UserId));
    }

    fn keywords(&mut self, mappings: &Mappings, record: &Record) {
        let keywords = convert_keywords(record.get(System::Keywords));
        let (outcome, name) = if keywords & AUDIT_FAILURE != 0 {
            ("failure", "Audit Failure")
        } else if keywords & AUDIT_SUCCESS != 0 {
            ("success", "Audit Success")
        } else if keywords & CLASSIC != 0 {
            ("", "Classic")
        } else {
            return;
        };
        // The bits mean an audit in the Security log only.
        if record.get(System::Channel) == "Security" || outcome.is_empty() {
            self.text(mappings, const { common("event.outcome") }, COMMON, outcome);
            self.draft.document.texts(mappings.common[const { common("winlog.keywords") }], COMMON, [name]);
        }
    }

    /// The record's user; the accounts whose SID is the same everywhere have their names.
    fn user(&mut self, mappings: &Mappings, sid: &str) {
        self.text(mappings, const { common("winlog.user.identifier") }, COMMON, sid);
        let name = match sid {
            "S-1-5-18" => "SYSTEM",
            "S-1-5-19" => "LOCAL SERVICE",
            "S-1-5-20" => "NETWORK SERVICE",
            _ => return,
        };
        self.text(mappings, const { common("winlog.user.name") }, COMMON, name);
        self.text(mappings, const { common("winlog.user.domain") }, COMMON, "NT AUTHORITY");
        self.text(mappings, const { common("winlog.user.type") }, COMMON, "Well Known Group");
    }

    fn constants(&mut self, mappings: &Mappings, provider: &Provider, event: u32) {
        self.text(mappings, const { common("host.os.type") }, FIXED, provider.os.as_deref().unwrap_or_default());
        let own = provider.events.get(&event);
        for (rank, all) in own.map(|own| (FIXED, own)).into_iter().chain([(COMMON - 1, &provider.default)]) {
            let constants = &all.constants;
            for (path, values) in [
                (const { common("event.category") }, &constants.category),
                (const { common("event.type") }, &constants.kind),
            ] {
                if !values.is_empty() {
                    let values = values.iter().map(String::as_str);
                    self.draft.document.texts(mappings.common[path], rank, values);
                }
            }
            let module = constants.module.as_ref().or(provider.module.as_ref());
            for (path, text) in [
                (const { common("event.action") }, &constants.action),
                (const { common("event.outcome") }, &constants.outcome),
            ] {
                self.text(mappings, path, rank, text.as_deref().unwrap_or_default());
            }
            self.text(mappings, const { common("event.module") }, rank, module.map_or("", String::as_str));
            for (slot, value) in &all.set {
                self.draft.document.text(*slot, rank, value);
            }
        }
    }

    /// The event's own time, and the record's user.
    fn times(&mut self, mappings: &Mappings, provider: &Provider, record: &Record) {
        if let Some(name) = &provider.time {
            let mut own = String::new();
            if let Some((_, value)) = record.data().find(|(data, _)| data == name) {
                convert::push_utc_time(value, &mut own);
            }
            self.text(mappings, const { common("event.created") }, COMMON, record.get(System::Time));
            self.text(mappings, const { common("@timestamp") }, FIXED, &own);
        }
        if provider.user {
            self.text(mappings, const { common("user.id") }, COMMON, record.get(System::UserId));
        }
    }

    /// Takes every value to its fields; what stays goes to the event data.
    fn values(&mut self, provider: Option<&Provider>, record: &Record) {
        for (name, value) in self.expanded.data().chain(record.data()) {
            let Some(value) = steps::meaning(provider, value) else { continue };
            let route = self.routes.of(name, self.draft.wishes.as_deref());
            if route.wanted {
                steps::take(&mut self.draft, &mut self.buffer, route, name, &value);
            }
        }
    }

    fn finish(&mut self, mappings: &Mappings, record: &Record) {
        for (related, path) in [
            (Related::Hash, const { common("related.hash") }),
            (Related::Hosts, const { common("related.hosts") }),
            (Related::Ip, const { common("related.ip") }),
            (Related::User, const { common("related.user") }),
        ] {
            let list = &self.draft.related[related as usize];
            if !list.is_empty() {
                let slot = mappings.common[path];
                self.draft.document.texts(slot, FIXED, list.iter().map(String::as_str));
            }
        }
        let root = record.get(System::UserDataName);
        if !root.is_empty() {
            self.draft.stay("xml_name", root);
        }
        let Draft { document, event_data, .. } = &mut self.draft;
        if !event_data.is_empty() {
            let path = if root.is_empty() { common("winlog.event_data") } else { common("winlog.user_data") };
            document.json(mappings.common[path], FIXED, |out| {
                out.push(b'{');
                out.extend_from_slice(event_data);
                out.push(b'}');
            });
        }
    }
}

/// Tells of a record's parts whether they come to anything that is wanted.
#[derive(Debug)]
pub struct Selection<'s> {
    routes: &'s mut Routes,
    wishes: &'s Wishes,
}

impl Selection<'_> {
    /// Whether one of the common values does.
    pub fn takes(&self, field: System) -> bool {
        self.wishes.wants_system(field)
    }

    /// The provider and number of the event are read: its named values follow.
    pub fn begin(&mut self, record: &Record) {
        self.routes.begin(routes::provider(record.get(System::Provider)), event_id(record));
    }

    /// Whether a named value does.
    pub fn takes_data(&mut self, name: &str) -> bool {
        self.routes.of(name, Some(self.wishes)).wanted
    }
}

pub(super) fn event_id(record: &Record) -> u32 {
    record.get(System::EventId).parse().unwrap_or_default()
}

fn expand_into(expanded: &mut Record, expand: &Expand, record: &Record) {
    for (_, text) in record.data().filter(|(name, _)| *name == expand.data) {
        for (key, value) in convert::key_values(text) {
            expanded.push(&key, value);
        }
    }
}

/// Keywords as the 64 bits that they are, whether written in hexadecimal or as a (signed) number.
fn convert_keywords(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap_or_default(),
        None => text.parse::<u64>().or_else(|_| text.parse::<i64>().map(|value| value as u64)).unwrap_or_default(),
    }
}

fn level(record: &Record) -> &'static str {
    match record.get(System::Level) {
        "1" => "critical",
        "2" => "error",
        "3" => "warning",
        "5" => "verbose",
        "" => "",
        _ => "information",
    }
}

fn opcode(record: &Record) -> &str {
    let named = record.get(System::OpcodeName);
    match record.get(System::Opcode) {
        _ if !named.is_empty() => named,
        "0" => "Info",
        "1" => "Start",
        "2" => "Stop",
        _ => "",
    }
}
