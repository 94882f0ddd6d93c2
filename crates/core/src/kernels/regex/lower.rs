//! Trees without complement and intersection to the form that `regex-automata` compiles.

use super::lucene::Tree;
use crate::plan::{Fold, PlanError};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, Repetition};

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
        Tree::Repeat(tree, least, most) => {
            Hir::repetition(Repetition { min: *least, max: *most, greedy: true, sub: Box::new(hir(tree)?) })
        }
        Tree::Intersection(..) | Tree::Complement(_) => {
            return Err(PlanError::new("complement and intersection have an automaton of their own"));
        }
    })
}

/// The code points of some ranges, and those that are equal to them if case is folded.
pub(super) fn class(ranges: &[(char, char)], fold: Fold) -> Result<ClassUnicode, PlanError> {
    let mut class = ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)));
    if fold != Fold::None {
        class.try_case_fold_simple().map_err(|error| PlanError::new(format!("no case folding: {error}")))?;
    }
    Ok(class)
}
