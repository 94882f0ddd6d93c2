//! Windows' times as text.

use crate::sources::digits::decimal;

/// 100-nanosecond steps since 1601 as ISO 8601; all seven digits, as Winlogbeat has them.
pub fn push_filetime(out: &mut String, value: u64) {
    let (seconds, ticks) = (value / 10_000_000, value % 10_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    for (value, width, end) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (hour, 2, ':'),
        (minute, 2, ':'),
        (second, 2, '.'),
        (ticks, 7, 'Z'),
    ] {
        decimal(out, value, width);
        out.push(end);
    }
}

/// The Gregorian date `days` after 1601-01-01, which starts a cycle of 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    // From 1 March 1600: February, which varies, comes last in such a year.
    let days = days + 306;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (1600 + era * 400 + year + u64::from(month <= 2), month, day - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetimes_are_dates() {
        for (value, expected) in [
            (0, "1601-01-01T00:00:00.0000000Z"),
            (116_444_736_000_000_000, "1970-01-01T00:00:00.0000000Z"),
            (132_483_024_143_242_341, "2020-10-27T20:00:14.3242341Z"),
            (125_963_423_999_999_999, "2000-02-29T23:59:59.9999999Z"),
        ] {
            let mut out = String::new();
            push_filetime(&mut out, value);
            assert_eq!(out, expected);
        }
    }
}
