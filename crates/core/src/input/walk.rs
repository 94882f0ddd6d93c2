//! Folders to files, in byte order of their names, so that a scan is the same everywhere.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What a walk comes across.
#[derive(Debug)]
pub enum Found {
    /// A file to read, with its size (0 for what is no regular file).
    File(PathBuf, u64),
    /// Something that cannot be read, and why.
    Unreadable(PathBuf, String),
}

/// The files below a path that the caller named. Links to files are followed, links to folders below it are not, so that
/// no walk goes round in circles. What is no regular file is read only if the caller named it.
pub fn walk(path: &Path, found: &mut Vec<Found>) {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => folder(path, found),
        Ok(metadata) if metadata.is_file() => found.push(Found::File(path.to_owned(), metadata.len())),
        Ok(_) => found.push(Found::File(path.to_owned(), 0)),
        Err(error) => {
            found.push(Found::Unreadable(path.to_owned(), dangling(path).unwrap_or_else(|| error.to_string())));
        }
    }
}

/// Walks without recursion: the depth of folders is input.
fn folder(root: &Path, found: &mut Vec<Found>) {
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let link = path != root && path.is_symlink();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() && link => {
                found.push(Found::Unreadable(path, "a link to a folder: not followed".into()));
            }
            Ok(metadata) if metadata.is_dir() => match names(&path) {
                Ok(names) => pending.extend(names.into_iter().rev().map(|name| path.join(name))),
                Err(error) => found.push(Found::Unreadable(path, error.to_string())),
            },
            Ok(metadata) if metadata.is_file() => found.push(Found::File(path, metadata.len())),
            Ok(_) => found.push(Found::Unreadable(path, "neither a file nor a folder: passed over".into())),
            Err(error) => {
                let message = dangling(&path).unwrap_or_else(|| error.to_string());
                found.push(Found::Unreadable(path, message));
            }
        }
    }
}

fn names(path: &Path) -> std::io::Result<Vec<OsString>> {
    let mut names =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()?;
    names.sort_by(|left, right| left.as_encoded_bytes().cmp(right.as_encoded_bytes()));
    Ok(names)
}

fn dangling(path: &Path) -> Option<String> {
    path.is_symlink().then(|| "a link to nothing".to_owned())
}
