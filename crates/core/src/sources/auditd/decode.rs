//! What the values of one record say: numbers by their names, hexadecimal as text. It knows no other record of the event.

use std::borrow::Cow;

use super::data::Pair;
use super::event::Faults;
use super::keys::Key;
use super::numbers;
use super::record::{Field, Fields, Head, Value, unhex};
use super::wishes::KeySet;

/// Reads the wanted fields of a record.
pub(super) fn read<'a>(head: &Head<'a>, keys: &KeySet, fields: &mut Fields<'a>, faults: &mut Faults) {
    fields.read(head.kind, head.body, keys);
    if fields.cut {
        let message = format!("the {} record of event {} ends inside a quoted value", head.kind, head.serial);
        faults.push(("cut audit record", message));
    }
}

/// Appends the values of a record, decoded; gives its result.
pub(super) fn decode<'a>(kind: &str, fields: &Fields<'a>, values: &mut Vec<Pair<'a>>) -> Option<&'static str> {
    let mut result = None;
    let architecture = fields.get(Key::Architecture).map(|value| architecture(value, fields));
    let old_login = kind == "LOGIN" && fields.get(Key::OldAudit).is_none() && fields.get(Key::NewAuditOld).is_some();
    for Field { key, name, value } in fields.iter() {
        let decoded = match key {
            Key::Success | Key::Result => {
                result = Some(outcome(value.text));
                continue;
            }
            Key::RuleKeys => continue,
            Key::Audit if old_login => continue,
            Key::Audit | Key::OldAudit | Key::Session => unset(value.text),
            Key::Subject | Key::Object => {
                context(key, value.text, values);
                continue;
            }
            Key::Architecture => Cow::Borrowed(architecture.unwrap_or_default()),
            Key::SystemCall => call_name(value, architecture, fields),
            Key::Exit => exit_code(value.text),
            Key::Signal if kind == "SECCOMP" => Cow::Borrowed(signal(value.text).unwrap_or(value.text)),
            Key::SePermissions => Cow::Owned(value.text.split_whitespace().collect::<Vec<_>>().join(",")),
            Key::Cwd | Key::Executable | Key::CommandName | Key::Title | Key::Command | Key::Name => value.decoded(),
            Key::Account if kind.starts_with("USER_LOGIN") || kind.contains("USER") || kind.contains("CRED") => {
                value.decoded()
            }
            Key::Data if matches!(kind, "TTY" | "USER_TTY") => value.decoded(),
            _ => Cow::Borrowed(value.text),
        };
        values.push(Pair { key, name, value: decoded });
    }
    result
}

fn unset(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(if matches!(text, "4294967295" | "-1") { "unset" } else { text })
}

fn outcome(text: &str) -> &'static str {
    let good = text.eq_ignore_ascii_case("yes") || text == "1" || text.to_ascii_lowercase().starts_with("suc");
    if good { "success" } else { "fail" }
}

fn architecture<'a>(value: Value<'a>, fields: &Fields<'a>) -> &'a str {
    let number = u32::from_str_radix(value.text, 16).ok();
    let name = number.and_then(numbers::architecture).or_else(|| fields.name("arch"));
    name.unwrap_or(value.text)
}

fn call_name<'a>(value: Value<'a>, architecture: Option<&str>, fields: &Fields<'a>) -> Cow<'a, str> {
    let number = value.text.parse().ok();
    let known = architecture.zip(number).and_then(|(name, number)| numbers::system_call(name, number));
    Cow::Borrowed(known.or_else(|| fields.name("syscall")).unwrap_or(value.text))
}

fn exit_code(text: &str) -> Cow<'_, str> {
    let number = text.strip_prefix('-').and_then(|number| number.parse().ok());
    Cow::Borrowed(number.and_then(numbers::error).unwrap_or(text))
}

fn signal(text: &str) -> Option<&'static str> {
    const SIGNALS: &[&str] = &[
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    SIGNALS.get(text.parse::<usize>().ok()?.checked_sub(1)?).copied()
}

/// `user:role:domain:level:category` of `SELinux`.
fn context<'a>(key: Key, text: &'a str, values: &mut Vec<Pair<'a>>) {
    const SUBJECT: [Key; 5] =
        [Key::SubjectUser, Key::SubjectRole, Key::SubjectDomain, Key::SubjectLevel, Key::SubjectCategory];
    const OBJECT: [Key; 5] =
        [Key::ObjectUser, Key::ObjectRole, Key::ObjectDomain, Key::ObjectLevel, Key::ObjectCategory];
    let keys = if key == Key::Subject { SUBJECT } else { OBJECT };
    for (key, part) in keys.into_iter().zip(text.splitn(keys.len(), ':')) {
        values.push(Pair { key, name: key.text(), value: Cow::Borrowed(part) });
    }
}

/// The keys of the audit rules that fired: plain, `key=…`, or several in hexadecimal with 0x01 between them.
pub(super) fn tags<'a>(fields: &Fields<'a>, out: &mut Vec<Cow<'a, str>>) {
    let Some(key) = fields.get(Key::RuleKeys) else { return };
    if !key.quoted
        && let Some(bytes) = unhex(key.text)
    {
        out.extend(String::from_utf8_lossy(&bytes).split('\u{1}').map(|tag| Cow::Owned(tag.to_owned())));
        return;
    }
    out.push(Cow::Borrowed(key.text.split_once('=').map_or(key.text, |(_, name)| name)));
}
