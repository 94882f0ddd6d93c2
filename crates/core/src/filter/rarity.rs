//! How often texts stand in telemetry, roughly: which of several literals to search for. No result depends on it.

use std::sync::LazyLock;

/// What many lines contain, lowered and as JSON writes it, with the share of lines that do.
const COMMON: [(&str, f64); 82] = [
    (r#"{"process":{"#, 0.9),
    (r#"{"event":{"#, 1.0),
    (r#""host":{"os":{"#, 1.0),
    (r#""@timestamp":"#, 1.0),
    (r#""agent":{"#, 0.9),
    (r#""user":{"#, 0.8),
    (r#""file":{"#, 0.4),
    (r#""registry":{"#, 0.1),
    (r#""dll":{"#, 0.1),
    (r#""source":{"#, 0.3),
    (r#""destination":{"#, 0.25),
    (r#""network":{"#, 0.25),
    (r#""dns":{"#, 0.1),
    (r#""url":{"#, 0.05),
    (r#""winlog":{"#, 0.3),
    (r#""code_signature":{"#, 0.4),
    (r#""data_stream":{"#, 0.9),
    (r#""process.args""#, 0.5),
    (r#""command_line""#, 0.5),
    (r#""executable""#, 0.8),
    (r#""parent""#, 0.5),
    (r#""hash""#, 0.5),
    (r#"["process"]"#, 0.9),
    (r#"["file"]"#, 0.4),
    (r#"["network"]"#, 0.25),
    (r#"["registry"]"#, 0.1),
    (r#"["library"]"#, 0.1),
    (r#""authentication""#, 0.1),
    (r#""iam""#, 0.05),
    (r#""driver""#, 0.05),
    (r#""event""#, 0.9),
    (r#"["start"]"#, 0.5),
    (r#"["end"]"#, 0.2),
    (r#"["change"]"#, 0.2),
    (r#"["creation"]"#, 0.2),
    (r#"["deletion"]"#, 0.15),
    (r#"["info"]"#, 0.2),
    (r#""exec""#, 0.15),
    (r#""fork""#, 0.1),
    (r#""connection_attempted""#, 0.05),
    (r#""success""#, 0.3),
    (r#""unknown""#, 0.3),
    (r#""windows""#, 0.6),
    (r#""linux""#, 0.5),
    (r#""macos""#, 0.4),
    ("\"c:\\\\windows\\\\system32\\\\", 0.5),
    ("\"c:\\\\program files\\\\", 0.2),
    ("\"c:\\\\program files (x86)\\\\", 0.15),
    ("c:\\\\programdata\\\\", 0.08),
    ("\"c:\\\\users\\\\", 0.25),
    ("\\\\appdata\\\\local\\\\", 0.15),
    ("\\\\appdata\\\\roaming\\\\", 0.06),
    ("\\\\appdata\\\\local\\\\temp\\\\", 0.08),
    ("\\\\windows\\\\temp\\\\", 0.03),
    ("microsoft windows", 0.5),
    ("\"svchost.exe\"", 0.15),
    ("\"powershell.exe\"", 0.03),
    ("\"explorer.exe\"", 0.04),
    ("\"cmd.exe\"", 0.03),
    ("\"rundll32.exe\"", 0.02),
    ("\"conhost.exe\"", 0.05),
    ("\"services.exe\"", 0.05),
    ("\"bash\"", 0.05),
    ("\"sh\"", 0.05),
    ("\"node\"", 0.02),
    ("\"curl\"", 0.01),
    (".dll\"", 0.2),
    (".exe\"", 0.9),
    ("\"microsoft windows publisher\"", 0.5),
    (".tmp\"", 0.05),
    ("\"/usr/bin/", 0.35),
    ("\"/usr/sbin/", 0.1),
    ("\"/usr/lib/", 0.15),
    ("\"/bin/sh\"", 0.05),
    ("\"/bin/bash\"", 0.05),
    ("\"/var/lib/", 0.1),
    ("/etc/", 0.05),
    ("\"/tmp/", 0.05),
    ("\"/home/", 0.08),
    ("\"/users/", 0.15),
    ("https://www.", 0.1),
    ("\"python3\"", 0.03),
];

/// The texts of [`COMMON`], the most common first, and a line break after each.
static TEXTS: LazyLock<(String, Vec<(usize, f64)>)> = LazyLock::new(|| {
    let mut known = COMMON.to_vec();
    known.sort_by(|one, two| two.1.total_cmp(&one.1));
    let (mut texts, mut ends) = (String::new(), Vec::new());
    for (text, share) in known {
        texts.push_str(text);
        texts.push('\n');
        ends.push((texts.len(), share));
    }
    (texts, ends)
});

/// The share of lines that contain the text, in any case.
pub(super) fn share(literal: &str) -> f64 {
    let (texts, ends) = &*TEXTS;
    let found = memchr::memmem::find(texts.as_bytes(), literal.as_bytes());
    let known = found.and_then(|at| ends.iter().find(|(end, _)| at < *end)).map_or(0.0, |(_, share)| *share);
    // Each further byte makes it rarer, and few values are exactly some word.
    let whole = literal.len() > 2 && literal.starts_with('"') && literal.ends_with('"');
    let by_length = if whole { 0.05 } else { 0.3 } * 0.45_f64.powi(literal.len() as i32 - 3);
    // Drives other than the first.
    if literal.len() == 5 && literal.starts_with('"') && literal.ends_with(":\\\\") {
        return known.max(0.005);
    }
    // Signs that stand in few texts.
    let signs = literal.bytes().filter(|byte| byte_share(*byte) < 0.004).count();
    known.max(by_length * 0.2_f64.powi(signs as i32)).max(0.0002)
}

/// The share of lines that have a value of a category, a type of event or the type of an operating system.
pub(super) fn value_share(value: &str) -> f64 {
    match value {
        "windows" => 0.6,
        "linux" => 0.5,
        "macos" | "start" => 0.4,
        "process" | "file" => 0.3,
        "network" | "change" | "creation" | "info" | "end" => 0.2,
        "registry" | "library" | "deletion" => 0.15,
        _ => 0.05,
    }
}

/// The share of bytes that are this one, case apart.
pub(super) fn byte_share(byte: u8) -> f64 {
    match byte.to_ascii_lowercase() {
        b'"' => 0.07,
        b'e' | b't' | b's' | b'a' | b'n' | b'i' | b'o' | b'r' => 0.045,
        b'c' | b'd' | b'l' | b'p' | b'm' | b':' | b',' | b'\\' => 0.03,
        b'u' | b'h' | b'f' | b'b' | b'y' | b'v' | b'w' | b'g' | b'k' | b'.' | b'/' | b'-' | b'_' | b' ' => 0.015,
        b'a'..=b'z' => 0.005,
        b'0'..=b'9' => 0.022,
        b'{' | b'}' | b'[' | b']' => 0.008,
        _ => 0.003,
    }
}
