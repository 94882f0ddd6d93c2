//! The one field that a source implies for each of its events: the system of the host. It knows no sources.

use super::added::{LIST, listed};

/// The field that is implied: no condition on it can be decided by the text of a line.
pub(crate) const IMPLIED: &str = "host.os.type";

/// A document with the system of its host, named among what was added.
pub(crate) fn with_os(document: &str, os: &str) -> String {
    let (before, names) = match listed(document) {
        Some((before, names)) => (before, format!("{names},")),
        None => (document.strip_suffix('}').unwrap_or(document), String::new()),
    };
    let comma = if before.trim_ascii_end().ends_with('{') { "" } else { "," };
    format!("{before}{comma}\"{IMPLIED}\":\"{os}\",\"{LIST}\":[{names}\"{IMPLIED}\"]}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_added_and_named() {
        let added = r#""host.os.type":"windows","contraband.added":["host.os.type"]}"#;
        assert_eq!(with_os(r#"{"a":1}"#, "windows"), format!(r#"{{"a":1,{added}"#));
        assert_eq!(with_os("{ }", "windows"), format!("{{ {added}"));
    }

    #[test]
    fn it_is_named_beside_what_was_added_before() {
        let before = r#"{"a":1,"host.id":"x","contraband.added":["host.id"]}"#;
        let after = r#"{"a":1,"host.id":"x","host.os.type":"linux","contraband.added":["host.id","host.os.type"]}"#;
        assert_eq!(with_os(before, "linux"), after);
    }
}
