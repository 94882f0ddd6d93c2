//! The values of binary XML as text, as Windows renders them. It knows neither records nor templates.

use std::fmt::Write as _;

use super::super::digits::{decimal, hexadecimal, signed};
use super::super::winlog::push_filetime;

/// UTF-16 as text.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let mut out = String::new();
    push_utf16(&mut out, bytes);
    out
}

/// Appends UTF-16; what is none becomes U+FFFD, and a NUL ends it.
pub(super) fn push_utf16(out: &mut String, bytes: &[u8]) {
    let mut rest = &bytes[..bytes.len() & !1];
    while let Some((before, [0, 0])) = rest.split_last_chunk::<2>() {
        rest = before;
    }
    loop {
        rest = push_ascii(out, rest);
        match push_units(out, rest) {
            Some(after) if !after.is_empty() => rest = after,
            _ => return,
        }
    }
}

/// Units that are looked at together.
const BLOCK: usize = 16;

/// Appends the blocks that are ASCII and nothing else; gives the rest.
fn push_ascii<'b>(out: &mut String, bytes: &'b [u8]) -> &'b [u8] {
    let mut rest = bytes;
    let (mut buffer, mut used) = ([[0; BLOCK]; 8], 0);
    while !rest.is_empty() {
        if used == buffer.len() {
            out.push_str(std::str::from_utf8(buffer.as_flattened()).expect("ASCII is UTF-8"));
            used = 0;
        }
        if let Some((units, after)) = rest.split_first_chunk() {
            if !narrow(units, &mut buffer[used]) {
                break;
            }
            rest = after;
            used += 1;
            continue;
        }
        let mut units = [[1, 0]; BLOCK];
        units.as_flattened_mut()[..rest.len()].copy_from_slice(rest);
        let mut last = [0; BLOCK];
        if narrow(units.as_flattened().try_into().expect("a block"), &mut last) {
            out.push_str(std::str::from_utf8(buffer[..used].as_flattened()).expect("ASCII is UTF-8"));
            out.push_str(std::str::from_utf8(&last[..rest.len() / 2]).expect("ASCII is UTF-8"));
            return &[];
        }
        break;
    }
    out.push_str(std::str::from_utf8(buffer[..used].as_flattened()).expect("ASCII is UTF-8"));
    rest
}

/// Makes bytes of units; whether they are all ASCII and none is NUL. The compiler makes a few vector instructions of it.
#[inline]
fn narrow(units: &[u8; 2 * BLOCK], out: &mut [u8; BLOCK]) -> bool {
    let mut wide = [0_u16; BLOCK];
    for (unit, pair) in wide.iter_mut().zip(units.as_chunks().0) {
        *unit = u16::from_le_bytes(*pair);
    }
    // NUL less one has all bits.
    let all = wide.iter().fold(0, |all, unit| all | unit | unit.wrapping_sub(1));
    for (byte, unit) in out.iter_mut().zip(wide) {
        *byte = (unit & 0xff) as u8;
    }
    all < 0x80
}

/// Appends the next units, at least those of a block, whatever they are; gives the rest. `None`: a NUL ended the text.
fn push_units<'b>(out: &mut String, bytes: &'b [u8]) -> Option<&'b [u8]> {
    let mut rest = bytes;
    while bytes.len() - rest.len() < 2 * BLOCK
        && let Some((unit, after)) = rest.split_first_chunk()
    {
        rest = after;
        let unit = u16::from_le_bytes(*unit);
        if unit == 0 {
            return None;
        }
        let pair = after.first_chunk().map(|next| [unit, u16::from_le_bytes(*next)]);
        let paired = pair.filter(|[high, low]| matches!((high, low), (0xd800..0xdc00, 0xdc00..0xe000)));
        if let Some(pair) = paired {
            rest = &after[2..];
            out.extend(char::decode_utf16(pair).flatten());
        } else {
            out.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
    Some(rest)
}

/// Appends a value as Windows renders it. A value shorter than its type is rendered as the bytes that it is.
pub(super) fn write_value(out: &mut String, kind: u8, bytes: &[u8]) {
    if kind & 0x80 != 0 {
        return write_array(out, kind & 0x7f, bytes);
    }
    let unsigned = match bytes.len() {
        1 | 2 | 4 | 8 => bytes.iter().rev().fold(0_u64, |all, &byte| all << 8 | u64::from(byte)),
        _ => 0,
    };
    let result = match (kind, bytes.len()) {
        (0x00, _) => Ok(()),
        (0x01, _) => {
            push_utf16(out, bytes);
            Ok(())
        }
        (0x02, _) => {
            let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(text).0);
            Ok(())
        }
        (0x03, 1) => number(out, i64::from(unsigned as i8)),
        (0x05, 2) => number(out, i64::from(unsigned as i16)),
        (0x07, 4) => number(out, i64::from(unsigned as i32)),
        (0x09, 8) => number(out, unsigned as i64),
        (0x04, 1) | (0x06, 2) | (0x08, 4) | (0x0a, 8) => {
            decimal(out, unsigned, 1);
            Ok(())
        }
        (0x0b, 4) => write!(out, "{}", f32::from_bits(unsigned as u32)),
        (0x0c, 8) => write!(out, "{}", f64::from_bits(unsigned)),
        (0x0d, 4) => match unsigned {
            0 => write!(out, "false"),
            1 => write!(out, "true"),
            other => write!(out, "{other}"),
        },
        (0x0f, 16) => {
            write_guid(out, bytes);
            Ok(())
        }
        (0x10 | 0x14 | 0x15, 4 | 8) => write!(out, "{unsigned:#x}"),
        (0x11, 8) => {
            push_filetime(out, unsigned);
            Ok(())
        }
        (0x12, 16) => write_systemtime(out, bytes),
        (0x13, 8..) => write_sid(out, bytes),
        _ => {
            bytes.iter().for_each(|byte| hexadecimal(out, *byte));
            Ok(())
        }
    };
    debug_assert!(result.is_ok(), "writing to a string cannot fail");
}

fn write_array(out: &mut String, kind: u8, bytes: &[u8]) {
    let size = match kind {
        0x01 => {
            let mut rest = bytes;
            while rest.len() >= 2 {
                let end = rest.chunks_exact(2).position(|unit| unit == [0, 0]).unwrap_or(rest.len() / 2) * 2;
                if rest.len() != bytes.len() && !rest[..end].is_empty() {
                    out.push(',');
                }
                push_utf16(out, &rest[..end]);
                rest = rest.get(end + 2..).unwrap_or_default();
            }
            return;
        }
        0x03 | 0x04 => 1,
        0x05 | 0x06 => 2,
        0x07 | 0x08 | 0x0b | 0x0d | 0x14 => 4,
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => 8,
        0x0f | 0x12 => 16,
        _ => return write_value(out, 0x0e, bytes),
    };
    for (index, item) in bytes.chunks_exact(size).enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(out, kind, item);
    }
}

fn number(out: &mut String, value: i64) -> std::fmt::Result {
    signed(out, value);
    Ok(())
}

fn write_guid(out: &mut String, bytes: &[u8]) {
    let Some(parts) = bytes.as_chunks::<4>().0.first_chunk::<4>() else { return };
    let short = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]));
    let second = short(parts[1][0], parts[1][1]) << 16 | short(parts[1][2], parts[1][3]);
    let digits = [u32::from_le_bytes(parts[0]), second, u32::from_be_bytes(parts[2]), u32::from_be_bytes(parts[3])]
        .map(hexadecimals);
    let mut text = *b"{00000000-0000-0000-0000-000000000000}";
    text[1..9].copy_from_slice(&digits[0]);
    text[10..14].copy_from_slice(&digits[1][..4]);
    text[15..19].copy_from_slice(&digits[1][4..]);
    text[20..24].copy_from_slice(&digits[2][..4]);
    text[25..29].copy_from_slice(&digits[2][4..]);
    text[29..37].copy_from_slice(&digits[3]);
    out.push_str(std::str::from_utf8(&text).expect("digits are ASCII"));
}

/// The eight digits of a number, all at once: each half is moved apart until every digit has a byte.
fn hexadecimals(number: u32) -> [u8; 8] {
    let mut digits = u64::from(number);
    digits = (digits & 0xffff_0000) << 16 | digits & 0xffff;
    digits = (digits & 0x0000_ff00_0000_ff00) << 8 | digits & 0x0000_00ff_0000_00ff;
    digits = (digits & 0x00f0_00f0_00f0_00f0) << 4 | digits & 0x000f_000f_000f_000f;
    let letters = ((digits + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    (digits + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

fn write_sid(out: &mut String, bytes: &[u8]) -> std::fmt::Result {
    let authority = bytes[2..8].iter().fold(0_u64, |all, &byte| all << 8 | u64::from(byte));
    write!(out, "S-{}-{authority}", bytes[0])?;
    for part in bytes[8..].chunks_exact(4).take(usize::from(bytes[1])) {
        out.push('-');
        decimal(out, u64::from(u32::from_le_bytes([part[0], part[1], part[2], part[3]])), 1);
    }
    Ok(())
}

fn write_systemtime(out: &mut String, bytes: &[u8]) -> std::fmt::Result {
    let part = |index: usize| u16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]);
    let (year, month, day) = (part(0), part(1), part(3));
    let (hour, minute, second, milliseconds) = (part(4), part(5), part(6), part(7));
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rendered_as_windows_does() {
        let mut out = String::new();
        write_value(&mut out, 0x13, &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]);
        write_value(&mut out, 0x14, &[0xff, 0, 0, 0]);
        write_value(&mut out, 0x81, &[b'a', 0, 0, 0, b'b', 0, 0, 0]);
        write_value(&mut out, 0x14, &[1]);
        assert_eq!(out, "S-1-5-180xffa,b01");
    }

    #[test]
    fn identities_are_written_part_by_part() {
        for step in 0..16_u8 {
            let bytes: Vec<u8> = (0..16_u8).map(|place| place.wrapping_mul(17 + 2 * step) ^ step << 4).collect();
            let (mut out, order) = (String::new(), [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]);
            write_guid(&mut out, &bytes);
            let digits: String = order.map(|place| format!("{:02x}", bytes[place])).concat();
            assert_eq!(out.replace('-', ""), format!("{{{digits}}}"));
            assert_eq!(out.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [9, 14, 19, 24]);
        }
    }

    #[test]
    fn units_of_any_kind_in_any_place_become_text() {
        let words = ["a", "\u{7f}", "é", "\u{ff80}", "😀", "abcd", "\u{80}"];
        for length in [0, 1, 3, 4, 5, 8, 127, 128, 129, 260] {
            for (word, at) in words.iter().zip([0, 1, 2, 3, 4, 7, 130]) {
                let mut text: String = "0123456789".chars().cycle().take(length).collect();
                text.insert_str(at.min(length), word);
                let bytes = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
                assert_eq!(utf16(&bytes(&text)), text);
                assert_eq!(utf16(&bytes(&format!("{text}\0rest of it"))), text);
            }
        }
        assert_eq!(utf16(&[0x00, 0xd8, b'a', 0, 0x41]), "\u{fffd}a");
    }
}
