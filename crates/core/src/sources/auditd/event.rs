//! One event from its records: what each record contributes, and what the whole means. The order and the precedence are
//! those of Auditbeat (`aucoalesce`). It knows no JSON.

use std::borrow::Cow;

use super::arguments::Arguments;
use super::normal::{self, From, Keys, Normal, To};
use super::record::{Fields, Head, Value};
use super::{numbers, sockaddr};

/// A key and its value.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// One PATH record.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'a> {
    pub pairs: Vec<Pair<'a>>,
    pub owner: Option<&'a str>,
    pub group: Option<&'a str>,
}

/// An entity of ECS: a user or group, by number or name.
#[derive(Clone, Debug, Default)]
pub(super) struct Entity<'a> {
    pub set: bool,
    pub id: Option<Cow<'a, str>>,
    pub name: Option<Cow<'a, str>>,
}

/// An address that a socket call names.
#[derive(Clone, Debug, Default)]
pub(super) struct Address {
    pub ip: Option<String>,
    pub port: Option<u16>,
    pub path: Option<String>,
}

/// An event as Auditbeat has it before it becomes a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Event<'a> {
    pub milliseconds: i64,
    pub serial: u64,
    pub node: &'a str,
    /// The record type that the event is named after, as the log writes it.
    pub kind: &'a str,
    /// `success`, `fail` or `unknown`.
    pub result: &'static str,
    /// A failure that overrides the result as outcome.
    pub session: Option<Cow<'a, str>>,
    pub tags: Vec<String>,
    pub category: Vec<&'static str>,
    pub types: Vec<&'static str>,
    pub action: &'static str,
    pub object_type: &'static str,
    pub object: Option<Cow<'a, str>>,
    pub object_second: Option<Cow<'a, str>>,
    pub actor: Option<Cow<'a, str>>,
    pub actor_as: Option<Cow<'a, str>>,
    pub how: Option<Cow<'a, str>>,
    /// Values of keys that end in `uid` or `gid`.
    pub ids: Vec<Pair<'a>>,
    /// Names that ENRICHED gives for them.
    pub names: Vec<(&'a str, &'a str)>,
    pub selinux: Vec<Pair<'a>>,
    pub data: Vec<Pair<'a>>,
    pub paths: Vec<Path<'a>>,
    /// Which of the paths the event is about.
    pub file: Option<usize>,
    pub arguments: Arguments,
    pub source: Option<Address>,
    pub destination: Option<Address>,
    pub direction: Option<&'static str>,
    pub user: Entity<'a>,
    pub effective: Entity<'a>,
    pub target: Entity<'a>,
    pub group: Entity<'a>,
    /// What is wrong with the records, one line each.
    pub faults: Vec<(&'static str, String)>,
}

/// Makes the event of records that share time and number. `None`: only the kernel's end mark, or a compound event whose
/// SYSCALL record is missing (a fault is noted then).
pub(super) fn assemble<'a>(heads: &[Head<'a>], faults: &mut Vec<(&'static str, String)>) -> Option<Event<'a>> {
    let records: Vec<Head<'a>> = heads.iter().filter(|head| head.kind != "EOE").copied().collect();
    let first = records.first()?;
    let system_call = records.iter().position(|head| head.kind == "SYSCALL");
    let named = match (records.len(), system_call) {
        (1, _) | (_, Some(0)) => 0,
        (_, Some(at)) => usize::from(at == 0).min(at),
        (_, None) => {
            let mut kinds: Vec<&str> = records.iter().map(|head| head.kind).collect();
            kinds.dedup();
            kinds.truncate(8);
            faults.push((
                "incomplete audit event",
                format!("event {} has records of {} but no SYSCALL record", first.serial, kinds.join(", ")),
            ));
            return None;
        }
    };
    if records.len() == 1 && matches!(first.kind, "PATH" | "CWD" | "PROCTITLE" | "EXECVE" | "SOCKADDR" | "BPRM_FCAPS") {
        faults.push((
            "incomplete audit event",
            format!("event {} has a record of {} but no SYSCALL record", first.serial, first.kind),
        ));
        return None;
    }
    let mut event = Event {
        milliseconds: first.milliseconds,
        serial: first.serial,
        node: first.node,
        kind: records[named].kind,
        result: "unknown",
        ..Event::default()
    };
    let main = system_call.unwrap_or(0);
    event.begin(&records[main]);
    if records.len() > 1 {
        event.data.retain(|pair| pair.0 != "items");
        for (at, head) in records.iter().enumerate() {
            if at != main {
                event.add(head);
            }
        }
    }
    event.normalise();
    if event.arguments.incomplete() {
        event.faults.push(("incomplete audit event", format!("event {} lacks some arguments", event.serial)));
    }
    faults.append(&mut event.faults);
    Some(event)
}

impl<'a> Event<'a> {
    fn begin(&mut self, head: &Head<'a>) {
        let fields = self.fields(head);
        let (mut values, result) = decode(head.kind, &fields);
        self.result = result.unwrap_or("unknown");
        self.tags = tags(&fields);
        for key in ["auid", "uid"] {
            let value = values.iter().find(|pair| pair.0 == key).map(|pair| pair.1.clone());
            if key == "auid" { self.actor = value } else { self.actor_as = value }
        }
        for pair in values.drain(..) {
            if pair.0 == "ses" {
                self.session = Some(pair.1);
            } else if pair.0.ends_with("uid") || pair.0.ends_with("gid") {
                self.ids.push(pair);
            } else if let Some(part) = pair.0.strip_prefix("subj_") {
                self.selinux.push((Cow::Owned(part.to_owned()), pair.1));
            } else {
                self.data.push(pair);
            }
        }
        self.take_names(&fields);
    }

    fn fields(&mut self, head: &Head<'a>) -> Fields<'a> {
        let fields = Fields::read(head.kind, head.body);
        if fields.cut {
            let message = format!("the {} record of event {} ends inside a quoted value", head.kind, head.serial);
            self.faults.push(("cut audit record", message));
        }
        fields
    }

    fn take_names(&mut self, fields: &Fields<'a>) {
        for (key, _) in fields.iter().filter(|(key, _)| key.ends_with("uid") || key.ends_with("gid")) {
            if let Some(name) = fields.name(key) {
                self.names.push((key, name));
            }
        }
    }

    /// A record besides the SYSCALL record (or a second record of any kind).
    fn add(&mut self, head: &Head<'a>) {
        match head.kind {
            "SYSCALL" => {}
            "EXECVE" => self.arguments.read(head.body),
            "PATH" => {
                let fields = self.fields(head);
                let (owner, group) = (fields.name("ouid"), fields.name("ogid"));
                self.paths.push(Path { pairs: decode("PATH", &fields).0, owner, group });
            }
            "SOCKADDR" => self.add_address(head),
            _ => {
                let fields = self.fields(head);
                let (values, result) = decode(head.kind, &fields);
                self.take_names(&fields);
                for pair in values {
                    self.add_data(pair);
                }
                if let Some(result) = result {
                    self.add_data((Cow::Borrowed("result"), Cow::Borrowed(result)));
                }
                if self.tags.is_empty() {
                    self.tags = tags(&fields);
                }
            }
        }
    }

    /// The first record that has a key wins.
    fn add_data(&mut self, pair: Pair<'a>) {
        if self.datum(&pair.0).is_none() {
            self.data.push(pair);
        }
    }

    /// A value of `auditd.data`.
    pub fn datum(&self, key: &str) -> Option<&Cow<'a, str>> {
        self.data.iter().find(|pair| pair.0 == key).map(|pair| &pair.1)
    }

    fn value(&self, key: &str) -> Option<Cow<'a, str>> {
        let id = || self.ids.iter().find(|pair| pair.0 == key).map(|pair| &pair.1);
        self.datum(key).or_else(id).cloned()
    }

    fn add_address(&mut self, head: &Head<'a>) {
        let fields = self.fields(head);
        let Some(bytes) = fields.get("saddr") else { return };
        let Some(address) = sockaddr::read(bytes.text) else {
            let message = format!("the address of event {} is no socket address", head.serial);
            self.faults.push(("bad socket address", message));
            return;
        };
        let mut put = |key: &'static str, value: Option<String>| {
            if let Some(value) = value {
                self.data.push((Cow::Borrowed(key), Cow::Owned(value)));
            }
        };
        put("socket_family", Some(address.family.clone()));
        put("socket_addr", address.address.clone());
        put("socket_port", address.port.map(|port| port.to_string()));
        put("socket_flow", address.flow.map(|flow| flow.to_string()));
        put("socket_path", address.path.clone());
        put("socket_saddr", address.raw);
        let known = address.address.is_some() || address.path.is_some();
        let end = known.then_some(Address { ip: address.address, port: address.port, path: address.path });
        match self.datum("syscall").map(AsRef::as_ref) {
            Some("recvfrom" | "recvmsg" | "accept" | "accept4") => {
                (self.source, self.direction) = (end, Some("ingress"));
            }
            Some("connect" | "sendto" | "sendmsg") => (self.destination, self.direction) = (end, Some("egress")),
            _ => {}
        }
    }

    fn normalise(&mut self) {
        self.how = self.usual_means();
        let system_call = self.datum("syscall").map(|name| normal::system_call(name));
        let own = match self.kind {
            "SYSCALL" => system_call,
            kind => normal::record_type(kind, |key| self.datum(key).is_some()),
        };
        let Some(normal) = own else {
            self.category = vec![normal::category(self.kind)];
            return;
        };
        self.category = normal.category.to_vec();
        self.types = normal.types.to_vec();
        if let (Some(call), true) = (system_call, self.kind != "SYSCALL") {
            self.category.extend(call.category);
            self.types.extend(call.types);
        }
        if self.category.is_empty() {
            self.category = vec![normal::category(self.kind)];
        }
        self.action = normal.action;
        self.object_type = normal.what;
        match normal.what {
            "file" | "filesystem" => self.choose_file(normal.path),
            "socket" => self.choose_socket(),
            _ => {}
        }
        self.name_parties(&normal.keys);
        if normal.remote && self.source.is_none() {
            self.take_remote_address();
        }
        self.name_entities(&normal);
    }

    /// The program, or the script's name where the program is an interpreter.
    fn usual_means(&self) -> Option<Cow<'a, str>> {
        const INTERPRETERS: &[&str] = &["/usr/bin/python", "/usr/bin/sh", "/usr/bin/bash", "/usr/bin/perl"];
        let name = self.datum("comm");
        let program = self.datum("exe").or(name)?;
        let interpreted = INTERPRETERS.iter().any(|prefix| program.starts_with(prefix));
        Some(name.filter(|_| interpreted).unwrap_or(program).clone())
    }

    fn choose_file(&mut self, hint: usize) {
        let start = if self.paths.len() > hint { hint } else { 0 };
        let Some(rest) = self.paths.get(start..).filter(|rest| !rest.is_empty()) else { return };
        let is_subject = |path: &Path<'_>| !matches!(path.get("nametype"), Some("PARENT" | "UNKNOWN"));
        let chosen = start + rest.iter().position(is_subject).unwrap_or(0);
        self.file = Some(chosen);
        let path = &self.paths[chosen];
        if let Some(name) = path.pairs.iter().find(|pair| pair.0 == "name") {
            self.object = Some(name.1.clone());
        }
        // Auditbeat reads the mode so that whatever has one is a file.
        if path.get("mode").is_some() {
            self.object_type = "file";
        }
    }

    fn choose_socket(&mut self) {
        self.object = self.datum("socket_addr").or_else(|| self.datum("socket_path")).cloned();
        self.object_second = self.datum("socket_port").cloned();
    }

    fn name_parties(&mut self, keys: &Keys) {
        let first = |keys: &[&str]| keys.iter().find_map(|key| self.value(key));
        let (actor, actor_as) = (first(keys.actor), first(keys.actor_as));
        let (object, second, how) = (first(keys.object), first(keys.object_second), first(keys.how));
        for (place, value) in [
            (&mut self.actor, actor),
            (&mut self.actor_as, actor_as),
            (&mut self.object, object),
            (&mut self.object_second, second),
            (&mut self.how, how),
        ] {
            if value.is_some() {
                *place = value;
            }
        }
    }

    fn take_remote_address(&mut self) {
        let Some(at) = self.data.iter().position(|pair| pair.0 == "addr") else { return };
        let (_, address) = self.data.remove(at);
        self.source = Some(Address { ip: Some(address.into_owned()), ..Address::default() });
        self.direction = Some("ingress");
    }

    fn name_entities(&mut self, normal: &Normal) {
        for (from, to) in normal.entities {
            let value = match from {
                From::Actor => self.actor.clone(),
                From::ActorAs => self.actor_as.clone(),
                From::Object => self.object.clone(),
                From::UserId => self.ids.iter().find(|pair| pair.0 == "uid").map(|pair| pair.1.clone()),
            };
            let entity = match to {
                To::User => &mut self.user,
                To::Effective => &mut self.effective,
                To::Target => &mut self.target,
                To::Group => &mut self.group,
            };
            *entity = Entity::of(value);
        }
    }

    /// The name that the log gives for a number, whatever key it stood at.
    pub fn name_of(&self, number: &str, suffix: &str) -> Option<&'a str> {
        let named = self.names.iter().filter(|(key, _)| key.ends_with(suffix));
        named.into_iter().find(|(key, _)| self.ids.iter().any(|pair| pair.0 == *key && pair.1 == number)).map(|n| n.1)
    }
}

impl Path<'_> {
    /// A value of the record.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1.as_ref())
    }
}

impl<'a> Entity<'a> {
    fn of(value: Option<Cow<'a, str>>) -> Self {
        match value {
            None => Self { set: true, ..Self::default() },
            Some(value) if matches!(value.as_ref(), "" | "unset" | "4294967295" | "-1") => {
                Self { set: true, ..Self::default() }
            }
            Some(value) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self { set: true, id: Some(value), name: None }
            }
            Some(value) => Self { set: true, id: None, name: Some(value) },
        }
    }
}

/// The values of a record, decoded, and its result.
fn decode<'a>(kind: &str, fields: &Fields<'a>) -> (Vec<Pair<'a>>, Option<&'static str>) {
    let mut values = Vec::with_capacity(32);
    let mut result = None;
    let architecture = fields.get("arch").map(|value| architecture(value, fields));
    let old_login = kind == "LOGIN" && fields.get("old-auid").is_none() && fields.get("new_auid").is_some();
    for (key, value) in fields.iter() {
        let decoded = match key {
            "success" | "res" => {
                result = Some(outcome(value.text));
                continue;
            }
            "key" => continue,
            "auid" if old_login => continue,
            "auid" | "old-auid" | "ses" => unset(value.text),
            "subj" | "obj" => {
                context(key, value.text, &mut values);
                continue;
            }
            "arch" => architecture.clone().unwrap_or_default(),
            "syscall" => call_name(value, architecture.as_deref(), fields),
            "exit" => exit_code(value.text),
            "sig" if kind == "SECCOMP" => Cow::Borrowed(signal(value.text).unwrap_or(value.text)),
            "seperms" => Cow::Owned(value.text.split_whitespace().collect::<Vec<_>>().join(",")),
            "cwd" | "exe" | "comm" | "proctitle" | "cmd" | "name" => value.decoded(),
            "acct" if kind.starts_with("USER_LOGIN") || kind.contains("USER") || kind.contains("CRED") => {
                value.decoded()
            }
            "data" if matches!(kind, "TTY" | "USER_TTY") => value.decoded(),
            _ => Cow::Borrowed(value.text),
        };
        values.push((Cow::Borrowed(key), decoded));
    }
    (values, result)
}

fn unset(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(if matches!(text, "4294967295" | "-1") { "unset" } else { text })
}

fn outcome(text: &str) -> &'static str {
    let good = text.eq_ignore_ascii_case("yes") || text == "1" || text.to_ascii_lowercase().starts_with("suc");
    if good { "success" } else { "fail" }
}

fn architecture<'a>(value: Value<'a>, fields: &Fields<'a>) -> Cow<'a, str> {
    let number = u32::from_str_radix(value.text, 16).ok();
    let name = number.and_then(numbers::architecture).or_else(|| fields.name("arch"));
    Cow::Borrowed(name.unwrap_or(value.text))
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
fn context<'a>(key: &'a str, text: &'a str, values: &mut Vec<Pair<'a>>) {
    const PARTS: &[&str] = &["user", "role", "domain", "level", "category"];
    for (name, part) in PARTS.iter().zip(text.splitn(PARTS.len(), ':')) {
        values.push((Cow::Owned(format!("{key}_{name}")), Cow::Borrowed(part)));
    }
}

/// The keys of the audit rules that fired: plain, `key=…`, or several in hexadecimal with 0x01 between them.
fn tags(fields: &Fields<'_>) -> Vec<String> {
    let Some(key) = fields.get("key") else { return Vec::new() };
    if let Some(bytes) = super::record::unhex(key.text).filter(|_| !key.quoted) {
        return String::from_utf8_lossy(&bytes).split('\u{1}').map(str::to_owned).collect();
    }
    vec![key.text.split_once('=').map_or(key.text, |(_, name)| name).to_owned()]
}
