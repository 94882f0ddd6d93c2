//! Writes an event as the ECS document that Elastic's `auditd_manager` integration makes of it.

use std::borrow::Cow;

use crate::sources::writer::{Writer, timestamp};

use super::data::Pair;
use super::event::{Address, Entity, Event};
use super::keys::Key;
use super::wishes::Wishes;

/// The version of ECS that the documents follow.
pub(super) const ECS_VERSION: &str = "8.17.0";
/// The integration's data set.
pub(super) const DATASET: &str = "auditd_manager.auditd";

/// Writes the event, or what is wished of it; the bytes are valid until the writer is used again.
pub(super) fn write<'w>(event: &Event<'_>, wishes: &Wishes, writer: &'w mut Writer) -> &'w [u8] {
    writer.begin();
    if writer.wants("@timestamp") {
        writer.text("@timestamp", &timestamp(event.milliseconds));
    }
    if writer.wants("auditd") {
        auditd(event, wishes, writer);
    }
    addresses(event, writer);
    writer.object("ecs");
    writer.text("version", ECS_VERSION);
    writer.close();
    categories(event, writer);
    file(event, writer);
    if writer.wants("group") && (event.group.id.is_some() || event.group.name.is_some()) {
        writer.object("group");
        entity(event, &event.group, "gid", writer);
        writer.close();
    }
    writer.object("host");
    writer.maybe("architecture", event.datum(Key::Architecture).map(AsRef::as_ref));
    writer.maybe("hostname", Some(event.node));
    writer.maybe("name", Some(event.node));
    writer.close();
    process(event, writer);
    users(event, writer);
    writer.texts("tags", &event.tags);
    writer.end()
}

fn auditd(event: &Event<'_>, wishes: &Wishes, writer: &mut Writer) {
    writer.object("auditd");
    data(event, wishes, writer);
    if let Some(file) = event.file.filter(|_| writer.wants("file")).and_then(|at| event.paths.get(at)) {
        writer.object("file");
        writer.object("selinux");
        for pair in event.path_pairs(file) {
            if let Some(part) = pair.name.strip_prefix("obj_") {
                writer.text(part, &pair.value);
            }
        }
        writer.close();
        writer.close();
    }
    if writer.wants("message_type") {
        writer.text("message_type", &event.kind.to_ascii_lowercase());
    }
    if !event.paths.is_empty() && writer.wants("paths") {
        writer.list("paths");
        for path in &event.paths {
            writer.item();
            let pairs = event.path_pairs(path).iter().filter(|pair| wishes.pairs.have(pair.key));
            sorted(pairs, writer, |pair| pair.name);
            writer.close();
        }
        writer.end_list();
    }
    writer.text("result", event.result);
    writer.maybe("session", event.session.as_deref().filter(|session| *session != "unset"));
    summary(event, writer);
    audit_users(event, writer);
    writer.close();
}

/// The pairs that are wanted, written in the order of their keys.
fn sorted<'p, 'a: 'p>(pairs: impl Iterator<Item = &'p Pair<'a>>, writer: &mut Writer, name: fn(&Pair<'a>) -> &'a str) {
    if writer.picks() {
        // The order of keys matters to readers only.
        return pairs.for_each(|pair| writer.text(name(pair), &pair.value));
    }
    let mut pairs: Vec<&Pair<'_>> = pairs.collect();
    pairs.sort_by(|left, right| left.name.cmp(right.name));
    pairs.into_iter().for_each(|pair| writer.text(name(pair), &pair.value));
}

/// The name of a socket's value below `socket`.
fn socket<'a>(pair: &Pair<'a>) -> &'a str {
    pair.name.strip_prefix("socket_").unwrap_or(pair.name)
}

fn data(event: &Event<'_>, wishes: &Wishes, writer: &mut Writer) {
    if !writer.wants("data") {
        return;
    }
    writer.object("data");
    sorted(event.data.iter().filter(|pair| wishes.is_datum(pair)), writer, |pair| pair.name);
    if let Some(count) = event.arguments.count() {
        writer.number("argc", count as i64);
    }
    if writer.wants("socket") {
        writer.object("socket");
        sorted(event.data.iter().filter(|pair| pair.is_socket()), writer, socket);
        writer.close();
    }
    writer.close();
}

fn summary(event: &Event<'_>, writer: &mut Writer) {
    if !writer.wants("summary") {
        return;
    }
    writer.object("summary");
    writer.maybe("action", Some(event.action));
    writer.object("actor");
    writer.maybe("primary", event.actor.as_deref().map(|id| event.name_of(id, "uid").unwrap_or(id)));
    writer.maybe("secondary", event.actor_as.as_deref().map(|id| event.name_of(id, "uid").unwrap_or(id)));
    writer.close();
    writer.maybe("how", event.how.as_deref());
    writer.object("object");
    writer.maybe("primary", event.object.as_deref());
    writer.maybe("secondary", event.object_second.as_deref());
    writer.maybe("type", Some(event.object_type));
    writer.close();
    writer.close();
}

/// The users that ECS has no place for.
fn audit_users(event: &Event<'_>, writer: &mut Writer) {
    if !writer.wants("user") {
        return;
    }
    writer.object("user");
    user_set(event, "audit", Key::Audit, Key::Other, writer);
    user_set(event, "filesystem", Key::FileUser, Key::FileGroup, writer);
    user_set(event, "saved", Key::SavedUser, Key::SavedGroup, writer);
    let mut others: Vec<&Pair<'_>> =
        event.ids.iter().filter(|pair| !is_known(pair.key) && pair.value != "unset").collect();
    others.sort_by(|left, right| left.name.cmp(right.name));
    for pair in others {
        writer.object(pair.name);
        writer.text("id", &pair.value);
        writer.close();
    }
    writer.object("selinux");
    sorted(event.selinux.iter(), writer, |pair| pair.name);
    writer.close();
    writer.close();
}

/// Whether ECS, or Auditbeat, has a place for a number.
fn is_known(key: Key) -> bool {
    let of_ecs = matches!(key, Key::User | Key::Group | Key::EffectiveUser | Key::EffectiveGroup | Key::Audit);
    of_ecs || matches!(key, Key::SavedUser | Key::SavedGroup | Key::FileUser | Key::FileGroup)
}

fn user_set(event: &Event<'_>, name: &str, user: Key, group: Key, writer: &mut Writer) {
    writer.object(name);
    let id = |key: Key| event.id(key).filter(|id| *id != "unset");
    writer.object("group");
    writer.maybe("id", id(group));
    writer.maybe("name", event.id_name(group));
    writer.close();
    writer.maybe("id", id(user));
    writer.maybe("name", event.id_name(user));
    writer.close();
}

fn addresses(event: &Event<'_>, writer: &mut Writer) {
    for (key, end) in [("destination", &event.destination), ("source", &event.source)] {
        if let Some(end) = end {
            writer.object(key);
            address(end, writer);
            writer.close();
        }
    }
    if let Some(direction) = event.direction {
        writer.object("network");
        writer.text("direction", direction);
        writer.close();
    }
}

fn address(end: &Address, writer: &mut Writer) {
    writer.maybe("ip", end.ip.as_deref());
    if let Some(port) = end.port {
        writer.number("port", i64::from(port));
    }
    writer.maybe("path", end.path.as_deref());
}

fn categories(event: &Event<'_>, writer: &mut Writer) {
    writer.object("event");
    writer.maybe("action", Some(event.action));
    writer.texts("category", &event.category);
    writer.text("dataset", DATASET);
    writer.text("kind", "event");
    writer.text("module", "auditd");
    writer.text("outcome", event.outcome());
    writer.number("sequence", event.serial as i64);
    writer.texts("type", &event.types);
    writer.close();
}

fn file(event: &Event<'_>, writer: &mut Writer) {
    let Some(path) = event.file.and_then(|at| event.paths.get(at)) else { return };
    if !writer.wants("file") {
        return;
    }
    let get = |key: Key| event.of_path(path, key).map(AsRef::as_ref);
    writer.object("file");
    writer.maybe("device", get(Key::RealDevice));
    writer.maybe("gid", get(Key::OwnerGroup));
    writer.maybe("group", path.group);
    writer.maybe("inode", get(Key::Inode));
    if let Some(mode) =
        get(Key::Mode).filter(|_| writer.wants("mode")).and_then(|mode| u32::from_str_radix(mode, 8).ok())
    {
        writer.text("mode", &format!("{:04o}", mode & 0o777));
    }
    writer.maybe("owner", path.owner);
    writer.maybe("path", get(Key::Name));
    writer.maybe("uid", get(Key::OwnerUser));
    writer.close();
}

fn process(event: &Event<'_>, writer: &mut Writer) {
    let datum = |key: Key| event.datum(key).map(AsRef::as_ref);
    writer.object("process");
    writer.texts("args", event.arguments.complete());
    let count = event.arguments.number();
    if count > 0 {
        writer.number("args_count", count as i64);
    }
    writer.maybe("executable", datum(Key::Executable));
    writer.maybe("name", datum(Key::CommandName));
    if let Some(parent) = datum(Key::Parent) {
        writer.object("parent");
        writer.digits("pid", parent);
        writer.close();
    }
    if let Some(process) = datum(Key::Process) {
        writer.digits("pid", process);
    }
    writer.maybe("title", datum(Key::Title));
    writer.maybe("working_directory", datum(Key::Cwd));
    writer.close();
}

fn users(event: &Event<'_>, writer: &mut Writer) {
    if writer.wants("user") {
        user(event, writer);
    }
    if writer.wants("related") {
        related(event, writer);
    }
}

fn user(event: &Event<'_>, writer: &mut Writer) {
    writer.object("user");
    if event.target.id.is_some() || event.target.name.is_some() {
        writer.object("target");
        entity(event, &event.target, "uid", writer);
        writer.close();
    }
    writer.object("effective");
    if event.effective.set {
        entity(event, &event.effective, "uid", writer);
        groups(event, Key::EffectiveGroup, writer);
    } else {
        ids(event, Key::EffectiveUser, Key::EffectiveGroup, writer);
    }
    writer.close();
    if event.user.set {
        entity(event, &event.user, "uid", writer);
        groups(event, Key::Group, writer);
    } else {
        ids(event, Key::User, Key::Group, writer);
    }
    writer.close();
}

/// The users that the event names.
fn related(event: &Event<'_>, writer: &mut Writer) {
    let mut related: Vec<&str> =
        event.names.iter().filter(|(key, name, _)| key.is_user(name)).map(|name| name.2).collect();
    let entities = [&event.user, &event.effective, &event.target];
    related.extend(entities.iter().filter_map(|entity| entity.name.as_deref()));
    related.sort_unstable();
    related.dedup();
    writer.object("related");
    writer.texts("user", related);
    writer.close();
}

fn ids(event: &Event<'_>, user: Key, group: Key, writer: &mut Writer) {
    writer.maybe("id", event.id(user).filter(|id| *id != "unset"));
    writer.maybe("name", event.id_name(user));
    groups(event, group, writer);
}

fn groups(event: &Event<'_>, group: Key, writer: &mut Writer) {
    writer.object("group");
    writer.maybe("id", event.id(group));
    writer.maybe("name", event.id_name(group));
    writer.close();
}

fn entity(event: &Event<'_>, entity: &Entity<'_>, suffix: &str, writer: &mut Writer) {
    writer.maybe("id", entity.id.as_deref());
    let known = || entity.id.as_deref().and_then(|id| event.name_of(id, suffix)).map(Cow::Borrowed);
    writer.maybe("name", entity.name.clone().or_else(known).as_deref());
}
