//! The process table: what the records of a host told about its processes, for records that carry only numbers. Images are kept
//! with their times, so that a record that comes late finds what was true at its own time.

use super::installers::Role;
use std::collections::{HashMap, VecDeque};

/// Processes remembered for each host; the oldest are forgotten first.
const MOST_PROCESSES: usize = 65_536;

/// Images remembered for each number of a process; the oldest are forgotten first.
const MOST_IMAGES: usize = 8;

/// Ancestors told of one process: Endpoint tells as many, and numbers that were used again must not make a circle endless.
const MOST_ANCESTORS: usize = 20;

/// Engines of which the installation that is under way is remembered.
const MOST_ENGINES: usize = 1_024;

/// So long an engine does nothing between two installations: a minute.
const QUIET: i128 = 60_000_000_000;

/// Hosts remembered.
const MOST_HOSTS: usize = 4_096;

/// When a record was made, and when it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// Nanoseconds since 1970; of a record without a time, that of the latest record of its host.
    pub time: i128,
    /// Count of the records before it.
    pub arrival: u64,
}

/// What a process was from some moment on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    pub from: Moment,
    pub ended: Option<Moment>,
    pub name: Option<String>,
    pub executable: Option<String>,
    pub args: Vec<String>,
    pub command_line: Option<String>,
    pub entity_id: String,
    pub parent: Option<u64>,
    /// A process that has called no exec yet: it is what its parent was.
    pub forked: bool,
    pub role: Role,
}

/// The processes of one host.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// By number; each number's images in order of time.
    images: HashMap<u64, Vec<Image>>,
    order: VecDeque<u64>,
    /// For each engine, when the installation that is under way began, and when it was last heard of.
    engines: HashMap<String, (i128, i128)>,
    /// Time of the first record.
    pub first: Option<i128>,
    /// Time of the latest record.
    pub latest: i128,
}

impl Host {
    /// What a process was at a moment; unknown if it had ended.
    pub(super) fn image(&self, pid: u64, at: Moment) -> Option<&Image> {
        let images = self.images.get(&pid)?;
        let before = images.iter().rev().find(|image| image.from <= at);
        // Of two records of the same instant, either may have been written first.
        let image = before.or_else(|| images.iter().find(|image| image.from.time == at.time))?;
        image.ended.is_none_or(|ended| ended.time >= at.time).then_some(image)
    }

    /// The image of a process with a recorded identity.
    pub(super) fn identified(&self, pid: u64, entity_id: &str) -> Option<&Image> {
        self.images.get(&pid)?.iter().rev().find(|image| image.entity_id == entity_id)
    }

    /// Whether a process is known from before a moment.
    pub(super) fn known_before(&self, pid: u64, at: Moment) -> bool {
        self.images.get(&pid).is_some_and(|images| images.iter().any(|image| image.from < at && !image.forked))
    }

    /// A process starts, or takes on a new image. One that had ended, or had another parent, was another process: numbers are
    /// reused. A recorded identity is kept as it is.
    pub(super) fn started(&mut self, pid: u64, mut image: Image, recorded: bool) {
        if !recorded
            && let Some(before) = self.image(pid, image.from)
            && before.parent == image.parent
        {
            image.entity_id.clone_from(&before.entity_id);
        }
        self.insert(pid, image);
    }

    /// A process forks: the new one is what the old one is.
    pub(super) fn forked(&mut self, pid: u64, fork: Image) {
        let parent = fork.parent.and_then(|parent| self.image(parent, fork.from)).cloned().unwrap_or_default();
        let Image { from, entity_id, parent: number, name, executable, .. } = fork;
        let name = name.or(parent.name);
        let executable = executable.or(parent.executable);
        self.insert(
            pid,
            Image { from, entity_id, parent: number, name, executable, ended: None, forked: true, ..parent },
        );
    }

    /// Whether a record that starts no process tells of an image that is not known: the process is from before the log, or
    /// its own record was lost.
    pub(super) fn news(&self, pid: u64, at: Moment, executable: Option<&str>) -> bool {
        executable.is_some() && self.image(pid, at).is_none_or(|known| known.executable.as_deref() != executable)
    }

    /// A process ends.
    pub(super) fn ended(&mut self, pid: u64, at: Moment) {
        if let Some(images) = self.images.get_mut(&pid)
            && let Some(image) = images.iter_mut().rev().find(|image| image.from <= at)
        {
            image.ended = Some(at);
        }
    }

    fn insert(&mut self, pid: u64, image: Image) {
        let images = self.images.entry(pid).or_default();
        if images.is_empty() {
            self.order.push_back(pid);
        }
        let place = images.partition_point(|known| known.from <= image.from);
        images.insert(place, image);
        if images.len() > MOST_IMAGES {
            images.remove(0);
        }
        while self.images.len() > MOST_PROCESSES {
            let Some(oldest) = self.order.pop_front() else { break };
            self.images.remove(&oldest);
        }
    }

    /// A process and its ancestors, nearest first.
    pub(super) fn lineage<'h>(&'h self, image: &'h Image) -> Vec<&'h Image> {
        self.ancestors(image).collect()
    }

    fn ancestors<'h>(&'h self, image: &'h Image) -> impl Iterator<Item = &'h Image> {
        // A number that was used again may seem to be its own parent.
        let parents = |image: &&'h Image| {
            let parent = image.parent.and_then(|pid| self.image(pid, image.from));
            parent.filter(|parent| !std::ptr::eq(*parent, *image))
        };
        std::iter::successors(Some(image), parents).take(MOST_ANCESTORS)
    }
}

/// By what an installation is known: its installer's identity, and for one of an engine's also when it began.
#[derive(Debug)]
pub(super) struct Transaction {
    pub entity_id: String,
    pub engine: bool,
}

impl Host {
    /// The topmost installer among a process and its ancestors.
    pub(super) fn topmost_installer(&self, image: &Image) -> Option<Transaction> {
        let top = self.ancestors(image).filter(|image| image.role != Role::Other).last()?;
        Some(Transaction { entity_id: top.entity_id.clone(), engine: top.role == Role::Engine })
    }

    /// The name of the installation that an installer's process is busy with at a moment. A minute of quiet ends one of an engine's.
    pub(super) fn installation(&mut self, transaction: Transaction, at: Moment) -> String {
        let Transaction { entity_id, engine } = transaction;
        if !engine {
            return entity_id;
        }
        if self.engines.len() >= MOST_ENGINES {
            self.engines.clear();
        }
        let (began, latest) = self.engines.entry(entity_id.clone()).or_insert((at.time, at.time));
        if (at.time - *latest).abs() > QUIET {
            *began = at.time;
        }
        *latest = at.time;
        format!("{entity_id} {began}")
    }
}

/// All hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    hosts: HashMap<String, Host>,
}

impl Hosts {
    pub(super) fn host(&mut self, name: &str) -> &mut Host {
        if !self.hosts.contains_key(name) {
            if self.hosts.len() >= MOST_HOSTS {
                self.hosts.clear();
            }
            self.hosts.insert(name.to_owned(), Host::default());
        }
        self.hosts.get_mut(name).expect("it was inserted if it was missing")
    }
}
