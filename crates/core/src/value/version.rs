//! The order of `version` fields: semantic versions with any number of groups, malformed ones last.

use std::cmp::Ordering;

/// The parts of a well-formed version.
struct Parts<'a> {
    numbers: Vec<&'a str>,
    pre_release: Option<&'a str>,
    build: Option<&'a str>,
}

/// Compares two versions; equal only if their texts are.
pub fn compare(left: &str, right: &str) -> Ordering {
    let order = match (parts(left), parts(right)) {
        (Some(left), Some(right)) => compare_parts(&left, &right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    order.then_with(|| left.as_bytes().cmp(right.as_bytes()))
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (main, pre_release) = rest.split_once('-').map_or((rest, None), |(main, pre)| (main, Some(pre)));
    let numbers: Vec<&str> = main.split('.').collect();
    let whole = |part: &&str| is_number(part) && (part.len() == 1 || !part.starts_with('0'));
    let named = |list: &str| {
        list.split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    };
    // A number of a pre-release has no leading zero either.
    let counted = |list: &str| list.split('.').all(|part| !is_number(part) || whole(&part));
    let valid = numbers.iter().all(whole)
        && pre_release.is_none_or(|list| named(list) && counted(list))
        && build.is_none_or(named);
    valid.then_some(Parts { numbers, pre_release, build })
}

/// Bytes that sort as the versions do.
pub fn sort_key(text: &str) -> Vec<u8> {
    let Some(parts) = parts(text) else {
        return [&[1], text.as_bytes()].concat();
    };
    let mut key = vec![0];
    let number = |digits: &str, key: &mut Vec<u8>| {
        key.push(1);
        key.extend((digits.len() as u32).to_be_bytes());
        key.extend(digits.as_bytes());
    };
    parts.numbers.iter().for_each(|digits| number(digits, &mut key));
    key.extend([0, u8::from(parts.pre_release.is_none())]);
    for part in parts.pre_release.iter().flat_map(|list| list.split('.')) {
        if is_number(part) {
            number(part, &mut key);
        } else {
            key.push(2);
            key.extend(part.as_bytes());
            key.push(0);
        }
    }
    key.push(0);
    key.extend(parts.build.unwrap_or_default().as_bytes());
    key
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn compare_parts(left: &Parts<'_>, right: &Parts<'_>) -> Ordering {
    by_groups(left.numbers.iter().copied(), right.numbers.iter().copied())
        .then_with(|| match (left.pre_release, right.pre_release) {
            (Some(left), Some(right)) => by_groups(left.split('.'), right.split('.')),
            (left, right) => left.is_none().cmp(&right.is_none()),
        })
        .then_with(|| left.build.map(str::as_bytes).cmp(&right.build.map(str::as_bytes)))
}

/// Group by group: numbers before text, numbers by value, text by byte; the shorter list first.
fn by_groups<'a>(mut left: impl Iterator<Item = &'a str>, mut right: impl Iterator<Item = &'a str>) -> Ordering {
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match (is_number(left), is_number(right)) {
                (true, true) => by_value(left, right),
                (false, false) => left.as_bytes().cmp(right.as_bytes()),
                (left, right) => right.cmp(&left),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Digits of any length by the number they name.
fn by_value(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascending() {
        let sorted = [
            "1.0-2",
            "1.0-10",
            "1.0-alpha",
            "1.0-alpha.1",
            "1.0",
            "1.0+a",
            "1.0+b",
            "1.0.0",
            "1.2",
            "1.10",
            "2",
            "123456789012345678901234567890",
            "01.0",
            "x",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("1.0", "1.0"), Ordering::Equal);
    }
}
