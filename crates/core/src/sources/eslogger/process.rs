//! An Endpoint Security process (`es_process_t`) as the fields of Elastic Defend's documents. It knows no event.

use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::mapping::member;
use super::put;

/// Of the kernel's `cs_blobs.h`: the code is signed, its signature holds, and it was made without an identity.
const CS_SIGNED: u64 = 0x2000_0000;
const CS_VALID: u64 = 0x1;
const CS_ADHOC: u64 = 0x2;

/// Writes a process below `prefix` (`process`, `process.parent`).
pub(super) fn write(out: &mut Map<String, Value>, prefix: &str, process: &Value) {
    let mut set = |name: &str, value: Value| put(out, &format!("{prefix}.{name}"), value);
    if let Some(pid) = member(process, "audit_token.pid") {
        set("pid", pid.clone());
    }
    if let Some(identity) = process.get("audit_token").and_then(identity) {
        set("entity_id", identity.into());
    }
    if let Some(path) = member(process, "executable.path").and_then(Value::as_str) {
        set("executable", path.into());
        set("name", base_name(path).into());
    }
    if let Some(time) = member(process, "start_time") {
        set("start", time.clone());
    }
    if let Some(signature) = signature(process) {
        set("code_signature", signature);
    }
}

/// Writes what only the process that a document is about has: its parent, its leaders, who answers for it, its user.
pub(super) fn write_context(out: &mut Map<String, Value>, process: &Value) {
    for (field, path) in [
        ("process.group_leader.pid", "group_id"),
        ("process.session_leader.pid", "session_id"),
        ("process.tty.path", "tty.path"),
    ] {
        if let Some(value) = member(process, path) {
            put(out, field, value.clone());
        }
    }
    if let Some(parent) = member(process, "parent_audit_token.pid").or_else(|| member(process, "ppid")) {
        put(out, "process.parent.pid", parent.clone());
    }
    if let Some(identity) = process.get("parent_audit_token").and_then(identity) {
        put(out, "process.parent.entity_id", identity.into());
    }
    // Who asked for it: Defend's effective parent. A process that answers for itself has none.
    if let (Some(token), Some(own)) = (process.get("responsible_audit_token"), member(process, "audit_token.pid"))
        && let Some(pid) = member(token, "pid").filter(|pid| *pid != own)
    {
        put(out, "process.Ext.effective_parent.pid", pid.clone());
        put(out, "process.Ext.effective_parent.entity_id", identity(token).into());
    }
    for (id, name, path) in [
        ("user.id", "user.name", "euid"),
        ("user.Ext.real.id", "user.Ext.real.name", "ruid"),
        ("group.id", "", "egid"),
        ("group.Ext.real.id", "", "rgid"),
    ] {
        let Some(number) = member(process, "audit_token").and_then(|token| member(token, path)) else { continue };
        put(out, id, number.to_string().into());
        if *number == 0 && !name.is_empty() {
            put(out, name, "root".into());
        }
    }
}

/// A process image is told from all others of the boot by its number and version; the same in every run.
fn identity(token: &Value) -> Option<String> {
    let (pid, version) = (member(token, "pid")?, member(token, "pidversion")?);
    let digest = Sha1::digest(format!("{pid}\0{version}").as_bytes());
    Some(digest[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the kernel said of the signature. It trusts what is valid and made with an identity: Apple's, or a team's.
fn signature(process: &Value) -> Option<Value> {
    let flags = member(process, "codesigning_flags")?.as_u64()?;
    if flags & CS_SIGNED == 0 {
        return Some(json!({"exists": false, "trusted": false}));
    }
    let text = |name: &str| member(process, name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let team = text("team_id");
    let platform = process.get("is_platform_binary") == Some(&Value::Bool(true));
    let trusted = flags & CS_VALID != 0 && flags & CS_ADHOC == 0 && (platform || !team.is_empty());
    Some(json!({"exists": true, "trusted": trusted, "signing_id": text("signing_id"), "team_id": team}))
}

/// What is behind the last slash.
pub(super) fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}
