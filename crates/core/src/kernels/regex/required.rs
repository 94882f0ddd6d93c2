//! Texts that whatever an expression of Lucene's dialect matches must contain, for whoever looks for them first. It matches nothing itself.

use super::lucene::{self, Tree};
use crate::plan::Fold;

/// More alternatives of a stretch are not spelled out.
const MOST: usize = 64;
/// Longer stretches tell no more.
const LONGEST: usize = 32;

/// Stands for the start of a text before its first letter, and for its end after its last.
pub const EDGE: char = '\0';

/// Lists of texts, ASCII letters lowered: what the expression matches, with [`EDGE`] around it, contains, case of ASCII letters apart, one
/// of each list. Only texts of at least `shortest` bytes.
pub fn required(pattern: &str, fold: Fold, shortest: usize) -> Vec<Vec<String>> {
    let Ok(tree) = lucene::parse(pattern, fold) else { return Vec::new() };
    let mut facts = facts(&edged(tree), shortest);
    facts.keep(facts.exact.clone(), shortest);
    facts.lists
}

fn edged(tree: Tree) -> Tree {
    let edge = Tree::Class([(EDGE, EDGE)].into());
    match tree {
        Tree::Union(trees) => Tree::Union(trees.into_iter().map(edged).collect()),
        Tree::Concat(trees) => Tree::Concat([vec![edge.clone()], trees, vec![edge]].concat()),
        other => Tree::Concat(vec![edge.clone(), other, edge]),
    }
}

/// What is known of all that an expression matches.
#[derive(Default)]
struct Facts {
    /// All that it matches, where that can be spelled out.
    exact: Option<Vec<String>>,
    lists: Vec<Vec<String>>,
}

impl Facts {
    fn keep(&mut self, stretch: Option<Vec<String>>, shortest: usize) {
        self.lists.extend(stretch.filter(|texts| !texts.is_empty() && texts.iter().all(|text| text.len() >= shortest)));
    }
}

fn facts(tree: &Tree, shortest: usize) -> Facts {
    match tree {
        // What matches nothing may be left out of any alternative.
        Tree::Nothing => Facts { exact: Some(Vec::new()), lists: Vec::new() },
        Tree::Class(ranges) => Facts { exact: letters(ranges), lists: Vec::new() },
        Tree::Concat(trees) => concat(trees, shortest),
        Tree::Union(trees) => union(trees.iter().map(|tree| facts(tree, shortest)).collect(), shortest),
        // The first time, and then anything.
        Tree::Repeat(tree, least, most) if *least > 0 => {
            let once = facts(tree, shortest);
            if (*least, *most) == (1, Some(1)) { once } else { times(&once, *least, *most, shortest) }
        }
        Tree::Intersection(one, two) => {
            let mut lists = Facts::default();
            for tree in [one, two] {
                let facts = facts(tree, shortest);
                lists.lists.extend(facts.lists);
                lists.keep(facts.exact, shortest);
            }
            lists
        }
        Tree::Complement(_) | Tree::Except(_) | Tree::Repeat(..) => Facts::default(),
    }
}

fn letters(ranges: &[(char, char)]) -> Option<Vec<String>> {
    let count: usize = ranges.iter().map(|(first, last)| (*last as usize).saturating_sub(*first as usize) + 1).sum();
    if count > MOST {
        return None;
    }
    let letters = ranges.iter().flat_map(|(first, last)| *first..=*last);
    let mut texts: Vec<String> = letters.map(|letter| letter.to_ascii_lowercase().to_string()).collect();
    texts.sort();
    texts.dedup();
    Some(texts)
}

/// A stretch goes on as long as what comes next can be spelled out.
fn concat(trees: &[Tree], shortest: usize) -> Facts {
    let mut all = Facts::default();
    let mut stretch = Some(vec![String::new()]);
    let mut whole = true;
    for tree in trees {
        let (next, starts) = match tree {
            // Of what is repeated, the first goes on with the stretch.
            Tree::Repeat(inner, least, most) if *least > 0 && (*least, *most) != (1, Some(1)) => {
                let once = facts(inner, shortest);
                let exact = times(&once, *least, *most, shortest);
                if exact.exact.is_some() { (exact, None) } else { (exact, once.exact) }
            }
            other => (facts(other, shortest), None),
        };
        all.lists.extend(next.lists);
        let joined = next.exact.as_ref().and_then(|exact| product(stretch.as_deref()?, exact));
        if joined.is_some() {
            stretch = joined;
            continue;
        }
        whole = false;
        let before = stretch.take();
        let longer = starts.and_then(|starts| product(before.as_deref()?, &starts));
        all.keep(longer.or(before), shortest);
        stretch = next.exact.or_else(|| Some(vec![String::new()]));
    }
    if whole {
        all.exact = stretch;
    } else {
        all.keep(stretch, shortest);
    }
    all
}

fn union(each: Vec<Facts>, shortest: usize) -> Facts {
    let mut all = Facts { exact: Some(Vec::new()), lists: Vec::new() };
    let mut lists: Option<Vec<String>> = Some(Vec::new());
    for mut facts in each {
        all.exact = match (all.exact.take(), &facts.exact) {
            (Some(texts), Some(more)) if texts.len() + more.len() <= MOST => Some([texts, more.clone()].concat()),
            _ => None,
        };
        facts.keep(facts.exact.clone(), shortest);
        // The list whose shortest text is longest tells most.
        let best = facts.lists.into_iter().max_by_key(|list| list.iter().map(String::len).min());
        lists = lists.zip(best).map(|(lists, best)| [lists, best].concat());
    }
    all.lists.extend(lists.filter(|list| !list.is_empty()));
    all
}

fn times(once: &Facts, least: u32, most: Option<u32>, shortest: usize) -> Facts {
    let mut all = Facts { exact: None, lists: once.lists.clone() };
    all.keep(once.exact.clone(), shortest);
    if most == Some(least) && least <= LONGEST as u32 {
        let mut texts = Some(vec![String::new()]);
        for _ in 0..least {
            texts = texts.and_then(|texts| product(&texts, once.exact.as_ref()?));
        }
        all.exact = texts;
    }
    all
}

/// Each text followed by each of the others, where that is not too much.
fn product(starts: &[String], ends: &[String]) -> Option<Vec<String>> {
    let longest = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0);
    if starts.len() * ends.len() > MOST || longest(starts) + longest(ends) > LONGEST {
        return None;
    }
    Some(starts.iter().flat_map(|start| ends.iter().map(move |end| format!("{start}{end}"))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Regex;
    use super::*;

    fn lists(pattern: &str, fold: Fold) -> Vec<Vec<String>> {
        required(pattern, fold, 3)
    }

    #[test]
    fn stretches_are_found() {
        assert_eq!(lists(".*foobar.*", Fold::None), [["foobar"]]);
        assert_eq!(lists("a.*FOO[01]b+x?", Fold::None), [["foo0b", "foo1b"]]);
        assert_eq!(lists("(foo|.*bar).*", Fold::None), [["foo", "bar"]]);
        assert_eq!(lists(r"[c-d]:.*|.*x\.exe", Fold::None), [["\0c:", "\0d:", "x.exe\0"]]);
        assert_eq!(lists("(foo|.*)", Fold::None), [[""; 0]; 0]);
        assert_eq!(lists("x{3}.*y{2,}z", Fold::None), [["\0xxx"]]);
        assert_eq!(lists("(abc)+", Fold::None), [["abc"], ["\0abc"]]);
        assert_eq!(lists("~(abc)[^d]*(abc)?", Fold::None), [[""; 0]; 0]);
        assert_eq!(lists("(abc.*&.*def)", Fold::None), [["abc"], ["def"]]);
    }

    #[test]
    fn letters_that_equal_no_ascii_letter_alone_are_spelled_out() {
        let lists = lists(".*task.*", Fold::Unicode);
        assert!(lists[0].contains(&"task".to_owned()) && lists[0].contains(&"ta\u{17f}k".to_owned()), "{lists:?}");
    }

    #[test]
    fn what_matches_contains_one_of_each() {
        let texts =
            ["foobar", "xfoo1bx", "aab", "abcabc", "https://h=1.2.3.4&p=80", "h=a.ddns.net&p=1", "bar", "xxxyyz", ""];
        for pattern in [
            ".*foo.*",
            "(a|ab)(b|bc|abc)+",
            ".*h=([0-9]{1,3}(\\.[0-9]{1,3}){3}|[^\\&]+\\.(ddns\\.net))\\&p=[0-9]+.*",
            ".*bar|aa+b",
            "x+y+z",
            "x{2,}y{2}z",
            "(foo)?.*b.*",
            "[f-x].*",
            "xfoo[0-2]b.|ab.*",
            "()",
        ] {
            let lists = required(pattern, Fold::None, 1);
            let regex = Regex::lucene(&[pattern.to_owned()], Fold::None).expect("a good expression");
            for text in texts.iter().filter(|text| regex.fits(text)) {
                let text = format!("{EDGE}{text}{EDGE}");
                let has = |list: &Vec<String>| list.iter().any(|one| text.contains(one));
                assert!(lists.iter().all(has), "{pattern} on {text}: {lists:?}");
            }
        }
    }
}
