//! Java's regular expressions, as far as they are regular: rewritten to the syntax of `regex-syntax` where the same text would
//! mean something else there.

use super::refused;
use crate::plan::{Fold, PlanError};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

/// The language of a pattern that must match as a whole.
pub(super) fn hir(pattern: &str, fold: Fold) -> Result<Hir, PlanError> {
    let mut parser = ParserBuilder::new().case_insensitive(fold != Fold::None).nest_limit(200).build();
    parser.parse(&rewritten(pattern)).map_err(|error| refused(pattern, &last_line(&error.to_string())))
}

fn last_line(error: &str) -> String {
    error.lines().last().unwrap_or("not understood").trim_start_matches("error: ").to_owned()
}

/// Dots stop at any of Java's line breaks, and named classes are ASCII.
fn rewritten(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    let mut brackets = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.as_str().starts_with('Q') => {
                let quoted = &letters.as_str()[1..];
                let (plain, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                text.push_str(&regex_syntax::escape(plain));
                letters = rest.chars();
            }
            '\\' => match letters.next() {
                Some(escaped) => match named(escaped) {
                    Some(class) => text.push_str(class),
                    None if escaped.is_ascii_alphanumeric() => text.extend(['\\', escaped]),
                    // Java takes any other character for itself, where `\<` would be the beginning of a word.
                    None => text.push_str(&regex_syntax::escape(escaped.encode_utf8(&mut [0; 4]))),
                },
                None => text.push('\\'),
            },
            '.' if brackets == 0 => text.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]"),
            _ => {
                match letter {
                    '[' => brackets += 1,
                    ']' => brackets = brackets.saturating_sub(1),
                    _ => {}
                }
                text.push(letter);
            }
        }
    }
    text
}

fn named(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Z_a-z]",
        'W' => "[^0-9A-Z_a-z]",
        's' => "[ \\t\\n\\x0B\\f\\r]",
        'S' => "[^ \\t\\n\\x0B\\f\\r]",
        _ => return None,
    })
}
