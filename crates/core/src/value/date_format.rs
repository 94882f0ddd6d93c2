//! Dates by the formats of a mapping, the first that fits (`docs/plan-format.md`). A pattern's text must fit from end to end.

use super::Time;
use super::time::{days, month_length};
use serde::Deserialize;

/// One format.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// A format that is no pattern.
    Named(Named),
    /// Parts, one after the other.
    Pattern(Vec<Part>),
}

/// Formats that are no patterns.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// A date with as much of a time as there is.
    Iso,
    /// Milliseconds since 1970.
    EpochMillis,
    /// Seconds since 1970.
    EpochSecond,
}

/// A part of a pattern.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Characters that stand there as they are.
    Text(String),
    /// A number of so many digits.
    Digits(Digits),
    /// An English name, or its first three letters.
    Name(Name),
    /// `Z`, `UTC`, `GMT` or an offset.
    Zone(bool),
    /// What may be left out as a whole.
    Maybe(Vec<Part>),
}

/// A number of `least` to `most` digits.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct Digits {
    unit: Unit,
    least: u8,
    most: u8,
}

/// A name of a unit.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct Name {
    unit: Unit,
    full: bool,
}

/// What a part of a date says.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Year,
    ShortYear,
    Month,
    Weekday,
    Day,
    DayOfYear,
    Hour,
    HalfHour,
    Half,
    Minute,
    Second,
    Fraction,
}

const UNITS: usize = Unit::Fraction as usize + 1;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HALVES: [&str; 2] = ["AM", "PM"];

/// Reads a date in the first of the formats that fits.
pub fn read(text: &str, formats: &[DateFormat]) -> Option<Time> {
    formats.iter().find_map(|format| match format {
        DateFormat::Named(Named::Iso) => Time::parse_iso(text),
        DateFormat::Named(Named::EpochMillis) => Time::parse_epoch(text, 6),
        DateFormat::Named(Named::EpochSecond) => Time::parse_epoch(text, 9),
        DateFormat::Pattern(parts) => {
            let mut found = Found::default();
            found.fit(text, parts).filter(|rest| rest.is_empty())?;
            found.time()
        }
    })
}

/// What the parts of a pattern said.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    units: [Option<i64>; UNITS],
    offset: i64,
}

impl Found {
    /// What is left of the text behind the parts, if they fit.
    fn fit<'t>(&mut self, mut text: &'t str, parts: &[Part]) -> Option<&'t str> {
        for part in parts {
            text = match part {
                Part::Text(expected) => text.strip_prefix(expected.as_str())?,
                Part::Digits(digits) => self.digits(text, *digits)?,
                Part::Name(name) => self.name(text, *name)?,
                Part::Zone(_) => self.zone(text)?,
                Part::Maybe(inner) => {
                    let mut attempt = *self;
                    match attempt.fit(text, inner) {
                        Some(rest) => {
                            *self = attempt;
                            rest
                        }
                        None => text,
                    }
                }
            };
        }
        Some(text)
    }

    fn digits<'t>(&mut self, text: &'t str, digits: Digits) -> Option<&'t str> {
        let (least, most) = (usize::from(digits.least), usize::from(digits.most.min(9)));
        let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least.max(1) {
            return None;
        }
        let value: i64 = text[..count].parse().ok()?;
        let scale = if digits.unit == Unit::Fraction { 10_i64.pow(9 - count as u32) } else { 1 };
        self.units[digits.unit as usize] = Some(value * scale);
        Some(&text[count..])
    }

    fn name<'t>(&mut self, text: &'t str, name: Name) -> Option<&'t str> {
        let names: &[&str] = match name.unit {
            Unit::Month => &MONTHS,
            Unit::Weekday => &WEEKDAYS,
            _ => &HALVES,
        };
        names.iter().enumerate().find_map(|(number, known)| {
            let known = if name.full { known } else { known.get(..3)? };
            let rest = text.strip_prefix(known)?;
            self.units[name.unit as usize] = Some(number as i64 + 1);
            Some(rest)
        })
    }

    fn zone<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = ["Z", "UTC", "GMT"].iter().find_map(|name| text.strip_prefix(name)) {
            return Some(rest);
        }
        let (sign, rest) = match text.strip_prefix('+') {
            Some(rest) => (1, rest),
            None => (-1, text.strip_prefix('-')?),
        };
        let (hours, rest) = two_digits(rest)?;
        let (minutes, rest) = two_digits(rest.strip_prefix(':').unwrap_or(rest)).unwrap_or((0, rest));
        if hours > 18 || minutes > 59 {
            return None;
        }
        self.offset = sign * (hours * 3_600 + minutes * 60);
        Some(rest)
    }

    fn of(&self, unit: Unit) -> Option<i64> {
        self.units[unit as usize]
    }

    /// The instant; a missing part is the first of its kind, a missing year 1970.
    fn time(&self) -> Option<Time> {
        let year = self.of(Unit::Year).or_else(|| Some(2_000 + self.of(Unit::ShortYear)?)).unwrap_or(1970);
        let (month, day) = (self.of(Unit::Month).unwrap_or(1), self.of(Unit::Day).unwrap_or(1));
        let half_hour = self.of(Unit::HalfHour);
        let afternoon = if self.of(Unit::Half) == Some(2) { 12 } else { 0 };
        let hour = self.of(Unit::Hour).unwrap_or(half_hour.unwrap_or(0) % 12 + afternoon);
        let (minute, second) = (self.of(Unit::Minute).unwrap_or(0), self.of(Unit::Second).unwrap_or(0));
        let valid = (1..=12).contains(&month)
            && (1..=month_length(year, month)).contains(&day)
            && (1..=12).contains(&half_hour.unwrap_or(1))
            && hour < 24
            && minute < 60
            && second < 60;
        if !valid {
            return None;
        }
        let date = match self.of(Unit::DayOfYear) {
            Some(number) => {
                let date = days(year, 1, 1) + number - 1;
                (number > 0 && date < days(year + 1, 1, 1)).then_some(date)?
            }
            None => days(year, month, day),
        };
        let seconds = date * 86_400 + hour * 3_600 + minute * 60 + second - self.offset;
        Some(Time { seconds, nanos: u32::try_from(self.of(Unit::Fraction).unwrap_or(0)).ok()? })
    }
}

fn two_digits(text: &str) -> Option<(i64, &str)> {
    let digits = text.get(..2).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((digits.parse().ok()?, &text[2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(json: &str) -> Vec<DateFormat> {
        serde_json::from_str(json).expect("formats")
    }

    #[test]
    fn patterns_and_alternatives() {
        let day = formats(
            r#"[{"pattern": [{"digits": {"unit": "day", "least": 2, "most": 2}}, {"text": "-"},
                {"name": {"unit": "month", "full": false}}, {"text": "-"},
                {"digits": {"unit": "year", "least": 4, "most": 4}},
                {"maybe": [{"text": " "}, {"zone": true}]}]}, {"named": "epoch_second"}]"#,
        );
        let iso = |text| read(text, &day).map(Time::iso);
        assert_eq!(iso("30-Aug-2017").as_deref(), Some("2017-08-30T00:00:00.000Z"));
        assert_eq!(iso("30-Aug-2017 +01:00").as_deref(), Some("2017-08-29T23:00:00.000Z"));
        assert_eq!(iso("30-Aug-2017 -0130").as_deref(), Some("2017-08-30T01:30:00.000Z"));
        assert_eq!(iso("1.5").as_deref(), Some("1970-01-01T00:00:01.500Z"));
        for text in ["31-Feb-2017", "30-Aug-2017 ", "30-aug-2017", "30-Aug-17", "x", "", "é0-Aug-2017"] {
            assert_eq!(iso(text), None, "{text}");
        }
    }
}
