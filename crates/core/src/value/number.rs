//! Numbers: read from JSON text or strings, written as Java writes them, compared exactly.

use std::cmp::Ordering;

/// An integer: optional sign and digits, between -2^63 and 2^64 - 1.
pub fn parse_whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 30 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| long_digits(text, digits)).flatten();
    }
    in_range(text.parse::<i128>().ok()?)
}

/// Digits with many leading zeros still name a small number.
fn long_digits(text: &str, digits: &str) -> Option<i128> {
    let digits = digits.trim_start_matches('0');
    if digits.len() > 30 {
        return None;
    }
    let value =
        if digits.is_empty() { return text.ends_with('0').then_some(0) } else { digits.parse::<i128>().ok()? };
    in_range(if text.starts_with('-') { -value } else { value })
}

fn in_range(value: i128) -> Option<i128> {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// A decimal number: optional sign, digits with an optional point, optional exponent. No blanks, no hexadecimal, no names.
pub fn parse_decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let exponent = text.find(['e', 'E']).map_or("", |at| &text[at + 1..]);
    if !plain || !text.bytes().any(|byte| byte.is_ascii_digit()) || exponent.trim_start_matches(['+', '-']).len() > 9 {
        return None;
    }
    text.parse::<f64>().ok()
}

/// A decimal number cut toward zero, exactly: digits are moved, not rounded. `None` beyond 21 digits.
pub fn cut_decimal(text: &str) -> Option<i128> {
    parse_decimal(text)?;
    let negative = text.starts_with('-');
    let text = text.trim_start_matches(['+', '-']);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let leading = fraction.len() - fraction.trim_start_matches('0').len();
    let significant = whole.trim_start_matches('0');
    // The place of the first digit that is not zero, counted from the point.
    let place = if significant.is_empty() { -(leading as i64) } else { significant.len() as i64 };
    let shifted = place + exponent.parse::<i64>().ok()?;
    let digits: String =
        significant.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0').map(char::from).collect();
    if digits.is_empty() || shifted <= 0 {
        return Some(0);
    }
    let length = usize::try_from(shifted).ok().filter(|length| *length <= 21)?;
    let kept: String = digits.chars().chain(std::iter::repeat('0')).take(length).collect();
    kept.parse::<i128>().ok().map(|value| if negative { -value } else { value })
}

/// Compares a whole number with a float by mathematical value; NaN is greatest.
pub fn compare_exact(whole: i128, float: f64) -> Ordering {
    if float.is_nan() {
        return Ordering::Less;
    }
    // Beyond the range of whole numbers the float decides alone; inside it, its whole part fits.
    if float >= 1e20 {
        return Ordering::Less;
    }
    if float <= -1e20 {
        return Ordering::Greater;
    }
    let floor = float.floor();
    whole.cmp(&(floor as i128)).then(if float > floor { Ordering::Less } else { Ordering::Equal })
}

/// Java's `Double.compare`: -0.0 before 0.0, NaN equal to itself and greatest.
pub fn compare_floats(left: f64, right: f64) -> Ordering {
    match (left.is_nan(), right.is_nan()) {
        (false, false) => left.total_cmp(&right),
        (left, right) => left.cmp(&right),
    }
}

/// Java's `Double.toString`: at least one digit after the point; an exponent below 10^-3 and from 10^7 on.
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = format!("{value}");
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_java() {
        let pairs: [(f64, &str); 10] = [
            (1.0, "1.0"),
            (0.001, "0.001"),
            (1e7, "1.0E7"),
            (1e-4, "1.0E-4"),
            (-0.0, "-0.0"),
            (123_456.789, "123456.789"),
            (1.234_567_89e8, "1.23456789E8"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (9_999_999.5, "9999999.5"),
        ];
        for (value, text) in pairs {
            assert_eq!(float_text(value), text);
        }
    }

    #[test]
    fn whole_numbers_have_a_range() {
        assert_eq!(parse_whole("18446744073709551615"), Some(i128::from(u64::MAX)));
        assert_eq!(parse_whole("18446744073709551616"), None);
        assert_eq!(parse_whole("-9223372036854775809"), None);
        assert_eq!(parse_whole(&format!("-{}7", "0".repeat(50))), Some(-7));
        for text in ["", "-", "1.0", " 1", "0x1", "1e3"] {
            assert_eq!(parse_whole(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_cut_exactly() {
        let pairs = [
            ("10.7", 10),
            ("-0.5", 0),
            ("1e3", 1000),
            ("9223372036854775807e0", i128::from(i64::MAX)),
            (".05e3", 50),
            ("0.00123E5", 123),
        ];
        for (text, value) in pairs {
            assert_eq!(cut_decimal(text), Some(value), "{text}");
        }
        assert_eq!(cut_decimal("1e22"), None);
        assert_eq!(cut_decimal("0e999999999"), Some(0));
        assert_eq!(cut_decimal("x"), None);
    }

    #[test]
    fn exact_comparison_where_floats_would_round() {
        assert_eq!(compare_exact((1 << 53) + 1, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(compare_exact(5, 5.5), Ordering::Less);
        assert_eq!(compare_exact(-5, -5.5), Ordering::Greater);
        assert_eq!(compare_exact(0, -0.0), Ordering::Equal);
        assert_eq!(compare_exact(1, f64::INFINITY), Ordering::Less);
        assert_eq!(compare_floats(-0.0, 0.0), Ordering::Less);
        assert_eq!(compare_floats(f64::NAN, -f64::NAN), Ordering::Equal);
    }
}
