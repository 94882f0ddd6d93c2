//! Which lines of ECS documents need the process table, told from their bytes. It reads no JSON.

/// Whether an ECS document lacks what the process table can add: those of auditd do.
pub(super) fn needs_context(line: &[u8]) -> bool {
    first_mark(line).is_some()
}

/// Where the first line begins that needs context; the length if none does.
pub(super) fn first_to_enrich(lines: &[u8]) -> usize {
    first_mark(lines).map_or(lines.len(), |at| memchr::memrchr(b'\n', &lines[..at]).map_or(0, |end| end + 1))
}

fn first_mark(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"audit").find(|at| {
        let rest = &bytes[*at..];
        rest.starts_with(b"auditd_manager")
            || rest.starts_with(b"auditbeat")
            || rest.starts_with(b"auditd\"") && bytes[..*at].ends_with(b"\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_auditd_is_found() {
        let lines = b"{\"a\":\"audited\"}\n{\"event.module\":\"auditd\"}\n{}\n{\"agent\":\"auditbeat\"}\n";
        assert_eq!(first_to_enrich(lines), 16);
        assert_eq!(first_to_enrich(&lines[..16]), 16);
        assert!(needs_context(b"auditd_manager") && !needs_context(b"auditd_log \"auditd."));
    }
}
