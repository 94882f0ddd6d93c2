//! Which windows share one of the eight buckets of the search's tables, so that few places of a text get through. It knows no literals.

use super::rarity::byte_share;
use super::search::{Tables, WINDOW};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const BUCKETS: usize = 8;

/// A bucket while windows are shared out: the bytes that it may have at each place.
#[derive(Clone, Copy, Default)]
struct Bucket {
    low: [u16; WINDOW],
    high: [u16; WINDOW],
}

impl Bucket {
    fn with(mut self, window: &[u8]) -> Self {
        for (place, byte) in window.iter().take(WINDOW).enumerate() {
            for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                self.low[place] |= 1 << (byte & 15);
                self.high[place] |= 1 << (byte >> 4);
            }
        }
        self
    }

    fn joined(&self, other: &Self) -> Self {
        let both = |one: [u16; WINDOW], two: [u16; WINDOW]| std::array::from_fn(|place| one[place] | two[place]);
        Self { low: both(self.low, other.low), high: both(self.high, other.high) }
    }

    /// The share of places of a text that it lets through.
    fn share(&self) -> f64 {
        let shares = &*SHARES;
        let passes = |place: usize| {
            let [low, high] = self.low[place].to_le_bytes().map(usize::from);
            let rows = (2..8).filter(|row| self.high[place] >> row & 1 == 1);
            rows.map(|row: usize| shares[row - 2][0][low] + shares[row - 2][1][high]).sum::<f64>()
        };
        (0..WINDOW).map(passes).product()
    }
}

/// For the bytes from blank to tilde: by high nibble, by half of the low nibbles, by which of these eight there are.
static SHARES: LazyLock<Vec<[[f64; 256]; 2]>> = LazyLock::new(|| {
    let share = |row: u8, half: u8, nibbles: usize| {
        let bytes = (0..8u8).filter(|nibble| nibbles >> nibble & 1 == 1).map(|nibble| row << 4 | half << 3 | nibble);
        bytes.filter(|byte| *byte < 127 && !byte.is_ascii_uppercase()).map(byte_share).sum()
    };
    let half = |row: u8, half: u8| std::array::from_fn(|nibbles| share(row, half, nibbles));
    (2..8).map(|row| [half(row, 0), half(row, 1)]).collect()
});

/// Windows that share a bucket.
#[derive(Clone)]
struct Group<'w> {
    windows: Vec<&'w [u8]>,
    bucket: Bucket,
    share: f64,
}

impl<'w> Group<'w> {
    fn new(windows: Vec<&'w [u8]>) -> Self {
        let bucket = windows.iter().fold(Bucket::default(), |bucket, window| bucket.with(window));
        Self { share: bucket.share(), windows, bucket }
    }

    /// What both would let through together, beyond what they let through apart.
    fn cost(&self, other: &Self) -> f64 {
        self.bucket.joined(&other.bucket).share() - self.share - other.share
    }
}

/// Which places of a window have no letter, and the first such byte: windows that are alike in this are well searched for together.
fn likeness(window: &[u8]) -> (u8, u8) {
    let places = window.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_alphabetic());
    let mask = places.clone().fold(0, |mask, (place, _)| mask | 1 << place);
    (mask, places.map(|(_, byte)| *byte).next().unwrap_or(0))
}

/// Joins groups, the ones that cost least, until there are as many as buckets.
fn joined(groups: Vec<Group<'_>>) -> Vec<Group<'_>> {
    let mut left = groups.len();
    let mut groups: Vec<Option<Group<'_>>> = groups.into_iter().map(Some).collect();
    let cost = |groups: &[Option<Group<'_>>], one: usize, two: usize| match (&groups[one], &groups[two]) {
        (Some(left), Some(right)) if one != two => left.cost(right),
        _ => f64::INFINITY,
    };
    let row = |groups: &[Option<Group<'_>>], one: usize| (0..groups.len()).map(|two| cost(groups, one, two)).collect();
    let mut costs: Vec<Vec<f64>> = (0..groups.len()).map(|one| row(&groups, one)).collect();
    while left > BUCKETS {
        let pairs = costs
            .iter()
            .enumerate()
            .flat_map(|(one, row)| row.iter().enumerate().map(move |(two, cost)| (*cost, one, two)));
        let Some((_, one, two)) = pairs.min_by(|left, right| left.0.total_cmp(&right.0)) else { break };
        let windows = [one, two].into_iter().filter_map(|number| groups[number].take()).flat_map(|group| group.windows);
        groups[two] = Some(Group::new(windows.collect()));
        left -= 1;
        for number in [one, two] {
            costs[number] = row(&groups, number);
            (0..groups.len()).for_each(|other| costs[other][number] = costs[number][other]);
        }
    }
    groups.into_iter().flatten().collect()
}

/// Shares the windows out over the buckets so that few places of a text get through.
fn groups<'w>(windows: impl Iterator<Item = &'w [u8]>) -> Vec<Group<'w>> {
    let mut alike: BTreeMap<(u8, u8), Vec<&[u8]>> = BTreeMap::new();
    for window in windows {
        alike.entry(likeness(window)).or_default().push(window);
    }
    let mut groups = joined(alike.into_values().map(Group::new).collect());
    while groups.len() < BUCKETS {
        let several = groups.iter().enumerate().filter(|(_, group)| group.windows.len() > 1);
        let Some((widest, _)) = several.max_by(|one, two| one.1.share.total_cmp(&two.1.share)) else { break };
        let mut windows = groups.swap_remove(widest).windows;
        windows.sort_unstable();
        let rest = windows.split_off(windows.len() / 2);
        groups.extend([Group::new(windows), Group::new(rest)]);
    }
    groups
}

/// The tables that find the windows, each of [`WINDOW`] bytes.
pub(super) fn tables<'w>(windows: impl Iterator<Item = &'w [u8]>) -> Tables {
    let mut tables = Tables::default();
    for (number, group) in groups(windows).iter().enumerate() {
        for place in 0..WINDOW {
            for nibble in 0..16 {
                tables.low[place][nibble] |= ((group.bucket.low[place] >> nibble & 1) as u8) << number;
                tables.high[place][nibble] |= ((group.bucket.high[place] >> nibble & 1) as u8) << number;
            }
        }
    }
    tables
}
