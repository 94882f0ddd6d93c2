//! Numbers as text, without the machinery of formats: decoders write millions. It knows no record.

/// Appends a number in decimal, with zeros in front up to a width.
pub(super) fn decimal(out: &mut String, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while value > 0 {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    first = first.min(digits.len() - width.clamp(1, digits.len()));
    out.push_str(std::str::from_utf8(&digits[first..]).expect("digits are ASCII"));
}

/// Whether a text is a number that is written as JSON and as this module write it.
pub(super) fn is_plain(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.len() < 18 && rest.iter().all(u8::is_ascii_digit))
}

/// Appends a number with its sign.
pub(super) fn signed(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    decimal(out, value.unsigned_abs(), 1);
}

/// Appends a byte as two digits, in capitals.
pub(super) fn hexadecimal(out: &mut String, byte: u8) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_formats_write_them() {
        for value in [0, 7, 10, 999, 65_536, u64::MAX] {
            for width in [0, 1, 4, 20] {
                let mut out = String::new();
                decimal(&mut out, value, width);
                assert_eq!(out, format!("{value:0width$}"));
            }
        }
        for value in [0, -1, 42, i64::MIN, i64::MAX] {
            let mut out = String::new();
            signed(&mut out, value);
            assert_eq!(out, value.to_string());
        }
        let mut out = String::new();
        hexadecimal(&mut out, 0x0a);
        hexadecimal(&mut out, 0xf9);
        assert_eq!(out, "0AF9");
    }
}
