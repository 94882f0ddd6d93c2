//! Zip archives, member by member, as streams.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::rotation::order;

/// One file in an archive.
pub struct Member {
    /// Its name, as the archive has it.
    pub name: String,
    /// Its text, or why it cannot be read.
    pub reader: Result<Box<dyn Read + Send>, String>,
}

/// The files of an archive, in byte order of their names, pieces of one log as they were written. Their sizes are not believed: each is read to its end.
pub fn members(file: &File) -> io::Result<Vec<Member>> {
    let mut archive = ZipArchive::new(file.try_clone()?).map_err(io::Error::other)?;
    let mut members = Vec::new();
    for number in 0..archive.len() {
        let entry = archive.by_index_raw(number).map_err(io::Error::other)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().map_or_else(|_| format!("member {number}"), std::borrow::Cow::into_owned);
        let reader = match (entry.encrypted(), entry.compression(), entry.data_start()) {
            (true, _, _) => Err("encrypted".to_owned()),
            (_, _, None) => Err("damaged".to_owned()),
            (_, CompressionMethod::Stored, Some(start)) => part(file, start, entry.compressed_size()),
            (_, CompressionMethod::Deflated, Some(start)) => part(file, start, entry.compressed_size())
                .map(|raw| Box::new(DeflateDecoder::new(raw)) as Box<dyn Read + Send>),
            (_, method, _) => Err(format!("compressed with {method}, which is not supported")),
        };
        members.push(Member { name, reader });
    }
    members.sort_by(|left, right| left.name.as_bytes().cmp(right.name.as_bytes()));
    order(&mut members, |member| Some(Path::new(&member.name)));
    Ok(members)
}

fn part(file: &File, start: u64, size: u64) -> Result<Box<dyn Read + Send>, String> {
    let file = file.try_clone().map_err(|error| error.to_string())?;
    Ok(Box::new(Part { file, at: start, end: start.saturating_add(size) }))
}

/// A stretch of a file. Members share one file handle, so each read says where it is.
struct Part {
    file: File,
    at: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = out.len().min(left);
        self.file.seek(SeekFrom::Start(self.at))?;
        let got = self.file.read(&mut out[..wanted])?;
        self.at += got as u64;
        Ok(got)
    }
}
