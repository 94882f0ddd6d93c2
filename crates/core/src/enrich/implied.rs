//! The one field that a source implies for each of its events: the system of the host. It knows no sources.

/// The field that is implied: no condition on it can be decided by the text of a line.
pub(crate) const IMPLIED: &str = "host.os.type";

/// What the process table added before stands last in a document.
const ADDED: &str = ",\"contraband.added\":[";

/// A document with the system of its host, named among what was added.
pub(crate) fn with_os(document: &str, os: &str) -> String {
    let end = document.rfind('}').unwrap_or(document.len());
    let before = &document[..end];
    if let Some((own, added)) = before.rsplit_once(ADDED)
        && let Some(names) = added.strip_suffix(']')
        && !names.contains([']', '}'])
    {
        return format!("{own},\"{IMPLIED}\":\"{os}\"{ADDED}{names},\"{IMPLIED}\"]}}");
    }
    let comma = if before.trim_ascii_end().ends_with('{') { "" } else { "," };
    format!("{before}{comma}\"{IMPLIED}\":\"{os}\"{ADDED}\"{IMPLIED}\"]}}")
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
