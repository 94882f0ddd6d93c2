//! Instants: read from ISO text or milliseconds since 1970, written as ISO text, compared to the nanosecond.

use std::fmt::Write as _;

/// An instant: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z, rounded toward the past.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

const NANOS: i128 = 1_000_000_000;

impl Time {
    /// Reads what a `date` field accepts: a year, milliseconds since 1970, or ISO 8601 text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() == 4 && bytes.iter().all(u8::is_ascii_digit) {
            return iso(bytes);
        }
        Self::parse_epoch(text, 6).or_else(|| iso(bytes))
    }

    /// Reads a date with as much of a time as there is.
    pub fn parse_iso(text: &str) -> Option<Self> {
        iso(text.as_bytes())
    }

    /// Reads `[+-]digits[.digits]` milliseconds (`scale` 6) or seconds (9) since 1970.
    pub fn parse_epoch(text: &str, scale: usize) -> Option<Self> {
        epoch(text, scale)
    }

    /// Cut toward the past to whole milliseconds, as a `date` field keeps them.
    #[must_use]
    pub fn to_milliseconds(self) -> Self {
        Self { nanos: self.nanos - self.nanos % 1_000_000, ..self }
    }

    /// Whole milliseconds since 1970, cut toward the past.
    pub fn milliseconds(self) -> i128 {
        self.total_nanos().div_euclid(1_000_000)
    }

    /// Nanoseconds since 1970.
    pub fn total_nanos(self) -> i128 {
        i128::from(self.seconds) * NANOS + i128::from(self.nanos)
    }

    fn from_nanos(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(NANOS)).ok()?;
        Some(Self { seconds, nanos: nanos.rem_euclid(NANOS) as u32 })
    }

    /// `yyyy-MM-ddTHH:mm:ss.SSS`, further digits where they are not zero, and `Z`.
    pub fn iso(self) -> String {
        let (year, month, day) = civil(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let mut text = String::with_capacity(30);
        // Java writes years beyond four digits with a sign.
        let sign = if year > 9999 {
            "+"
        } else if year < 0 {
            "-"
        } else {
            ""
        };
        let year = year.unsigned_abs();
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let written = write!(text, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.");
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        let digits = format!("{:09}", self.nanos);
        let kept = digits.trim_end_matches('0').len().max(3);
        text.push_str(&digits[..kept]);
        text.push('Z');
        text
    }
}

fn epoch(text: &str, scale: usize) -> Option<Time> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || fraction.is_some_and(|part| !plain(part)) || whole.len() > 20 {
        return None;
    }
    let mut nanos = i128::from(whole.parse::<i64>().ok()?) * 10_i128.pow(scale as u32);
    if let Some(fraction) = fraction {
        let digits: String = fraction.chars().chain("000000000".chars()).take(scale).collect();
        nanos += digits.parse::<i128>().ok()?;
    }
    Time::from_nanos(if negative { -nanos } else { nanos })
}

/// Reads digits and marks from the front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let part = self.rest.get(..count).filter(|part| part.iter().all(u8::is_ascii_digit))?;
        self.rest = &self.rest[count..];
        Some(part.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
    }

    fn mark(&mut self, mark: u8) -> bool {
        let found = self.rest.first() == Some(&mark);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Up to nine digits of a second's fraction, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let value = self.digits(count)? as u32;
        Some(value * 10_u32.pow(9 - count as u32))
    }

    /// Seconds east of Greenwich.
    fn zone(&mut self) -> Option<i64> {
        if self.rest.is_empty() || self.mark(b'Z') {
            return Some(0);
        }
        let sign = if self.mark(b'+') {
            1
        } else if self.mark(b'-') {
            -1
        } else {
            return None;
        };
        let hours = self.digits(2)?;
        let minutes = if self.mark(b':') || !self.rest.is_empty() { self.digits(2)? } else { 0 };
        (hours <= 18 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
    }
}

fn iso(bytes: &[u8]) -> Option<Time> {
    let mut reader = Reader { rest: bytes };
    let year = reader.digits(4)?;
    let (mut month, mut day, mut second, mut nanos, mut zone) = (1, 1, 0, 0, 0);
    if reader.mark(b'-') {
        month = reader.digits(2)?;
        if reader.mark(b'-') {
            day = reader.digits(2)?;
            if reader.mark(b'T') {
                (second, nanos) = clock(&mut reader)?;
                zone = reader.zone()?;
            }
        }
    }
    let valid = reader.rest.is_empty() && (1..=12).contains(&month) && (1..=month_length(year, month)).contains(&day);
    valid.then(|| Time { seconds: days(year, month, day) * 86_400 + second - zone, nanos })
}

/// `HH[:mm[:ss[(.|,)f]]]` as seconds of the day and nanoseconds.
fn clock(reader: &mut Reader<'_>) -> Option<(i64, u32)> {
    let hour = reader.digits(2)?;
    let (mut minute, mut second, mut nanos) = (0, 0, 0);
    if reader.mark(b':') {
        minute = reader.digits(2)?;
        if reader.mark(b':') {
            second = reader.digits(2)?;
            if reader.mark(b'.') || reader.mark(b',') {
                nanos = reader.fraction()?;
            }
        }
    }
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 3_600 + minute * 60 + second, nanos))
}

pub(super) fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date in the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil`).
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> Option<String> {
        Time::parse(text).map(Time::iso)
    }

    #[test]
    fn iso_texts_of_every_precision() {
        assert_eq!(again("2017").as_deref(), Some("2017-01-01T00:00:00.000Z"));
        assert_eq!(again("2017-08").as_deref(), Some("2017-08-01T00:00:00.000Z"));
        assert_eq!(again("2017-08-30T20").as_deref(), Some("2017-08-30T20:00:00.000Z"));
        assert_eq!(again("2017-08-30T20:47:33,5+02:00").as_deref(), Some("2017-08-30T18:47:33.500Z"));
        assert_eq!(again("2017-08-30T20:47:33.123456789-0130").as_deref(), Some("2017-08-30T22:17:33.123456789Z"));
        assert_eq!(again("1969-12-31T23:59:59.999Z").as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(again("2000-02-29").as_deref(), Some("2000-02-29T00:00:00.000Z"));
    }

    #[test]
    fn milliseconds_since_1970() {
        assert_eq!(again("1504126053123").as_deref(), Some("2017-08-30T20:47:33.123Z"));
        assert_eq!(again("1.5").as_deref(), Some("1970-01-01T00:00:00.0015Z"));
        assert_eq!(again("-1").as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(again("12345").as_deref(), Some("1970-01-01T00:00:12.345Z"));
    }

    #[test]
    fn what_is_no_date() {
        for text in
            ["", "x", "2017-13", "2017-02-29", "2017-08-30T24", "2017-08-30T20:47:60", "2017-08-30Z", "1.", "1 ", "-"]
        {
            assert_eq!(Time::parse(text), None, "{text}");
        }
        let endless = "9".repeat(400);
        assert_eq!(Time::parse(&endless), None);
    }
}
