//! The process table: what the records of a host told about its processes, for records that carry only numbers. Images are kept
//! with their times, so that a record that comes late finds what was true at its own time.

use super::identity::Identity;
use super::image::{Builder, Image, Images, Moment, Nanoseconds, Texts};
use super::installers::Role;
use foldhash::fast::RandomState;
use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

/// Processes remembered for each host; the oldest are forgotten first.
const MOST_PROCESSES: usize = 65_536;

/// Ancestors told of one process: Endpoint tells as many, and numbers that were used again must not make a circle endless.
const MOST_ANCESTORS: usize = 20;

/// Engines of which the installation that is under way is remembered.
const MOST_ENGINES: usize = 1_024;

/// Restarts remembered of a host: what lived before an older one, lived before these.
const MOST_RESTARTS: usize = 16;

/// So long an engine does nothing between two installations: a minute.
const QUIET: u64 = 60_000_000_000;

/// Hosts remembered.
const MOST_HOSTS: usize = 4_096;

/// The processes of one host.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// By number.
    images: HashMap<u64, Images, RandomState>,
    order: VecDeque<u64>,
    /// For each engine, when the installation that is under way began, and when it was last heard of.
    engines: HashMap<Identity, (Nanoseconds, Nanoseconds), RandomState>,
    /// The latest restarts: when each was recorded, and the time from before which no process is left.
    restarts: VecDeque<(Nanoseconds, Nanoseconds)>,
    /// Time of the first record.
    pub first: Option<Nanoseconds>,
    /// Time of the latest record.
    pub latest: Nanoseconds,
}

impl Host {
    /// What a process was at a moment; unknown if it had ended.
    pub(super) fn image(&self, pid: u64, at: Moment) -> Option<&Image> {
        let images = self.images.get(&pid)?;
        let before = images.newest_first().find(|image| image.from <= at);
        // Of two records of the same instant, either may have been written first.
        let image = before.or_else(|| images.newest_first().rfind(|image| image.from.time == at.time))?;
        let lives = image.ended.is_none_or(|ended| ended.time >= at.time);
        (lives && !self.went_down(image.from.time, at.time)).then_some(image)
    }

    /// The image of a process with a recorded identity.
    pub(super) fn identified(&self, pid: u64, entity_id: &str) -> Option<&Image> {
        self.images.get(&pid)?.newest_first().find(|image| *image.identity == *entity_id)
    }

    /// Whether a process is known from before a moment.
    pub(super) fn known_before(&self, pid: u64, at: Moment) -> bool {
        self.images.get(&pid).is_some_and(|images| images.newest_first().any(|image| image.from < at && !image.forked))
    }

    /// The identity of a process that takes on a new image. One that had ended, or had another parent, was another process: numbers
    /// are reused.
    pub(super) fn identity_before(&self, pid: u64, parent: Option<u64>, at: Moment) -> Option<Identity> {
        let before = self.image(pid, at).filter(|before| before.parent == parent)?;
        Some(before.identity.clone())
    }

    /// A process forks: the new one is what the old one is. What the record itself tells counts before that.
    pub(super) fn forked(&mut self, pid: u64, fork: Image, builder: &mut Builder) {
        let parent = fork.parent.and_then(|parent| self.image(parent, fork.from));
        let (role, texts) =
            parent.map_or((Role::Other, Texts::default()), |parent| (parent.role, parent.texts.clone()));
        let (name, executable) = (fork.texts.name(), fork.texts.executable());
        let texts = if name.is_none() && executable.is_none() {
            texts
        } else {
            builder.begin().add(name.or(texts.name())).add(executable.or(texts.executable())).add(texts.command_line());
            builder.texts(texts.args())
        };
        self.insert(pid, Image { texts, role, ended: None, forked: true, ..fork });
    }

    /// Whether a record that starts no process tells of an image that is not known: the process is from before the log, or
    /// its own record was lost.
    pub(super) fn news(&self, pid: u64, at: Moment, executable: Option<&str>) -> bool {
        executable.is_some() && self.image(pid, at).is_none_or(|known| known.texts.executable() != executable)
    }

    /// A process ends.
    pub(super) fn ended(&mut self, pid: u64, at: Moment) {
        if let Some(image) = self.images.get_mut(&pid).and_then(|images| images.at_mut(at)) {
            image.ended = Some(at);
        }
    }

    /// The system was started anew: of the processes that had begun by then none is left.
    pub(super) fn restarted(&mut self, at: Moment, begun: Nanoseconds) {
        if self.restarts.len() >= MOST_RESTARTS {
            self.restarts.pop_front();
        }
        self.restarts.push_back((at.time, begun));
        self.engines.clear();
    }

    /// Whether the system went down between two times.
    fn went_down(&self, from: Nanoseconds, to: Nanoseconds) -> bool {
        self.restarts.iter().any(|(at, begun)| from <= *begun && *at < to)
    }

    /// A process starts, or takes on a new image.
    pub(super) fn insert(&mut self, pid: u64, image: Image) {
        match self.images.entry(pid) {
            Entry::Occupied(known) => known.into_mut().insert(image),
            Entry::Vacant(place) => {
                place.insert(Images::new(image));
                self.order.push_back(pid);
            }
        }
        while self.images.len() > MOST_PROCESSES {
            let Some(oldest) = self.order.pop_front() else { break };
            self.images.remove(&oldest);
        }
    }

    /// The process that started an image.
    pub(super) fn parent<'h>(&'h self, image: &Image) -> Option<&'h Image> {
        let parent = image.parent.and_then(|pid| self.image(pid, image.from));
        // A number that was used again may seem to be its own parent.
        parent.filter(|parent| !std::ptr::eq(*parent, image))
    }

    /// A process and its ancestors, nearest first.
    pub(super) fn lineage<'h>(&'h self, image: Option<&'h Image>) -> Lineage<'h> {
        let mut lineage = Lineage::default();
        let images = std::iter::successors(image, |image| self.parent(image));
        for (place, image) in lineage.images.iter_mut().zip(images) {
            *place = Some(image);
        }
        lineage
    }
}

/// A process and its ancestors, nearest first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lineage<'h> {
    images: [Option<&'h Image>; MOST_ANCESTORS],
}

impl<'h> Lineage<'h> {
    /// From the process to the ancestor that is furthest off.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'h Image> + '_ {
        self.images.iter().map_while(|image| *image)
    }

    /// The topmost installer among an image, if there is one, and these, which are its ancestors.
    pub(super) fn topmost_installer(&self, image: Option<&'h Image>) -> Option<Transaction> {
        let all = image.into_iter().chain(self.iter()).take(MOST_ANCESTORS);
        let top = all.filter(|image| image.role != Role::Other).last()?;
        Some(Transaction { identity: top.identity.clone(), engine: top.role == Role::Engine })
    }
}

/// By what an installation is known: its installer's identity, and for one of an engine's also when it began.
#[derive(Debug)]
pub(super) struct Transaction {
    pub identity: Identity,
    pub engine: bool,
}

impl Host {
    /// The name of the installation that an installer's process is busy with at a moment. A minute of quiet ends one of an engine's.
    pub(super) fn installation(&mut self, transaction: Transaction, at: Moment) -> Identity {
        let Transaction { identity, engine } = transaction;
        if !engine {
            return identity;
        }
        if self.engines.len() >= MOST_ENGINES {
            self.engines.clear();
        }
        let (began, latest) = self.engines.entry(identity.clone()).or_insert((at.time, at.time));
        if at.time.abs_diff(*latest) > QUIET {
            *began = at.time;
        }
        *latest = at.time;
        Identity::from(format!("{identity} {began}").as_str())
    }
}

/// All hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    numbers: HashMap<Arc<str>, usize, RandomState>,
    known: Vec<(Arc<str>, Host)>,
    /// The one that was asked for last: records of one host follow each other.
    latest: usize,
}

impl Hosts {
    /// A host and its name, which is kept.
    pub(super) fn host(&mut self, name: &str) -> (&Arc<str>, &mut Host) {
        if self.known.get(self.latest).is_none_or(|(latest, _)| **latest != *name) {
            self.latest = self.numbers.get(name).copied().unwrap_or_else(|| self.new_host(name));
        }
        let (name, host) = &mut self.known[self.latest];
        (name, host)
    }

    fn new_host(&mut self, name: &str) -> usize {
        if self.known.len() >= MOST_HOSTS {
            self.known.clear();
            self.numbers.clear();
        }
        let name: Arc<str> = Arc::from(name);
        self.numbers.insert(Arc::clone(&name), self.known.len());
        self.known.push((name, Host::default()));
        self.known.len() - 1
    }
}
