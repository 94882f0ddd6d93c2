//! Trees without complement and intersection to the form that `regex-automata` compiles.

use super::lucene::Tree;
use crate::plan::{Fold, PlanError};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, Repetition};

/// The same language as `tree`'s.
pub(super) fn hir(tree: &Tree) -> Result<Hir, PlanError> {
    let many = |trees: &[Tree]| trees.iter().map(hir).collect::<Result<Vec<_>, _>>();
    Ok(match tree {
        Tree::Nothing => Hir::fail(),
        Tree::Class(ranges) => Hir::class(Class::Unicode(class(ranges, Fold::None)?)),
        Tree::Except(ranges) => {
            let mut class = class(ranges, Fold::None)?;
            class.negate();
            Hir::class(Class::Unicode(class))
        }
        Tree::Concat(trees) => Hir::concat(many(trees)?),
        Tree::Union(trees) => Hir::alternation(many(trees)?),
        // A few states instead of some for each length of a character. A text is UTF-8, and what stands before and after are whole
        // characters or more of the same, so bytes that are left are whole characters. (Of two in a row that each want at least one this
        // would not be true: they could share one.)
        Tree::Repeat(tree, 0, None) if is_any(tree) => {
            let byte = ClassBytes::new([ClassBytesRange::new(0, u8::MAX)]);
            let sub = Box::new(Hir::class(Class::Bytes(byte)));
            Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub })
        }
        Tree::Repeat(tree, least, most) => {
            Hir::repetition(Repetition { min: *least, max: *most, greedy: true, sub: Box::new(hir(tree)?) })
        }
        Tree::Intersection(..) | Tree::Complement(_) => {
            return Err(PlanError::new("complement and intersection have an automaton of their own"));
        }
    })
}

/// Whether it is one code point, whichever.
fn is_any(tree: &Tree) -> bool {
    matches!(tree, Tree::Except(ranges) if ranges.is_empty())
}

/// The code points of some ranges, and those that are equal to them if case is folded.
pub(super) fn class(ranges: &[(char, char)], fold: Fold) -> Result<ClassUnicode, PlanError> {
    let mut class = ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)));
    if fold != Fold::None {
        class.try_case_fold_simple().map_err(|error| PlanError::new(format!("no case folding: {error}")))?;
    }
    Ok(class)
}
