//! The steps of a mapping: how one value becomes fields. It knows neither records nor where the fields lie.

use super::convert::{self, Answer};
use super::document::Slot;
use super::mapping::{Kind, Provider, Related, Step};
use super::routes::Route;
use crate::json::write_string;
use std::borrow::Cow;

/// The document that steps fill.
pub(super) trait Fields {
    /// Gives the slot a text, unless it has a value of a better (lower) rank. Whether it did.
    fn text(&mut self, slot: Slot, rank: u32, text: &str) -> bool;
    /// A whole number, likewise.
    fn number(&mut self, slot: Slot, rank: u32, number: i64) -> bool;
    /// A boolean, likewise.
    fn boolean(&mut self, slot: Slot, rank: u32, value: bool) -> bool;
    /// A list of the texts that `give` gives, likewise.
    fn each_text(&mut self, slot: Slot, rank: u32, give: impl FnOnce(&mut dyn FnMut(&str))) -> bool;
    /// Anything else, likewise: `write` appends its JSON.
    fn json(&mut self, slot: Slot, rank: u32, write: impl FnOnce(&mut Vec<u8>)) -> bool;
    /// Whether anybody looks at the slot.
    fn wants(&self, slot: Slot) -> bool;
    /// Adds a text to a list below `related`.
    fn relate(&mut self, related: Related, text: &str);
    /// Adds a value to the event data; of two with one name the first counts.
    fn stay(&mut self, name: &str, value: &str);
    /// Adds the words of a value to the event data, likewise.
    fn stay_words(&mut self, name: &str, value: &str);

    /// Gives the slot a text that is not empty, and adds it to a list below `related`. Whether the slot has it.
    fn put(&mut self, slot: Slot, rank: u32, text: &str, related: Option<Related>) -> bool {
        let filled = !text.is_empty() && self.text(slot, rank, text);
        if let Some(related) = related
            && filled
            && text != "-"
        {
            self.relate(related, text);
        }
        filled
    }
}

/// A value as it counts; none for one that counts as none.
pub(super) fn meaning<'v>(provider: Option<&Provider>, value: &'v str) -> Option<Cow<'v, str>> {
    let ended = !matches!(value.as_bytes().last(), Some(b'\r' | b'\n' | 0));
    let value = if ended { value } else { value.trim_end_matches(['\r', '\n', '\0']) };
    if value.is_empty() || provider.is_some_and(|provider| provider.empty.iter().any(|empty| empty == value)) {
        return None;
    }
    Some(match memchr::memchr(b'\r', value.as_bytes()) {
        Some(_) => Cow::Owned(value.replace("\r\n", "\n")),
        None => Cow::Borrowed(value),
    })
}

/// Takes a value to its fields, else to the event data. `buffer` is for texts that are put together.
pub(super) fn take<F: Fields>(fields: &mut F, buffer: &mut String, route: &Route, name: &str, value: &str) {
    let mut stays = !route.elsewhere;
    for step in &route.steps {
        let filled = carry_out(fields, buffer, step, name, value);
        stays &= step.copy || !filled;
    }
    if stays {
        fields.stay(name, value);
    }
}

/// Carries out one step; whether the value found its field.
fn carry_out<F: Fields>(fields: &mut F, buffer: &mut String, step: &Step, name: &str, value: &str) -> bool {
    let value = match step.values.get(value) {
        Some(other) => other.as_str(),
        None if step.values.is_empty() || step.others => value,
        None => return false,
    };
    let rank = step.rank;
    let slots = step.slots.as_slice();
    match (step.kind, slots) {
        (Kind::Words, _) => {
            fields.stay_words(name, value);
            true
        }
        (Kind::Replaced, _) => {
            fields.stay(name, value);
            true
        }
        (Kind::Text, &[slot]) => fields.put(slot, rank, value, step.related),
        (Kind::AccountName, &[slot]) => {
            let account = value.split('@').next().unwrap_or(value);
            fields.put(slot, rank, account, step.related)
        }
        (Kind::Integer, &[slot]) => convert::integer(value).is_some_and(|number| {
            fields.number(slot, rank, number);
            true
        }),
        (Kind::Boolean, &[slot]) => value.parse::<bool>().is_ok_and(|value| {
            fields.boolean(slot, rank, value);
            true
        }),
        (Kind::Ip, &[slot]) => convert::address(value).is_some_and(|address| {
            fields.put(slot, rank, &address.to_string(), step.related);
            true
        }),
        (Kind::Hashes, &[md5, sha1, sha256, imphash]) => {
            hashes(fields, buffer, rank, value, &[md5, sha1, sha256, imphash])
        }
        (Kind::Path, &[path, name, directory, extension]) => {
            fields.put(path, rank, value, step.related);
            windows_path(fields, rank, value, [name, directory, extension]);
            true
        }
        (Kind::Executable, &[path, name]) => {
            let filled = fields.put(path, rank, value, step.related);
            fields.put(name, rank, convert::file_name(value).unwrap_or_default(), None);
            filled
        }
        (Kind::UnixPath, &[path, name, directory, extension]) => {
            fields.put(path, rank, value, step.related);
            unix_path(fields, rank, value, [name, directory, extension]);
            true
        }
        (Kind::UnixExecutable, &[path, name]) => {
            let filled = fields.put(path, rank, value, step.related);
            fields.put(name, rank, value.rsplit('/').next().unwrap_or(value), None);
            filled
        }
        (Kind::CommandLine, &[line, args, count]) => {
            let split = |take: &mut dyn FnMut(&str)| convert::split_command_line(value, buffer, take);
            command_line(fields, rank, value, [line, args, count], split)
        }
        (Kind::AuditedCommandLine, &[line, args, count]) => {
            let split = |take: &mut dyn FnMut(&str)| convert::split_keeping_quotes(value).into_iter().for_each(take);
            command_line(fields, rank, value, [line, args, count], split)
        }
        (Kind::Account, &[domain, name]) => value.split_once('\\').is_some_and(|(domain_name, account)| {
            fields.put(domain, rank, domain_name, None);
            fields.put(name, rank, account, step.related);
            true
        }),
        (Kind::RegistryPath, &[path, hive, key, last]) => {
            fields.put(path, rank, value, None);
            registry_path(fields, rank, value, [hive, key, last]);
            true
        }
        (Kind::RegistryData, &[strings, kind]) => {
            let (text, name) = convert::registry_data(value);
            fields.each_text(strings, rank, |take| take(&text));
            fields.put(kind, rank, name, None);
            true
        }
        (Kind::DnsAnswers, &[answers, resolved]) => dns_answers(fields, rank, value, answers, resolved),
        _ => false,
    }
}

/// Hashes go to their fields in lower case; of two with one name the first counts.
fn hashes<F: Fields>(fields: &mut F, buffer: &mut String, rank: u32, value: &str, slots: &[Slot; 4]) -> bool {
    const NAMES: [&str; 4] = ["md5", "sha1", "sha256", "imphash"];
    let mut seen = [false; NAMES.len()];
    for (name, hash) in convert::hashes(value) {
        let Some(place) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) else { continue };
        let (slot, known) = (slots[place], std::mem::replace(&mut seen[place], true));
        if known {
            continue;
        }
        buffer.clear();
        buffer.push_str(hash);
        buffer.make_ascii_lowercase();
        fields.put(slot, rank, buffer, Some(Related::Hash));
    }
    true
}

fn windows_path<F: Fields>(fields: &mut F, rank: u32, value: &str, [name, directory, extension]: [Slot; 3]) {
    let Some(index) = value.rfind('\\') else { return };
    fields.put(name, rank, &value[index + 1..], None);
    fields.put(directory, rank, &value[..index], None);
    if let Some(dot) = value.rfind('.') {
        fields.put(extension, rank, &value[dot + 1..], None);
    }
}

fn unix_path<F: Fields>(fields: &mut F, rank: u32, value: &str, [name, directory, extension]: [Slot; 3]) {
    let Some((above, base)) = value.rsplit_once('/') else { return };
    fields.put(name, rank, base, None);
    fields.put(directory, rank, if above.is_empty() { "/" } else { above }, None);
    // A name that only starts with a dot has no extension.
    if let Some((_, last)) = base.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        fields.put(extension, rank, last, None);
    }
}

fn command_line<F: Fields>(
    fields: &mut F,
    rank: u32,
    value: &str,
    [line, args, count]: [Slot; 3],
    mut split: impl FnMut(&mut dyn FnMut(&str)),
) -> bool {
    if !fields.put(line, rank, value, None) {
        return false;
    }
    let mut number = 0;
    fields.each_text(args, rank, |take| {
        split(&mut |argument| {
            number += 1;
            take(argument);
        });
    });
    // Where nobody looks at the arguments they were not split.
    if number == 0 && fields.wants(count) {
        split(&mut |_| number += 1);
    }
    fields.number(count, rank, number)
}

fn registry_path<F: Fields>(fields: &mut F, rank: u32, value: &str, [hive, key, last]: [Slot; 3]) {
    let (first, rest) = value.split_once('\\').unwrap_or((value, ""));
    if let Some(name) = convert::registry_hive(first) {
        fields.put(hive, rank, name, None);
        fields.put(key, rank, rest, None);
    }
    fields.put(last, rank, value.rsplit('\\').next().unwrap_or(value), None);
}

fn dns_answers<F: Fields>(fields: &mut F, rank: u32, value: &str, answers: Slot, resolved: Slot) -> bool {
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
    fields.json(answers, rank, |out| write_answers(out, &found));
    if !addresses.is_empty() {
        fields.each_text(resolved, rank, |take| addresses.iter().for_each(|address| take(address)));
    }
    for answer in &found {
        match answer {
            Answer::Record { data: Some(data), .. } => fields.relate(Related::Hosts, data),
            Answer::Record { .. } => {}
            Answer::Address(address) => fields.relate(Related::Ip, &address.to_string()),
        }
    }
    true
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
