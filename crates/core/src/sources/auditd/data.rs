//! Keys and values in order, in which those that decide something are found without a search. It knows no record.

use super::keys::{COUNT, Key};
use std::borrow::Cow;

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Pair<'a> {
    pub key: Key,
    /// The key as it stands in the record.
    pub name: &'a str,
    pub value: Cow<'a, str>,
}

impl Pair<'_> {
    /// Whether it is part of an address.
    pub fn is_socket(&self) -> bool {
        self.name.starts_with("socket_")
    }
}

/// Keys and values in order.
#[derive(Clone, Debug)]
pub(super) struct Data<'a> {
    pairs: Vec<Pair<'a>>,
    /// Where each known key is first, counted from 1.
    places: [u16; COUNT],
}

impl Default for Data<'_> {
    fn default() -> Self {
        Self { pairs: Vec::new(), places: [0; COUNT] }
    }
}

impl<'a> Data<'a> {
    /// Forgets the pairs, keeps the memory.
    pub fn clear(&mut self) {
        self.pairs.drain(..).for_each(|pair| self.places[pair.key as usize] = 0);
    }

    /// Adds a pair.
    pub fn push(&mut self, pair: Pair<'a>) {
        let place = &mut self.places[pair.key as usize];
        if *place == 0 {
            // Beyond so many pairs, the list itself is searched.
            *place = (self.pairs.len() + 1).try_into().unwrap_or(u16::MAX);
        }
        self.pairs.push(pair);
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter()
    }

    /// The first value of a key.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&Cow<'a, str>> {
        self.pairs.get(self.place(key)?).map(|pair| &pair.value)
    }

    fn place(&self, key: Key) -> Option<usize> {
        match self.places[key as usize] {
            u16::MAX => self.pairs.iter().position(|pair| pair.key == key),
            place => usize::from(place).checked_sub(1),
        }
    }

    /// The first value of a key that may be any.
    pub fn by_name(&self, key: Key, name: &str) -> Option<&Cow<'a, str>> {
        if key != Key::Other {
            return self.get(key);
        }
        self.pairs.iter().find(|pair| pair.key == key && pair.name == name).map(|pair| &pair.value)
    }

    /// Takes out the first value of a key.
    pub fn remove(&mut self, key: Key) -> Option<Cow<'a, str>> {
        let removed = self.pairs.remove(self.place(key)?);
        self.places = [0; COUNT];
        std::mem::take(&mut self.pairs).into_iter().for_each(|pair| self.push(pair));
        Some(removed.value)
    }
}
