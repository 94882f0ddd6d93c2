//! The conversions that a mapping can name, each as Elastic's Windows pipelines do it. Text in, text or parts out; fields
//! and records are not known here.

use std::net::IpAddr;

/// Splits a command line as Windows' C runtime does before 2008 (Elastic's `SplitCommandLine`): backslashes before a quote
/// count, and two quotes inside quotes are one. Each argument goes to `take`; `buffer` is used to put it together.
pub fn split_command_line(line: &str, buffer: &mut String, mut take: impl FnMut(&str)) {
    let mut at = 0;
    loop {
        at += line.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if at == line.len() {
            return;
        }
        if let Some((argument, end)) = plain_argument(line, at) {
            take(argument);
            at = end;
            continue;
        }
        buffer.clear();
        at = next_argument(line, at, buffer);
        take(buffer);
    }
}

/// The argument that begins at `from`, if it is a part of the line as it is: without quotes, or with quotes around all of it only; and its end.
fn plain_argument(line: &str, from: usize) -> Option<(&str, usize)> {
    let bytes = line.as_bytes();
    if bytes[from] == b'"' {
        let end = from + 1 + memchr::memchr(b'"', &bytes[from + 1..])?;
        let ends = matches!(bytes.get(end + 1), None | Some(b' ' | b'\t')) && bytes[end - 1] != b'\\';
        return ends.then(|| (&line[from + 1..end], end + 1));
    }
    match memchr::memchr3(b' ', b'\t', b'"', &bytes[from..]) {
        None => Some((&line[from..], line.len())),
        Some(length) if bytes[from + length] != b'"' => Some((&line[from..from + length], from + length)),
        Some(_) => None,
    }
}

/// Appends the argument that begins at `from`; gives its end.
fn next_argument(line: &str, from: usize, out: &mut String) -> usize {
    let bytes = line.as_bytes();
    // What lies between `copied` and `at` is part of the argument as it is.
    let (mut copied, mut at, mut quoted) = (from, from, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' | b'"' => {
                let backslashes = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
                if bytes.get(at + backslashes) != Some(&b'"') {
                    at += backslashes;
                    continue;
                }
                out.push_str(&line[copied..at + backslashes / 2]);
                at += backslashes + 1;
                if backslashes % 2 == 1 {
                    out.push('"');
                } else {
                    if quoted && bytes.get(at) == Some(&b'"') {
                        out.push('"');
                        at += 1;
                    }
                    quoted = !quoted;
                }
                copied = at;
            }
            b' ' | b'\t' if !quoted => break,
            _ => at += 1,
        }
    }
    out.push_str(&line[copied..at]);
    at
}

/// Splits a command line as Elastic's pipeline for Security 4688 does: at white space outside quotes, quotes kept.
pub fn split_keeping_quotes(line: &str) -> Vec<&str> {
    let mut arguments = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (index, char) in line.char_indices() {
        quoted ^= char == '"';
        if !quoted && char.is_whitespace() {
            arguments.push(&line[start..index]);
            start = index + char.len_utf8();
        }
    }
    if start < line.len() || line.ends_with(char::is_whitespace) && !line.is_empty() {
        arguments.push(&line[start..]);
    }
    arguments
}

/// An integer in decimal or `0x` hexadecimal.
pub fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().and_then(|value| i64::try_from(value).ok()),
        None => text.parse().ok(),
    }
}

/// An address, an IPv4 one written as IPv6 (`::ffff:1.2.3.4`) as IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The part of a Windows path after the last backslash, if there is one.
pub fn file_name(path: &str) -> Option<&str> {
    path.rfind('\\').map(|index| &path[index + 1..]).filter(|name| !name.is_empty())
}

/// `NAME=value,NAME=value`, zeros left out.
pub fn hashes(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value))
        .filter(|(_, value)| value.bytes().any(|byte| byte != b'0'))
}

/// The hive of a registry path, as Elastic abbreviates it.
pub fn registry_hive(first: &str) -> Option<&'static str> {
    Some(match first {
        "HKEY_CLASSES_ROOT" | "HKCR" => "HKCR",
        "HKEY_CURRENT_CONFIG" | "HKCC" => "HKCC",
        "HKEY_CURRENT_USER" | "HKCU" => "HKCU",
        "HKEY_DYN_DATA" | "HKDD" => "HKDD",
        "HKEY_LOCAL_MACHINE" | "HKLM" => "HKLM",
        "HKEY_PERFORMANCE_DATA" | "HKPD" => "HKPD",
        "HKEY_USERS" | "HKU" => "HKU",
        _ => return None,
    })
}

/// What Sysmon writes of a registry value: its text and type. The 64-bit value is put together as Elastic's pipeline does
/// it (high part shifted by 8, not 32), so that rules see the same.
pub fn registry_data(details: &str) -> (String, &'static str) {
    let inner = |prefix: &str| {
        let head = details.get(..prefix.len())?;
        let rest = head.eq_ignore_ascii_case(prefix).then(|| &details[prefix.len()..])?;
        rest.strip_suffix(')')
    };
    let hexadecimal = |text: &str| {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
        u32::from_str_radix(digits, 16).ok().map(u64::from)
    };
    if let Some((high, low)) = inner("QWORD (").and_then(|text| text.split_once('-'))
        && let (Some(high), Some(low)) = (hexadecimal(high), hexadecimal(low))
    {
        return (((high << 8) + low).to_string(), "SZ_QWORD");
    }
    if let Some(value) = inner("DWORD (").and_then(hexadecimal) {
        return (value.to_string(), "SZ_DWORD");
    }
    let kind = if details == "Binary Data" { "REG_BINARY" } else { "REG_SZ" };
    (details.to_owned(), kind)
}

/// One answer of Sysmon's `QueryResults`.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// `type:  5 name`
    Record { kind: &'a str, data: Option<&'a str> },
    /// An address.
    Address(IpAddr),
}

/// The answers of Sysmon's `QueryResults` (`type:  5 name;::ffff:1.2.3.4;`).
pub fn dns_answers(text: &str) -> Vec<Answer<'_>> {
    text.split(';')
        .filter_map(|part| match part.strip_prefix("type:") {
            Some(rest) => {
                let mut words = rest.split_whitespace();
                Some(Answer::Record { kind: words.next()?, data: words.next() })
            }
            None => address(part).map(Answer::Address),
        })
        .collect()
}

/// Appends `yyyy-MM-dd HH:mm:ss.SSS` (Sysmon's `UtcTime`) as ISO 8601; nothing for what is no such time.
pub fn push_utc_time(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 19
        && bytes[10] == b' '
        && [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18].iter().all(|&place| bytes[place].is_ascii_digit());
    if let Some((date, time)) = text.get(..10).zip(text.get(11..)).filter(|_| shaped) {
        [date, "T", time, "Z"].into_iter().for_each(|part| out.push_str(part));
    }
}

/// `key=value` lines, the keys without white space (PowerShell's `ContextInfo` and the details of its classic events).
pub fn key_values(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.split_whitespace().collect(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line of a few letters: what is taken as it is must be what the rules of quotes and backslashes make of it.
    #[test]
    fn arguments_that_are_parts_of_the_line_are_those_that_would_be_put_together() {
        const LETTERS: [&str; 5] = ["\"", "\\", " ", "\t", "é"];
        let mut lines = vec![String::new()];
        for _ in 0..6 {
            lines = lines.iter().flat_map(|line| LETTERS.map(|letter| format!("{line}{letter}"))).collect();
            for line in &lines {
                for from in (0..line.len()).filter(|from| line.is_char_boundary(*from)) {
                    if line[from..].starts_with([' ', '\t']) {
                        continue;
                    }
                    let mut expected = String::new();
                    let end = next_argument(line, from, &mut expected);
                    if let Some(plain) = plain_argument(line, from) {
                        assert_eq!(plain, (expected.as_str(), end), "{line:?} from {from}");
                    }
                }
            }
        }
    }
}
