//! Rotated logs: which files are pieces of one, and in which order they were written. Their names tell; contents are not looked at.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// Where a file stands among the pieces of its log: the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// `audit.log-20261124`, `audit.log-20261124-1700000000` (logrotate's `dateext`).
    Dated(String),
    /// `audit.log.4`: the higher the older.
    Numbered(Reverse<u64>),
    /// `audit.log`: the one that is being written.
    Current,
}

/// The log that a file is a piece of, and its age.
fn piece(path: &Path) -> Option<(PathBuf, Age)> {
    let name = path.file_name()?.to_str()?;
    let name = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((stem, number)) = name.rsplit_once('.').filter(|(stem, number)| !stem.is_empty() && digits(number)) {
        return Some((path.with_file_name(stem), Age::Numbered(Reverse(number.parse().ok()?))));
    }
    if let Some((stem, date)) = name.split_once('-').filter(|(stem, date)| !stem.is_empty() && dated(date)) {
        return Some((path.with_file_name(stem), Age::Dated(date.to_owned())));
    }
    Some((path.with_file_name(name), Age::Current))
}

/// Eight digits, and more numbers behind a dash.
fn dated(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|date| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
        && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Puts the pieces of each log into the order in which they were written, in the places that they have among the others.
pub fn order<T>(files: &mut Vec<T>, path: impl Fn(&T) -> Option<&Path>) {
    let mut logs: std::collections::BTreeMap<PathBuf, Vec<(Age, usize)>> = std::collections::BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if let Some((log, age)) = path(file).and_then(piece) {
            logs.entry(log).or_default().push((age, index));
        }
    }
    let mut sources: Vec<usize> = (0..files.len()).collect();
    for mut pieces in logs.into_values().filter(|pieces| pieces.len() > 1) {
        let places: Vec<usize> = pieces.iter().map(|(_, index)| *index).collect();
        pieces.sort();
        for (place, (_, index)) in places.into_iter().zip(pieces) {
            sources[place] = index;
        }
    }
    let mut taken: Vec<Option<T>> = std::mem::take(files).into_iter().map(Some).collect();
    files.extend(sources.into_iter().filter_map(|index| taken[index].take()));
}

/// Whether two files are pieces of one log.
pub fn same_log(left: &Path, right: &Path) -> bool {
    match (piece(left), piece(right)) {
        (Some((left, _)), Some((right, _))) => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(names: &[&str]) -> Vec<String> {
        let mut files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        order(&mut files, |path| Some(path));
        files.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_oldest_piece_comes_first() {
        let found = ordered(&["a/audit.log", "a/audit.log.1", "a/audit.log.10.gz", "a/audit.log.2.gz", "a/x.ndjson"]);
        assert_eq!(found, ["a/audit.log.10.gz", "a/audit.log.2.gz", "a/audit.log.1", "a/audit.log", "a/x.ndjson"]);
        assert_eq!(
            ordered(&["syslog", "syslog-20261124", "syslog-20261123.gz"]),
            ["syslog-20261123.gz", "syslog-20261124", "syslog"]
        );
    }

    #[test]
    fn other_folders_and_other_names_stay_where_they_are() {
        let names = ["b/audit.log", "c/audit.log.1", "x-1.ndjson", "x-2.ndjson", "y.1.json"];
        assert_eq!(ordered(&names), names);
        assert!(!same_log(Path::new("b/audit.log"), Path::new("c/audit.log.1")));
        assert!(same_log(Path::new("b/audit.log.1.gz"), Path::new("b/audit.log")));
    }
}
