//! One event from its records: what each record contributes, and what the whole means. The order and the precedence are
//! those of Auditbeat (`aucoalesce`). It knows no JSON.

use std::borrow::Cow;
use std::ops::Range;

use super::arguments::Arguments;
use super::data::{Data, Pair};
use super::decode::{decode, read, tags};
use super::keys::Key;
use super::normal::{self, From, Keys, Normal, To};
use super::record::{Fields, Head, Orders, may_be_cut};
use super::sockaddr;
use super::wishes::{KeySet, Wishes};

/// One PATH record: which of the pairs are its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'a> {
    pairs: Range<usize>,
    pub owner: Option<&'a str>,
    pub group: Option<&'a str>,
    /// A record that is not read before somebody asks for it.
    unread: Option<Head<'a>>,
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
    heads: Vec<Head<'a>>,
    record: Record<'a>,
}

/// The record at hand, and what is wanted of records.
#[derive(Debug, Default)]
struct Record<'a> {
    fields: Fields<'a>,
    values: Vec<Pair<'a>>,
    wishes: Wishes,
    /// Whether the event is named after another record than its SYSCALL record: then any key may count.
    whole: bool,
    /// Whether any record of the event had more pairs than are kept: which these are depends on what is wanted.
    crowded: bool,
}

impl<'a> Record<'a> {
    /// Reads the keys that are wanted; of a program's record, which may name anything, all.
    fn read(&mut self, head: &Head<'a>, faults: &mut Faults) {
        let keys = match head.kind {
            _ if self.whole => &KeySet::ALL,
            "SYSCALL" | "CWD" | "PROCTITLE" => &self.wishes.system_call,
            "PATH" => &self.wishes.path,
            "BPRM_FCAPS" => &self.wishes.capabilities,
            _ => &KeySet::ALL,
        };
        read(head, keys, &mut self.fields, faults);
        self.crowded |= self.fields.crowded;
    }
}

impl<'a> Assembler<'a> {
    /// An assembler for whoever wants only parts of events.
    pub fn of(wishes: Wishes) -> Self {
        Self { record: Record { wishes, ..Record::default() }, ..Self::default() }
    }

    /// The same assembler, which knows in which order keys came in records before.
    pub fn knowing(mut self, orders: Orders) -> Self {
        self.record.fields.orders = orders;
        self
    }

    /// In which order keys came.
    pub fn into_orders(self) -> Orders {
        self.record.fields.orders
    }

    /// Whether the last event may differ where other parts are wanted.
    pub fn crowded(&self) -> bool {
        self.record.crowded
    }

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
        let record = &mut self.record;
        (record.whole, record.crowded) = (named != main, false);
        self.event.begin(&self.heads[main], compound, record, faults);
        if compound {
            for (at, head) in self.heads.iter().enumerate() {
                if at != main {
                    self.event.add(head, record, faults);
                }
            }
        }
        self.event.arguments.arrange();
        self.event.normalise(record, faults);
        if self.event.arguments.incomplete() {
            faults.push(("incomplete audit event", format!("event {} lacks some arguments", self.event.serial)));
        }
        Some(&self.event)
    }
}

/// Whether a record only tells more of a system call.
fn is_detail(kind: &str) -> bool {
    matches!(kind, "PATH" | "CWD" | "PROCTITLE" | "EXECVE" | "SOCKADDR" | "BPRM_FCAPS")
}

/// The record that an event is named after, and the one that tells most.
fn which(records: &[Head<'_>], faults: &mut Faults) -> Option<(usize, usize)> {
    let first = records.first()?;
    let system_call = records.iter().position(|head| head.kind == "SYSCALL");
    let named = match (records.len(), system_call) {
        (1, _) | (_, Some(0)) => 0,
        // Details that came before their event's own record name nothing.
        (_, Some(at)) => records[..at].iter().position(|head| !is_detail(head.kind)).unwrap_or(at),
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
    if records.len() == 1 && is_detail(first.kind) {
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

    fn begin(&mut self, head: &Head<'a>, compound: bool, record: &mut Record<'a>, faults: &mut Faults) {
        record.read(head, faults);
        self.result = decode(head.kind, &record.fields, &mut record.values).unwrap_or("unknown");
        tags(&record.fields, &mut self.tags);
        for pair in record.values.drain(..) {
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
        self.take_names(record);
    }

    fn take_names(&mut self, record: &mut Record<'a>) {
        if !record.wishes.names || !record.fields.read_names() {
            return;
        }
        let fields = &record.fields;
        for field in fields.iter().filter(|field| field.key.is_id(field.name)) {
            if let Some(name) = fields.name(field.name) {
                self.names.push((field.key, field.name, name));
            }
        }
    }

    /// A record besides the SYSCALL record (or a second record of any kind).
    fn add(&mut self, head: &Head<'a>, record: &mut Record<'a>, faults: &mut Faults) {
        match head.kind {
            "SYSCALL" => {}
            "EXECVE" => self.arguments.read(head.body),
            "PATH" => {
                self.paths.push(Path { unread: Some(*head), ..Path::default() });
                // What is wrong with a record is said in any case.
                if record.wishes.paths || may_be_cut(head.body) {
                    self.read_path(self.paths.len() - 1, record, faults);
                }
            }
            "SOCKADDR" => self.add_address(head, record, faults),
            _ => {
                record.read(head, faults);
                let result = decode(head.kind, &record.fields, &mut record.values);
                self.take_names(record);
                for pair in record.values.drain(..) {
                    self.add_data(pair);
                }
                if let Some(result) = result {
                    self.add_data(Pair { key: Key::Other, name: "result", value: Cow::Borrowed(result) });
                }
                if self.tags.is_empty() {
                    tags(&record.fields, &mut self.tags);
                }
            }
        }
    }

    /// Reads a PATH record, unless that has been done.
    fn read_path(&mut self, number: usize, record: &mut Record<'a>, faults: &mut Faults) {
        let Some(path) = self.paths.get_mut(number) else { return };
        let Some(head) = path.unread.take() else { return };
        record.read(&head, faults);
        let from = self.path_pairs.len();
        decode("PATH", &record.fields, &mut self.path_pairs);
        if record.wishes.owners {
            (path.owner, path.group) = (record.fields.name("ouid"), record.fields.name("ogid"));
        }
        path.pairs = from..self.path_pairs.len();
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

    fn add_address(&mut self, head: &Head<'a>, record: &mut Record<'a>, faults: &mut Faults) {
        record.read(head, faults);
        let Some(bytes) = record.fields.get(Key::ReturnAddress) else { return };
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

    fn normalise(&mut self, record: &mut Record<'a>, faults: &mut Faults) {
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
            "file" | "filesystem" => self.choose_file(normal.path, record, faults),
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

    fn choose_file(&mut self, hint: usize, record: &mut Record<'a>, faults: &mut Faults) {
        let start = if self.paths.len() > hint { hint } else { 0 };
        let mut numbers = start..self.paths.len();
        if numbers.is_empty() {
            return;
        }
        let is_subject = |number: &usize| {
            self.read_path(*number, record, faults);
            let name_type = self.of_path(&self.paths[*number], Key::NameType);
            !matches!(name_type.map(AsRef::as_ref), Some("PARENT" | "UNKNOWN"))
        };
        let chosen = numbers.find(is_subject).unwrap_or(start);
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

    /// The result as ECS has it.
    pub fn outcome(&self) -> &'static str {
        if self.result == "fail" { "failure" } else { self.result }
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
