//! Regular expressions without complement and intersection, compiled when a text is first held against them: most rules meet no event
//! of theirs in one run.

use super::lucene::{self, Tree};
use super::{SIZE_LIMIT, lower};
use crate::plan::Fold;
use regex_automata::{Anchored, Input, meta};
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::sync::OnceLock;

/// States of an expression that is surely within the limit: none takes a hundred bytes.
const SURELY: u64 = SIZE_LIMIT as u64 / 500;

/// An expression that must match the whole of a text.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    source: Source,
    compiled: OnceLock<meta::Regex>,
}

/// What it is compiled from.
#[derive(Clone, Debug)]
enum Source {
    Tree(Hir),
    /// Expressions of Lucene's dialect, of which any may match. They are read again when they are compiled, and take no room until then.
    Lucene(Vec<String>, Fold),
}

impl Plain {
    /// `None`: compiled, it would take more memory than is allowed.
    pub fn new(tree: Hir) -> Option<Self> {
        let states = states(&tree).saturating_add(AROUND);
        Self::of(Source::Tree(tree), states)
    }

    /// Any of some expressions, whose trees these are. `None`: compiled, they would take more memory than is allowed.
    pub fn lucene(patterns: Vec<String>, trees: &[Tree], fold: Fold) -> Option<Self> {
        Self::of(Source::Lucene(patterns, fold), states_of_all(trees).saturating_add(AROUND))
    }

    fn of(source: Source, states: u64) -> Option<Self> {
        let compiled = OnceLock::new();
        // One that is large is compiled at once: whether it is refused must be known when it is loaded.
        if states > SURELY {
            compiled.set(compile(&source)?).ok();
        }
        Some(Self { source, compiled })
    }

    /// Whether it matches the text.
    pub fn fits(&self, text: &str) -> bool {
        let regex = self.compiled.get_or_init(|| compile(&self.source).expect("a small expression keeps to the limit"));
        regex.is_match(Input::new(text).anchored(Anchored::Yes))
    }
}

impl Source {
    fn tree(&self) -> Option<Hir> {
        match self {
            Source::Tree(tree) => Some(tree.clone()),
            Source::Lucene(patterns, fold) => {
                let trees = patterns.iter().map(|pattern| lower::hir(&lucene::parse(pattern, *fold)?));
                trees.collect::<Result<_, _>>().ok().map(Hir::alternation)
            }
        }
    }
}

fn compile(source: &Source) -> Option<meta::Regex> {
    let tree = Hir::concat(vec![Hir::look(Look::Start), source.tree()?, Hir::look(Look::End)]);
    let config =
        meta::Config::new().nfa_size_limit(Some(SIZE_LIMIT)).dfa(false).onepass(false).hybrid_cache_capacity(1 << 20);
    meta::Builder::new().configure(config).build_from_hir(&tree).ok()
}

/// States for start and end.
const AROUND: u64 = 4;
/// A range of code points becomes up to ten sequences of up to four bytes.
const RANGE: u64 = 40;

/// How many states an expression has at most.
fn states(tree: &Hir) -> u64 {
    let sum = |trees: &[Hir]| trees.iter().map(states).fold(trees.len() as u64, u64::saturating_add);
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Bytes(_)) => 2,
        HirKind::Class(Class::Unicode(class)) => 2 + RANGE * class.ranges().len() as u64,
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(repetition.min)) + 1;
            states(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Concat(trees) | HirKind::Alternation(trees) => sum(trees),
    }
}

fn states_of_all(trees: &[Tree]) -> u64 {
    trees.iter().map(states_of).fold(trees.len() as u64, u64::saturating_add)
}

/// The same of one that is not lowered yet.
fn states_of(tree: &Tree) -> u64 {
    match tree {
        Tree::Nothing => 1,
        // Ranges of single bytes are one state together.
        Tree::Class(ranges) => 2 + ranges.iter().map(|(_, last)| if last.is_ascii() { 1 } else { RANGE }).sum::<u64>(),
        Tree::Except(ranges) => 2 + RANGE * (ranges.len() as u64 + 1),
        Tree::Concat(trees) | Tree::Union(trees) => states_of_all(trees),
        Tree::Repeat(tree, least, most) => {
            let times = u64::from(most.unwrap_or(*least).max(*least)) + 1;
            states_of(tree).saturating_add(1).saturating_mul(times)
        }
        // They have an automaton of their own.
        Tree::Intersection(..) | Tree::Complement(_) => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pattern: &str) -> Hir {
        regex_syntax::parse(pattern).expect("a good expression")
    }

    #[test]
    fn small_ones_are_compiled_with_the_first_text_and_large_ones_at_once() {
        let small = Plain::new(tree("a[^b]*c{2,5}")).expect("within the limit");
        assert!(small.compiled.get().is_none());
        assert!(small.fits("axxcc") && !small.fits("axxc") && !small.fits("xaxxcc"));
        assert!(small.compiled.get().is_some());
        let large = Plain::new(tree("(?:[^a]{40}|é{900}){4}")).expect("within the limit");
        assert!(large.compiled.get().is_some());
        assert!(Plain::new(tree("(?:(?:[^a]{500}){50}){50}")).is_none());
    }

    #[test]
    fn the_estimate_is_never_below_what_the_compiler_makes() {
        for pattern in [
            "",
            "a",
            "abc|d",
            "[^a]",
            "\\pL",
            "\\w+",
            "(?i)straße",
            "a{3,70}",
            "(?:[^é]{3}|x*)+",
            ".{20}",
            "(?:ab?){2,}c",
        ] {
            let tree = tree(pattern);
            let nfa = regex_automata::nfa::thompson::Compiler::new().build_from_hir(&tree).expect("it is small");
            // The compiler adds one for each of the whole: capture, failure, match, and a search from anywhere.
            let made = nfa.states().len() as u64;
            assert!(made <= states(&tree) + 8, "{pattern}: {made} for {}", states(&tree));
            assert!(nfa.memory_usage() as u64 <= (states(&tree) + 8) * 100, "{pattern}: {}", nfa.memory_usage());
        }
    }

    #[test]
    fn expressions_of_lucene_are_estimated_before_they_are_lowered() {
        for pattern in [
            "",
            "abc|d",
            "[^a]",
            "\\W+",
            "stra\u{df}e|task",
            "a{3,70}",
            "([^\u{e9}]{3}|x*)+",
            ".{20}",
            "(ab?){2,}c",
            "<1-4711>",
            "[a-z0-9_\\-]{1,8}k@",
        ] {
            for fold in [Fold::None, Fold::Unicode] {
                let tree = lucene::parse(pattern, fold).expect("a good expression");
                let lowered = lower::hir(&tree).expect("no complement");
                let nfa = regex_automata::nfa::thompson::Compiler::new().build_from_hir(&lowered).expect("it is small");
                let made = nfa.states().len() as u64;
                let estimated = states_of_all(std::slice::from_ref(&tree));
                assert!(made <= estimated + 8, "{pattern}: {made} for {estimated}");
                assert!(nfa.memory_usage() as u64 <= (estimated + 8) * 100, "{pattern}: {}", nfa.memory_usage());
            }
        }
    }
}
