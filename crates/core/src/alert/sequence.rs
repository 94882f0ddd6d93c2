//! The alerts of a sequence, in Elastic's shape: one building-block alert an event, and a shell alert with what all events have
//! in common, joined by `kibana.alert.group.id`.

use super::flat::members;
use super::{Flat, Installation, Lineage, RuleAlert, Subject, Text, ancestor, common, uuid};

/// Writes the alerts of a sequence: the shell first, then one line an event.
pub fn sequence(rule: &RuleAlert, subjects: &[Subject<'_, '_>], out: &mut Text) {
    let Some(last) = subjects.last() else { return };
    let identities: Vec<&str> = subjects.iter().map(|subject| subject.identity).collect();
    let shell_uuid = uuid(&rule.id, &identities);
    let group = uuid(&format!("{}/group", rule.id), &identities);
    let flats: Vec<String> = subjects.iter().map(|subject| flat(rule, subject)).collect();
    out.bytes.push(b'{');
    shared(&flats, &mut out.bytes);
    let uuids: Vec<String> = (0..subjects.len()).map(|index| block_uuid(rule, &identities, index)).collect();
    let ancestors: Vec<String> = identities
        .iter()
        .zip(&uuids)
        .map(|(identity, uuid)| format!("{},{}", ancestor(identity, "event", 0), ancestor(uuid, "signal", 1)))
        .collect();
    common(rule, last, &Lineage { uuid: &shell_uuid, depth: 2, ancestors: ancestors.join(",") }, out);
    let blocks = uuids.iter().map(|uuid| format!("\"{uuid}\"")).collect::<Vec<_>>().join(",");
    let tail = format!(",\"kibana.alert.group.id\":\"{group}\",\"contraband.building_blocks\":[{blocks}]");
    out.bytes.extend_from_slice(tail.as_bytes());
    // All alerts of a sequence are of one installation.
    let installation =
        Installation::surest(subjects.iter().map(|subject| subject.installation)).unwrap_or(last.installation);
    installation.write(&mut out.bytes);
    out.bytes.extend_from_slice(b"}\n");
    for (index, (subject, flat)) in subjects.iter().zip(&flats).enumerate() {
        out.bytes.push(b'{');
        out.bytes.extend_from_slice(flat.as_bytes());
        common(rule, subject, &Lineage::event(&uuids[index], subject), out);
        // A rule that makes building blocks says so itself.
        if !rule.keys.contains("kibana.alert.building_block_type") {
            out.bytes.extend_from_slice(b",\"kibana.alert.building_block_type\":\"default\"");
        }
        let tail = format!(",\"kibana.alert.group.id\":\"{group}\",\"kibana.alert.group.index\":{index}");
        out.bytes.extend_from_slice(tail.as_bytes());
        installation.write(&mut out.bytes);
        out.bytes.extend_from_slice(b"}\n");
    }
}

fn block_uuid(rule: &RuleAlert, identities: &[&str], index: usize) -> String {
    uuid(&format!("{}/{index}", rule.id), identities)
}

fn flat(rule: &RuleAlert, subject: &Subject<'_, '_>) -> String {
    let mut bytes = vec![b'{'];
    Flat::new(&mut bytes).document(subject.document, |key| rule.owns(key));
    String::from_utf8(bytes.split_off(1)).unwrap_or_default()
}

/// The members that all events have with the same text; the time is the last event's, since a sequence is complete with it.
fn shared(flats: &[String], out: &mut Vec<u8>) {
    let lists: Vec<Vec<(&str, &str)>> = flats.iter().map(|flat| members(flat)).collect();
    let Some((last, others)) = lists.split_last() else { return };
    for member in last {
        if member.0 == "@timestamp" || others.iter().all(|list| list.contains(member)) {
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{}\":{}", member.0, member.1).as_bytes());
        }
    }
}
