//! Makes the ECS document of a record, as Winlogbeat with its modules writes it: what every event gets is here, what a
//! provider's events get is in its mapping. It knows neither files nor forms.

use std::sync::Arc;

use super::convert::{self, Answer};
use super::document::{Content, Document, Slot, write_strings};
use super::mapping::{Expand, Kind, MAPPINGS, Mappings, Provider, Related, Step, common};
use super::routes::{self, Route, Routes};
use super::wishes::Wishes;
use super::{Record, System};
use crate::json::{Scanner, write_string};
use crate::value::{Event, Picked};

/// Keywords of the Security log (`winmeta.h`).
const AUDIT_FAILURE: u64 = 0x0010_0000_0000_0000;
const AUDIT_SUCCESS: u64 = 0x0020_0000_0000_0000;
const CLASSIC: u64 = 0x0080_0000_0000_0000;

/// The rank of what every event gets: a mapping's line wins over it.
const COMMON: u32 = 1 << 20;
/// The rank of what nothing may replace.
const FIXED: u32 = 0;

/// Maps records, one after another, with scratch that is used again.
#[derive(Debug, Default)]
pub struct RecordMapper {
    document: Document,
    related: [Vec<String>; 4],
    /// Values found inside others.
    expanded: Record,
    event_data: Vec<u8>,
    named: Vec<u64>,
    routes: Routes,
    /// For texts that are put together.
    buffer: String,
    /// What is wanted of a document that is not written; all of it otherwise.
    wishes: Option<Arc<Wishes>>,
    /// For values that are lists or objects.
    scratch: Event<'static>,
}

impl RecordMapper {
    /// Appends the document of `record` to `out`, one line of JSON without its end. `host_name` is the host of records that
    /// name none.
    pub fn write(&mut self, record: &Record, host_name: Option<&str>, out: &mut Vec<u8>) {
        self.fill(record, host_name, None);
        self.document.write(&MAPPINGS.layout, out);
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
        self.document.each(|slot, content| {
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

    /// What of a record that is read next comes to something that is wanted. For records of the same wishes only.
    pub fn selection<'s>(&'s mut self, wishes: &'s Wishes) -> Selection<'s> {
        Selection { routes: &mut self.routes, wishes }
    }

    /// Makes the document of a record, as far as it is wanted.
    fn fill(&mut self, record: &Record, host_name: Option<&str>, wishes: Option<&Arc<Wishes>>) {
        let mappings = &*MAPPINGS;
        self.document.clear(&mappings.layout, wishes.map(Arc::clone));
        if self.wishes.as_ref().map(Arc::as_ptr) != wishes.map(Arc::as_ptr) {
            self.routes = Routes::default();
            self.wishes = wishes.map(Arc::clone);
        }
        self.related.iter_mut().for_each(Vec::clear);
        self.expanded.clear();
        self.event_data.clear();
        self.named.clear();
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
            self.document.text(mappings.common[path], rank, text);
        }
    }

    fn number(&mut self, mappings: &Mappings, path: usize, text: &str) {
        if let Some(value) = convert::integer(text) {
            self.document.number(mappings.common[path], COMMON, value);
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
            self.document.texts(mappings.common[const { common("winlog.keywords") }], COMMON, [name]);
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
                    self.document.texts(mappings.common[path], rank, values);
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
                self.document.text(*slot, rank, value);
            }
        }
    }

    /// The event's own time, and the record's user.
    fn times(&mut self, mappings: &Mappings, provider: &Provider, record: &Record) {
        if let Some(name) = &provider.time {
            let own = record.data().find(|(data, _)| data == name).and_then(|(_, value)| convert::utc_time(value));
            self.text(mappings, const { common("event.created") }, COMMON, record.get(System::Time));
            self.text(mappings, const { common("@timestamp") }, FIXED, &own.unwrap_or_default());
        }
        if provider.user {
            self.text(mappings, const { common("user.id") }, COMMON, record.get(System::UserId));
        }
    }

    /// Takes every value to its fields; what stays goes to the event data.
    fn values(&mut self, provider: Option<&Provider>, record: &Record) {
        let (expanded, mut routes) = (std::mem::take(&mut self.expanded), std::mem::take(&mut self.routes));
        for (name, value) in expanded.data().chain(record.data()) {
            let value = value.trim_end_matches(['\r', '\n', '\0']);
            if value.is_empty() || provider.is_some_and(|provider| provider.empty.iter().any(|empty| empty == value)) {
                continue;
            }
            let route = routes.of(name, self.wishes.as_deref());
            if !route.wanted {
                continue;
            }
            if memchr::memchr(b'\r', value.as_bytes()).is_some() {
                self.value(route, name, &value.replace("\r\n", "\n"));
            } else {
                self.value(route, name, value);
            }
        }
        (self.expanded, self.routes) = (expanded, routes);
    }

    fn value(&mut self, route: &Route, name: &str, value: &str) {
        let mut stays = !route.elsewhere;
        for step in &route.steps {
            let filled = self.step(step, name, value);
            stays &= step.copy || !filled;
        }
        if stays {
            self.stay(name, |out| write_string(value, out));
        }
    }

    /// Adds a value to the event data; of two with one name the first counts.
    fn stay(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
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

    /// Carries out one step; whether the value found its field.
    fn step(&mut self, step: &Step, name: &str, value: &str) -> bool {
        let value = match step.values.get(value) {
            Some(other) => other.as_str(),
            None if step.values.is_empty() || step.others => value,
            None => return false,
        };
        let rank = step.rank;
        let slots = step.slots.as_slice();
        match (step.kind, slots) {
            (Kind::Words, _) => {
                self.stay(name, |out| write_strings(out, value.split_whitespace()));
                true
            }
            (Kind::Replaced, _) => {
                self.stay(name, |out| write_string(value, out));
                true
            }
            (Kind::Text, &[slot]) => self.put(slot, rank, value, step.related),
            (Kind::AccountName, &[slot]) => {
                let account = value.split('@').next().unwrap_or(value);
                self.put(slot, rank, account, step.related)
            }
            (Kind::Integer, &[slot]) => convert::integer(value).is_some_and(|number| {
                self.document.number(slot, rank, number);
                true
            }),
            (Kind::Boolean, &[slot]) => value.parse::<bool>().is_ok_and(|value| {
                self.document.boolean(slot, rank, value);
                true
            }),
            (Kind::Ip, &[slot]) => convert::address(value).is_some_and(|address| {
                self.put(slot, rank, &address.to_string(), step.related);
                true
            }),
            (Kind::Hashes, &[md5, sha1, sha256, imphash]) => self.hashes(rank, value, [md5, sha1, sha256, imphash]),
            (Kind::Path, &[path, name, directory, extension]) => {
                self.put(path, rank, value, step.related);
                self.path(rank, value, [name, directory, extension]);
                true
            }
            (Kind::Executable, &[path, name]) => {
                let filled = self.put(path, rank, value, step.related);
                self.put(name, rank, convert::file_name(value).unwrap_or_default(), None);
                filled
            }
            (Kind::UnixPath, &[path, name, directory, extension]) => {
                self.put(path, rank, value, step.related);
                self.unix_path(rank, value, [name, directory, extension]);
                true
            }
            (Kind::UnixExecutable, &[path, name]) => {
                let filled = self.put(path, rank, value, step.related);
                self.put(name, rank, value.rsplit('/').next().unwrap_or(value), None);
                filled
            }
            (Kind::CommandLine, &[line, args, count]) => {
                let mut buffer = std::mem::take(&mut self.buffer);
                let split = |take: &mut dyn FnMut(&str)| convert::split_command_line(value, &mut buffer, take);
                let filled = self.command_line(rank, value, [line, args, count], split);
                self.buffer = buffer;
                filled
            }
            (Kind::AuditedCommandLine, &[line, args, count]) => {
                let split =
                    |take: &mut dyn FnMut(&str)| convert::split_keeping_quotes(value).into_iter().for_each(take);
                self.command_line(rank, value, [line, args, count], split)
            }
            (Kind::Account, &[domain, name]) => value.split_once('\\').is_some_and(|(domain_name, account)| {
                self.put(domain, rank, domain_name, None);
                self.put(name, rank, account, step.related);
                true
            }),
            (Kind::RegistryPath, &[path, hive, key, last]) => {
                self.put(path, rank, value, None);
                self.registry_path(rank, value, [hive, key, last]);
                true
            }
            (Kind::RegistryData, &[strings, kind]) => {
                let (text, name) = convert::registry_data(value);
                self.document.texts(strings, rank, [text.as_str()]);
                self.put(kind, rank, name, None);
                true
            }
            (Kind::DnsAnswers, &[answers, resolved]) => self.dns_answers(rank, value, answers, resolved),
            _ => false,
        }
    }

    fn put(&mut self, slot: Slot, rank: u32, text: &str, related: Option<Related>) -> bool {
        let filled = !text.is_empty() && self.document.text(slot, rank, text);
        if let Some(related) = related
            && filled
            && text != "-"
        {
            self.relate(related, text);
        }
        filled
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

    fn hashes(&mut self, rank: u32, value: &str, [md5, sha1, sha256, imphash]: [Slot; 4]) -> bool {
        for (name, hash) in convert::hashes(value) {
            let slot = match name.as_str() {
                "md5" => md5,
                "sha1" => sha1,
                "sha256" => sha256,
                "imphash" => imphash,
                _ => continue,
            };
            self.put(slot, rank, &hash, Some(Related::Hash));
        }
        true
    }

    fn path(&mut self, rank: u32, value: &str, [name, directory, extension]: [Slot; 3]) {
        let Some(index) = value.rfind('\\') else { return };
        self.put(name, rank, &value[index + 1..], None);
        self.put(directory, rank, &value[..index], None);
        if let Some(dot) = value.rfind('.') {
            self.put(extension, rank, &value[dot + 1..], None);
        }
    }

    fn unix_path(&mut self, rank: u32, value: &str, [name, directory, extension]: [Slot; 3]) {
        let Some((above, base)) = value.rsplit_once('/') else { return };
        self.put(name, rank, base, None);
        self.put(directory, rank, if above.is_empty() { "/" } else { above }, None);
        // A name that only starts with a dot has no extension.
        if let Some((_, last)) = base.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            self.put(extension, rank, last, None);
        }
    }

    fn command_line(
        &mut self,
        rank: u32,
        value: &str,
        [line, args, count]: [Slot; 3],
        mut split: impl FnMut(&mut dyn FnMut(&str)),
    ) -> bool {
        if !self.put(line, rank, value, None) {
            return false;
        }
        let mut number = 0;
        self.document.each_text(args, rank, |take| {
            split(&mut |argument| {
                number += 1;
                take(argument);
            });
        });
        // Where nobody looks at the arguments they were not split.
        if number == 0 && self.document.wants(count) {
            split(&mut |_| number += 1);
        }
        self.document.number(count, rank, number)
    }

    fn registry_path(&mut self, rank: u32, value: &str, [hive, key, last]: [Slot; 3]) {
        let (first, rest) = value.split_once('\\').unwrap_or((value, ""));
        if let Some(name) = convert::registry_hive(first) {
            self.put(hive, rank, name, None);
            self.put(key, rank, rest, None);
        }
        self.put(last, rank, value.rsplit('\\').next().unwrap_or(value), None);
    }

    fn dns_answers(&mut self, rank: u32, value: &str, answers: Slot, resolved: Slot) -> bool {
        let found = convert::dns_answers(value);
        let addresses: Vec<String> = found
            .iter()
            .filter_map(|answer| match answer {
                Answer::Address(address) => Some(address.to_string()),
                Answer::Record { .. } => None,
            })
            .collect();
        if found.is_empty() {
            return true;
        }
        self.document.json(answers, rank, |out| write_answers(out, &found));
        if !addresses.is_empty() {
            self.document.texts(resolved, rank, addresses.iter().map(String::as_str));
        }
        for answer in &found {
            match answer {
                Answer::Record { data: Some(data), .. } => self.relate(Related::Hosts, data),
                Answer::Record { .. } => {}
                Answer::Address(address) => self.relate(Related::Ip, &address.to_string()),
            }
        }
        true
    }

    fn finish(&mut self, mappings: &Mappings, record: &Record) {
        for (related, path) in [
            (Related::Hash, const { common("related.hash") }),
            (Related::Hosts, const { common("related.hosts") }),
            (Related::Ip, const { common("related.ip") }),
            (Related::User, const { common("related.user") }),
        ] {
            let list = &self.related[related as usize];
            if !list.is_empty() {
                let slot = mappings.common[path];
                self.document.texts(slot, FIXED, list.iter().map(String::as_str));
            }
        }
        let root = record.get(System::UserDataName);
        if !root.is_empty() {
            self.stay("xml_name", |out| write_string(root, out));
        }
        if !self.event_data.is_empty() {
            let path = if root.is_empty() { common("winlog.event_data") } else { common("winlog.user_data") };
            let data = &self.event_data;
            self.document.json(mappings.common[path], FIXED, |out| {
                out.push(b'{');
                out.extend_from_slice(data);
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

/// Record types first, addresses (with the type that they must have had) after them, as Elastic's pipeline has it.
fn write_answers(out: &mut Vec<u8>, answers: &[Answer<'_>]) {
    out.push(b'[');
    let mut first = true;
    let mut one = |out: &mut Vec<u8>, kind: Option<&str>, data: Option<&str>| {
        out.extend_from_slice(if std::mem::take(&mut first) { b"{" } else { b",{" });
        if let Some(kind) = kind {
            out.extend_from_slice(b"\"type\":");
            write_string(kind, out);
        }
        if let Some(data) = data {
            out.extend_from_slice(if kind.is_some() { b",\"data\":" } else { b"\"data\":" });
            write_string(data, out);
        }
        out.push(b'}');
    };
    for answer in answers {
        if let Answer::Record { kind, data } = answer {
            one(out, dns_type(kind), *data);
        }
    }
    for answer in answers {
        if let Answer::Address(address) = answer {
            one(out, Some(if address.is_ipv4() { "A" } else { "AAAA" }), Some(&address.to_string()));
        }
    }
    out.push(b']');
}

/// The name of a DNS resource record type (IANA), of those that Sysmon is seen to report.
fn dns_type(number: &str) -> Option<&'static str> {
    Some(match number {
        "1" => "A",
        "2" => "NS",
        "5" => "CNAME",
        "6" => "SOA",
        "12" => "PTR",
        "13" => "HINFO",
        "15" => "MX",
        "16" => "TXT",
        "28" => "AAAA",
        "29" => "LOC",
        "33" => "SRV",
        "35" => "NAPTR",
        "39" => "DNAME",
        "43" => "DS",
        "46" => "RRSIG",
        "47" => "NSEC",
        "48" => "DNSKEY",
        "255" => "ANY",
        "65281" => "WINS",
        "65282" => "WINSR",
        _ => return None,
    })
}

fn event_id(record: &Record) -> u32 {
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
