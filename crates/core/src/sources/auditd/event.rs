//! One event from its records: what each record contributes, and what the whole means. The order and the precedence are
//! those of Auditbeat (`aucoalesce`). It knows no JSON.

use std::borrow::Cow;

use super::arguments::Arguments;
use super::keys::{COUNT, Key};
use super::normal::{self, From, Keys, Normal, To};
use super::record::{Field, Fields, Head, Value};
use super::{numbers, sockaddr};
use std::ops::Range;

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Pair<'a> {
    pub key: Key,
    /// The key as it stands in the record.
    pub name: &'a str,
    pub value: Cow<'a, str>,
}

/// Keys and values in order.
#[derive(Clone, Debug)]
pub(super) struct Data<'a> {
    pairs: Vec<Pair<'a>>,
    /// Where each known key is first, counted from 1.
    places: [u16; COUNT],
}

impl Default for Data<'_> {
    fn default() -> Self {
        Self { pairs: Vec::new(), places: [0; COUNT] }
    }
}

impl<'a> Data<'a> {
    fn clear(&mut self) {
        self.pairs.drain(..).for_each(|pair| self.places[pair.key as usize] = 0);
    }

    fn push(&mut self, pair: Pair<'a>) {
        let place = &mut self.places[pair.key as usize];
        if *place == 0 {
            // Beyond so many pairs, the list itself is searched.
            *place = (self.pairs.len() + 1).try_into().unwrap_or(u16::MAX);
        }
        self.pairs.push(pair);
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter()
    }

    /// The first value of a key.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&Cow<'a, str>> {
        self.pairs.get(self.place(key)?).map(|pair| &pair.value)
    }

    fn place(&self, key: Key) -> Option<usize> {
        match self.places[key as usize] {
            u16::MAX => self.pairs.iter().position(|pair| pair.key == key),
            place => usize::from(place).checked_sub(1),
        }
    }

    fn by_name(&self, key: Key, name: &str) -> Option<&Cow<'a, str>> {
        if key != Key::Other {
            return self.get(key);
        }
        self.pairs.iter().find(|pair| pair.key == key && pair.name == name).map(|pair| &pair.value)
    }

    fn remove(&mut self, key: Key) -> Option<Cow<'a, str>> {
        let removed = self.pairs.remove(self.place(key)?);
        self.places = [0; COUNT];
        std::mem::take(&mut self.pairs).into_iter().for_each(|pair| self.push(pair));
        Some(removed.value)
    }
}

/// One PATH record: which of the pairs are its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'a> {
    pairs: Range<usize>,
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
    pub tags: Vec<Cow<'a, str>>,
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
    pub ids: Data<'a>,
    /// Names that ENRICHED gives for them.
    pub names: Vec<(Key, &'a str, &'a str)>,
    pub selinux: Vec<Pair<'a>>,
    pub data: Data<'a>,
    pub paths: Vec<Path<'a>>,
    path_pairs: Vec<Pair<'a>>,
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
}

/// Faults of an event: kind, and what is wrong in one line.
pub(super) type Faults = Vec<(&'static str, String)>;

/// Assembles events, one after the other in the same memory.
#[derive(Debug, Default)]
pub(super) struct Assembler<'a> {
    event: Event<'a>,
    fields: Fields<'a>,
    values: Vec<Pair<'a>>,
    heads: Vec<Head<'a>>,
}

impl<'a> Assembler<'a> {
    /// Makes the event of records that share time and number. `None`: only the kernel's end mark, or a compound event whose
    /// SYSCALL record is missing (a fault is noted then).
    pub fn assemble(&mut self, heads: impl Iterator<Item = Head<'a>>, faults: &mut Faults) -> Option<&Event<'a>> {
        self.heads.clear();
        self.heads.extend(heads.filter(|head| head.kind != "EOE"));
        let (named, main) = which(&self.heads, faults)?;
        let first = self.heads.first()?;
        self.event.clear();
        self.event.milliseconds = first.milliseconds;
        self.event.serial = first.serial;
        self.event.node = first.node;
        self.event.kind = self.heads[named].kind;
        let compound = self.heads.len() > 1;
        let fields = &mut self.fields;
        self.event.begin(&self.heads[main], compound, fields, &mut self.values, faults);
        if compound {
            for (at, head) in self.heads.iter().enumerate() {
                if at != main {
                    self.event.add(head, fields, &mut self.values, faults);
                }
            }
        }
        self.event.arguments.arrange();
        self.event.normalise();
        if self.event.arguments.incomplete() {
            faults.push(("incomplete audit event", format!("event {} lacks some arguments", self.event.serial)));
        }
        Some(&self.event)
    }
}

/// The record that an event is named after, and the one that tells most.
fn which(records: &[Head<'_>], faults: &mut Faults) -> Option<(usize, usize)> {
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
    Some((named, system_call.unwrap_or(0)))
}

impl<'a> Event<'a> {
    /// Forgets the event, keeps the memory.
    fn clear(&mut self) {
        self.tags.clear();
        self.category.clear();
        self.types.clear();
        self.ids.clear();
        self.names.clear();
        self.selinux.clear();
        self.data.clear();
        self.paths.clear();
        self.path_pairs.clear();
        self.arguments.clear();
        (self.action, self.object_type, self.file) = ("", "", None);
        (self.session, self.how) = (None, None);
        (self.object, self.object_second, self.actor, self.actor_as) = (None, None, None, None);
        (self.source, self.destination, self.direction) = (None, None, None);
        (self.user, self.effective) = (Entity::default(), Entity::default());
        (self.target, self.group) = (Entity::default(), Entity::default());
    }

    fn begin(
        &mut self,
        head: &Head<'a>,
        compound: bool,
        fields: &mut Fields<'a>,
        values: &mut Vec<Pair<'a>>,
        faults: &mut Faults,
    ) {
        read(head, fields, faults);
        self.result = decode(head.kind, fields, values).unwrap_or("unknown");
        tags(fields, &mut self.tags);
        for pair in values.drain(..) {
            match pair.key {
                Key::Audit => self.actor = Some(pair.value.clone()),
                Key::User => self.actor_as = Some(pair.value.clone()),
                _ => {}
            }
            if pair.key == Key::Session {
                self.session = Some(pair.value);
            } else if pair.key.is_id(pair.name) {
                self.ids.push(pair);
            } else if let Some(part) = pair.name.strip_prefix("subj_") {
                self.selinux.push(Pair { key: Key::Other, name: part, value: pair.value });
            } else if pair.key != Key::Items || !compound {
                self.data.push(pair);
            }
        }
        self.take_names(fields);
    }

    fn take_names(&mut self, fields: &Fields<'a>) {
        if !fields.has_names() {
            return;
        }
        for field in fields.iter().filter(|field| field.key.is_id(field.name)) {
            if let Some(name) = fields.name(field.name) {
                self.names.push((field.key, field.name, name));
            }
        }
    }

    /// A record besides the SYSCALL record (or a second record of any kind).
    fn add(&mut self, head: &Head<'a>, fields: &mut Fields<'a>, values: &mut Vec<Pair<'a>>, faults: &mut Faults) {
        match head.kind {
            "SYSCALL" => {}
            "EXECVE" => self.arguments.read(head.body),
            "PATH" => {
                read(head, fields, faults);
                let from = self.path_pairs.len();
                decode("PATH", fields, &mut self.path_pairs);
                let (owner, group) = (fields.name("ouid"), fields.name("ogid"));
                self.paths.push(Path { pairs: from..self.path_pairs.len(), owner, group });
            }
            "SOCKADDR" => self.add_address(head, fields, faults),
            _ => {
                read(head, fields, faults);
                let result = decode(head.kind, fields, values);
                self.take_names(fields);
                for pair in values.drain(..) {
                    self.add_data(pair);
                }
                if let Some(result) = result {
                    self.add_data(Pair { key: Key::Other, name: "result", value: Cow::Borrowed(result) });
                }
                if self.tags.is_empty() {
                    tags(fields, &mut self.tags);
                }
            }
        }
    }

    /// The first record that has a key wins.
    fn add_data(&mut self, pair: Pair<'a>) {
        if self.data.by_name(pair.key, pair.name).is_none() {
            self.data.push(pair);
        }
    }

    /// A value of `auditd.data`.
    pub fn datum(&self, key: Key) -> Option<&Cow<'a, str>> {
        self.data.get(key)
    }

    fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let key = Key::of(name);
        self.data.by_name(key, name).or_else(|| self.ids.by_name(key, name)).cloned()
    }

    /// The keys and values of a PATH record.
    pub fn path_pairs(&self, path: &Path<'_>) -> &[Pair<'a>] {
        self.path_pairs.get(path.pairs.clone()).unwrap_or_default()
    }

    /// A value of a PATH record.
    pub fn of_path(&self, path: &Path<'_>, key: Key) -> Option<&Cow<'a, str>> {
        self.path_pairs(path).iter().find(|pair| pair.key == key).map(|pair| &pair.value)
    }

    fn add_address(&mut self, head: &Head<'a>, fields: &mut Fields<'a>, faults: &mut Faults) {
        read(head, fields, faults);
        let Some(bytes) = fields.get(Key::ReturnAddress) else { return };
        let Some(address) = sockaddr::read(bytes.text) else {
            let message = format!("the address of event {} is no socket address", head.serial);
            faults.push(("bad socket address", message));
            return;
        };
        let mut put = |key: Key, value: Option<String>| {
            if let Some(value) = value {
                self.data.push(Pair { key, name: key.text(), value: Cow::Owned(value) });
            }
        };
        put(Key::SocketFamily, Some(address.family.clone()));
        put(Key::SocketAddress, address.address.clone());
        put(Key::SocketPort, address.port.map(|port| port.to_string()));
        put(Key::SocketFlow, address.flow.map(|flow| flow.to_string()));
        put(Key::SocketPath, address.path.clone());
        put(Key::SocketBytes, address.raw);
        let known = address.address.is_some() || address.path.is_some();
        let end = known.then_some(Address { ip: address.address, port: address.port, path: address.path });
        match self.datum(Key::SystemCall).map(AsRef::as_ref) {
            Some("recvfrom" | "recvmsg" | "accept" | "accept4") => {
                (self.source, self.direction) = (end, Some("ingress"));
            }
            Some("connect" | "sendto" | "sendmsg") => (self.destination, self.direction) = (end, Some("egress")),
            _ => {}
        }
    }

    fn normalise(&mut self) {
        self.how = self.usual_means();
        let system_call = self.datum(Key::SystemCall).map(|name| normal::system_call(name));
        let own = match self.kind {
            "SYSCALL" => system_call,
            kind => normal::record_type(kind, |name| self.data.by_name(Key::of(name), name).is_some()),
        };
        let Some(normal) = own else {
            self.category.push(normal::category(self.kind));
            return;
        };
        self.category.extend(normal.category);
        self.types.extend(normal.types);
        if let (Some(call), true) = (system_call, self.kind != "SYSCALL") {
            self.category.extend(call.category);
            self.types.extend(call.types);
        }
        if self.category.is_empty() {
            self.category.push(normal::category(self.kind));
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
        let name = self.datum(Key::CommandName);
        let program = self.datum(Key::Executable).or(name)?;
        let interpreted = INTERPRETERS.iter().any(|prefix| program.starts_with(prefix));
        Some(name.filter(|_| interpreted).unwrap_or(program).clone())
    }

    fn choose_file(&mut self, hint: usize) {
        let start = if self.paths.len() > hint { hint } else { 0 };
        let Some(rest) = self.paths.get(start..).filter(|rest| !rest.is_empty()) else { return };
        let is_subject = |path: &Path<'_>| {
            !matches!(self.of_path(path, Key::NameType).map(AsRef::as_ref), Some("PARENT" | "UNKNOWN"))
        };
        let chosen = start + rest.iter().position(is_subject).unwrap_or(0);
        let path = &self.paths[chosen];
        let (name, has_mode) = (self.of_path(path, Key::Name).cloned(), self.of_path(path, Key::Mode).is_some());
        self.file = Some(chosen);
        if name.is_some() {
            self.object = name;
        }
        // Auditbeat reads the mode so that whatever has one is a file.
        if has_mode {
            self.object_type = "file";
        }
    }

    fn choose_socket(&mut self) {
        self.object = self.datum(Key::SocketAddress).or_else(|| self.datum(Key::SocketPath)).cloned();
        self.object_second = self.datum(Key::SocketPort).cloned();
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
        let Some(address) = self.data.remove(Key::Address) else { return };
        self.source = Some(Address { ip: Some(address.into_owned()), ..Address::default() });
        self.direction = Some("ingress");
    }

    fn name_entities(&mut self, normal: &Normal) {
        for (from, to) in normal.entities {
            let value = match from {
                From::Actor => self.actor.clone(),
                From::ActorAs => self.actor_as.clone(),
                From::Object => self.object.clone(),
                From::UserId => self.ids.get(Key::User).cloned(),
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

    /// The number of a user or group.
    pub fn id(&self, key: Key) -> Option<&str> {
        if key == Key::Other { None } else { self.ids.get(key).map(AsRef::as_ref) }
    }

    /// The name that the log gives at a key.
    pub fn id_name(&self, key: Key) -> Option<&'a str> {
        self.names.iter().find(|name| name.0 == key && key != Key::Other).map(|name| name.2)
    }

    /// The name that the log gives for a number, whatever key it stood at.
    pub fn name_of(&self, number: &str, suffix: &str) -> Option<&'a str> {
        let named = self.names.iter().filter(|(_, name, _)| name.ends_with(suffix));
        let is_of = |key: Key, name: &str| {
            self.ids.iter().any(|pair| pair.key == key && pair.name == name && pair.value == number)
        };
        named.into_iter().find(|(key, name, _)| is_of(*key, name)).map(|named| named.2)
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

/// Reads the fields of a record.
fn read<'a>(head: &Head<'a>, fields: &mut Fields<'a>, faults: &mut Faults) {
    fields.read(head.kind, head.body);
    if fields.cut {
        let message = format!("the {} record of event {} ends inside a quoted value", head.kind, head.serial);
        faults.push(("cut audit record", message));
    }
}

/// Appends the values of a record, decoded; gives its result.
fn decode<'a>(kind: &str, fields: &Fields<'a>, values: &mut Vec<Pair<'a>>) -> Option<&'static str> {
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
fn tags<'a>(fields: &Fields<'a>, out: &mut Vec<Cow<'a, str>>) {
    let Some(key) = fields.get(Key::RuleKeys) else { return };
    if let Some(bytes) = super::record::unhex(key.text).filter(|_| !key.quoted) {
        out.extend(String::from_utf8_lossy(&bytes).split('\u{1}').map(|tag| Cow::Owned(tag.to_owned())));
        return;
    }
    out.push(Cow::Borrowed(key.text.split_once('=').map_or(key.text, |(_, name)| name)));
}
