//! Writes an event as the ECS document that Elastic's `auditd_manager` integration makes of it.

use std::borrow::Cow;

use crate::sources::writer::{Writer, timestamp};

use super::event::{Address, Entity, Event, Pair};

/// The version of ECS that the documents follow.
const ECS_VERSION: &str = "8.17.0";

/// Writes the event; the bytes are valid until the writer is used again.
pub(super) fn write<'w>(event: &Event<'_>, writer: &'w mut Writer) -> &'w [u8] {
    writer.begin();
    writer.text("@timestamp", &timestamp(event.milliseconds));
    if writer.wants("auditd") {
        auditd(event, writer);
    }
    addresses(event, writer);
    writer.object("ecs");
    writer.text("version", ECS_VERSION);
    writer.close();
    categories(event, writer);
    file(event, writer);
    if event.group.id.is_some() || event.group.name.is_some() {
        writer.object("group");
        entity(event, &event.group, "gid", writer);
        writer.close();
    }
    writer.object("host");
    writer.maybe("architecture", event.datum("arch").map(AsRef::as_ref));
    writer.maybe("hostname", Some(event.node));
    writer.maybe("name", Some(event.node));
    writer.close();
    process(event, writer);
    users(event, writer);
    writer.texts("tags", &event.tags);
    writer.end()
}

/// Keys that have a place of their own outside `auditd.data`.
const ELSEWHERE: &[&str] = &["pid", "ppid", "proctitle", "comm", "exe", "cwd"];

fn auditd(event: &Event<'_>, writer: &mut Writer) {
    writer.object("auditd");
    data(event, writer);
    if let Some(file) = event.file.and_then(|at| event.paths.get(at)) {
        writer.object("file");
        writer.object("selinux");
        for (key, value) in &file.pairs {
            if let Some(part) = key.strip_prefix("obj_") {
                writer.text(part, value);
            }
        }
        writer.close();
        writer.close();
    }
    writer.text("message_type", &event.kind.to_ascii_lowercase());
    if !event.paths.is_empty() && writer.wants("paths") {
        writer.list("paths");
        for path in &event.paths {
            writer.item();
            for (key, value) in sorted(&path.pairs) {
                writer.text(key, value);
            }
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

fn sorted<'p, 'a>(pairs: &'p [Pair<'a>]) -> Vec<&'p Pair<'a>> {
    let mut pairs: Vec<&Pair<'_>> = pairs.iter().collect();
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    pairs
}

fn data(event: &Event<'_>, writer: &mut Writer) {
    if !writer.wants("data") {
        return;
    }
    writer.object("data");
    for (key, value) in sorted(&event.data) {
        if !ELSEWHERE.contains(&key.as_ref()) && !key.starts_with("socket_") {
            writer.text(key, value);
        }
    }
    if let Some(count) = event.arguments.count() {
        writer.number("argc", count as i64);
    }
    writer.object("socket");
    for (key, value) in sorted(&event.data) {
        if let Some(part) = key.strip_prefix("socket_") {
            writer.text(part, value);
        }
    }
    writer.close();
    writer.close();
}

fn summary(event: &Event<'_>, writer: &mut Writer) {
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
    writer.object("user");
    user_set(event, "audit", "auid", "", writer);
    user_set(event, "filesystem", "fsuid", "fsgid", writer);
    user_set(event, "saved", "suid", "sgid", writer);
    for (key, value) in sorted(&event.ids) {
        let known = ["uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid", "auid"].contains(&key.as_ref());
        if !known && value != "unset" {
            writer.object(key);
            writer.text("id", value);
            writer.close();
        }
    }
    writer.object("selinux");
    for (key, value) in sorted(&event.selinux) {
        writer.text(key, value);
    }
    writer.close();
    writer.close();
}

fn user_set(event: &Event<'_>, key: &str, user: &str, group: &str, writer: &mut Writer) {
    writer.object(key);
    let id = |key: &str| event.ids.iter().find(|pair| pair.0 == key).map(|pair| pair.1.as_ref());
    let name = |key: &str| event.names.iter().find(|name| name.0 == key).map(|name| name.1);
    writer.object("group");
    writer.maybe("id", id(group).filter(|id| *id != "unset"));
    writer.maybe("name", name(group));
    writer.close();
    writer.maybe("id", id(user).filter(|id| *id != "unset"));
    writer.maybe("name", name(user));
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
    writer.text("dataset", "auditd_manager.auditd");
    writer.text("kind", "event");
    writer.text("module", "auditd");
    writer.text("outcome", if event.result == "fail" { "failure" } else { event.result });
    writer.number("sequence", event.serial as i64);
    writer.texts("type", &event.types);
    writer.close();
}

fn file(event: &Event<'_>, writer: &mut Writer) {
    let Some(path) = event.file.and_then(|at| event.paths.get(at)) else { return };
    writer.object("file");
    writer.maybe("device", path.get("rdev"));
    writer.maybe("gid", path.get("ogid"));
    writer.maybe("group", path.group);
    writer.maybe("inode", path.get("inode"));
    if let Some(mode) = path.get("mode").and_then(|mode| u32::from_str_radix(mode, 8).ok()) {
        writer.text("mode", &format!("{:04o}", mode & 0o777));
    }
    writer.maybe("owner", path.owner);
    writer.maybe("path", path.get("name"));
    writer.maybe("uid", path.get("ouid"));
    writer.close();
}

fn process(event: &Event<'_>, writer: &mut Writer) {
    let datum = |key: &str| event.datum(key).map(AsRef::as_ref);
    writer.object("process");
    writer.texts("args", event.arguments.complete());
    let count = event.arguments.complete().count();
    if count > 0 {
        writer.number("args_count", count as i64);
    }
    writer.maybe("executable", datum("exe"));
    writer.maybe("name", datum("comm"));
    if let Some(parent) = datum("ppid") {
        writer.object("parent");
        writer.digits("pid", parent);
        writer.close();
    }
    if let Some(process) = datum("pid") {
        writer.digits("pid", process);
    }
    writer.maybe("title", datum("proctitle"));
    writer.maybe("working_directory", datum("cwd"));
    writer.close();
}

fn users(event: &Event<'_>, writer: &mut Writer) {
    writer.object("user");
    if event.target.id.is_some() || event.target.name.is_some() {
        writer.object("target");
        entity(event, &event.target, "uid", writer);
        writer.close();
    }
    writer.object("effective");
    if event.effective.set {
        entity(event, &event.effective, "uid", writer);
        groups(event, "egid", writer);
    } else {
        ids(event, "euid", "egid", writer);
    }
    writer.close();
    if event.user.set {
        entity(event, &event.user, "uid", writer);
        groups(event, "gid", writer);
    } else {
        ids(event, "uid", "gid", writer);
    }
    writer.close();
    let mut related: Vec<&str> =
        event.names.iter().filter(|(key, _)| key.ends_with("uid")).map(|name| name.1).collect();
    let entities = [&event.user, &event.effective, &event.target];
    related.extend(entities.iter().filter_map(|entity| entity.name.as_deref()));
    related.sort_unstable();
    related.dedup();
    writer.object("related");
    writer.texts("user", related);
    writer.close();
}

fn ids(event: &Event<'_>, user: &str, group: &str, writer: &mut Writer) {
    let id = event.ids.iter().find(|pair| pair.0 == user).map(|pair| pair.1.as_ref());
    writer.maybe("id", id.filter(|id| *id != "unset"));
    writer.maybe("name", event.names.iter().find(|name| name.0 == user).map(|name| name.1));
    groups(event, group, writer);
}

fn groups(event: &Event<'_>, group: &str, writer: &mut Writer) {
    writer.object("group");
    writer.maybe("id", event.ids.iter().find(|pair| pair.0 == group).map(|pair| pair.1.as_ref()));
    writer.maybe("name", event.names.iter().find(|name| name.0 == group).map(|name| name.1));
    writer.close();
}

fn entity(event: &Event<'_>, entity: &Entity<'_>, suffix: &str, writer: &mut Writer) {
    writer.maybe("id", entity.id.as_deref());
    let known = || entity.id.as_deref().and_then(|id| event.name_of(id, suffix)).map(Cow::Borrowed);
    writer.maybe("name", entity.name.clone().or_else(known).as_deref());
}
