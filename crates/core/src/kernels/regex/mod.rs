//! Regular expressions that match the whole of a text: Lucene's dialect on a field, Java's on the result of a function. Every way of
//! matching takes time linear in the text.

mod derivative;
mod java;
mod lower;
mod lucene;
mod plain;
mod required;

use crate::plan::{Fold, PlanError};
use derivative::Automaton;
use plain::Plain;
use regex_syntax::hir::Hir;

pub use required::{EDGE, required};

/// Memory that a compiled expression may take.
const SIZE_LIMIT: usize = 10 << 20;

/// Some expressions, of which any may match.
#[derive(Clone, Debug)]
pub struct Regex {
    /// All that need no complement and no intersection, as one.
    plain: Option<Plain>,
    automata: Vec<Automaton>,
}

impl Regex {
    /// Lucene's dialect, with every optional operator.
    pub fn lucene(patterns: &[String], fold: Fold) -> Result<Self, PlanError> {
        let (mut plain, mut trees, mut automata) = (Vec::new(), Vec::new(), Vec::new());
        for pattern in patterns {
            let tree = lucene::parse(pattern, fold)?;
            if tree.is_plain() {
                plain.push(pattern.clone());
                trees.push(tree);
            } else {
                automata.push(Automaton::new(&tree).map_err(|_| too_complex(pattern))?);
            }
        }
        let plain = if plain.is_empty() {
            None
        } else {
            Some(Plain::lucene(plain, &trees, fold).ok_or_else(|| too_complex(&named(patterns)))?)
        };
        Ok(Self { plain, automata })
    }

    /// Java's dialect, without what needs backtracking.
    pub fn java(patterns: &[String], fold: Fold) -> Result<Self, PlanError> {
        let trees = patterns.iter().map(|pattern| java::hir(pattern, fold)).collect::<Result<Vec<_>, _>>()?;
        let plain = Plain::new(Hir::alternation(trees)).ok_or_else(|| too_complex(&named(patterns)))?;
        Ok(Self { plain: Some(plain), automata: Vec::new() })
    }

    /// Whether any of them matches the whole text.
    pub fn fits(&self, text: &str) -> bool {
        self.plain.as_ref().is_some_and(|plain| plain.fits(text))
            || self.automata.iter().any(|automaton| automaton.fits(text))
    }
}

/// What a fault calls them.
fn named(patterns: &[String]) -> String {
    if patterns.len() == 1 { patterns[0].clone() } else { format!("{} and {} more", patterns[0], patterns.len() - 1) }
}

fn too_complex(pattern: &str) -> PlanError {
    PlanError::new(format!("regular expression too complex: {}", excerpt(pattern)))
}

fn refused(pattern: &str, why: &str) -> PlanError {
    PlanError::new(format!("regular expression {}: {why}", excerpt(pattern)))
}

fn excerpt(pattern: &str) -> String {
    let mut text: String = pattern.chars().take(80).collect();
    if text.len() < pattern.len() {
        text.push('…');
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Regex::lucene(&[pattern.to_owned()], Fold::None).expect("a good expression").fits(text)
    }

    #[test]
    fn ordinary_operators() {
        assert!(fits("a|bc*d?[x-z]{2,3}", "bccxyz") && fits("a|bc", "a") && !fits("a|bc", "ab"));
        assert!(
            fits(".*?", "anything\nat all")
                && fits("^$", "^$")
                && fits("\\s\\w\\d", " _1")
                && fits("[\\d\\-x]+", "1-x")
        );
        assert!(fits("()", "") && fits("", "") && !fits("", "a") && fits("a()b", "ab"));
        assert!(fits("[^ab]", "\u{1F600}") && !fits("[^ab]", "a") && fits("[]a]", "]") && fits(".", "\n"));
        assert!(fits("*a", "*a"), "a repetition of nothing is a letter");
    }

    #[test]
    fn lucene_operators() {
        assert!(fits("\"a.b*\"", "a.b*") && !fits("\"a.b*\"", "axb"));
        assert!(fits("a@z", "abcz") && fits("@", "") && !fits("#", "") && !fits("a#", "a"));
        assert!(fits("~(.*foo.*)", "bar") && !fits("~(.*foo.*)", "a foo b") && fits("~a", "") && fits("~a", "aa"));
        assert!(fits("[a-z]+&~(cmd|sh)", "bash") && !fits("[a-z]+&~(cmd|sh)", "sh"));
        assert!(
            fits("x<1-99>", "x42") && fits("x<1-99>", "x0042") && !fits("x<1-99>", "x100") && !fits("x<1-99>", "x0")
        );
        assert!(fits("<01-12>", "07") && !fits("<01-12>", "7") && !fits("<01-12>", "13") && fits("<99-1>", "50"));
        assert!(fits("~(ab)c", "c") && fits("~(ab)c", "abc") == fits("~(ab)c", "abc"));
    }

    #[test]
    fn named_classes_are_not_folded() {
        let fits = |pattern: &str, text| Regex::lucene(&[pattern.to_owned()], Fold::Unicode).expect("good").fits(text);
        assert!(!fits("\\W", "k") && !fits("\\w", "\u{17f}") && !fits("[^\\w]", "S"));
        assert!(fits("[s-t]", "\u{17f}") && fits("\\W", "\u{212a}") && !fits("[^s]", "\u{17f}"));
    }

    #[test]
    fn folded_one_code_point_at_a_time() {
        let regex =
            Regex::lucene(&["é[a-c]+x".to_owned(), "~(k)&.".to_owned()], Fold::Unicode).expect("good expressions");
        assert!(regex.fits("ÉABCX") && !regex.fits("K") && !regex.fits("\u{212A}"), "the kelvin sign is a k");
        assert!(regex.fits("m"));
    }

    #[test]
    fn java_differs_in_dots_and_classes() {
        let java = |pattern: &str, fold| Regex::java(&[pattern.to_owned()], fold).expect("a good expression");
        assert!(!java("a.b", Fold::None).fits("a\u{2028}b") && java("a.b", Fold::None).fits("a&b"));
        assert!(java("\\w+@\\d", Fold::None).fits("ab@1") && !java("\\w", Fold::None).fits("é"));
        assert!(java("[\\d.]+é", Fold::Java).fits("1.1É"));
        assert!(Regex::java(&["(?=a)".to_owned()], Fold::None).is_err());
    }

    #[test]
    fn catastrophic_for_others_linear_here() {
        let blanks = format!("{}x", "a ".repeat(50_000));
        assert!(!fits("([^ ]+[ ]{3,}[^ ]*){3,}.*", &blanks));
        assert!(!fits("(a*)*b", &"a".repeat(100_000)));
        assert!(!fits("~((a*)*b)&(a|b)*b", &format!("{}b", "a".repeat(100_000))));
    }

    #[test]
    fn refusals_name_the_expression() {
        for pattern in [
            "a|",
            "(",
            "a)",
            "[a",
            "[z-a]",
            "a{2",
            "a{x}",
            "a{3,2}",
            "<a>",
            "<1>",
            "<1-",
            "\"a",
            "\\",
            "(((a{900}){900}){900}){900}",
        ] {
            let error = Regex::lucene(&[pattern.to_owned()], Fold::None).expect_err(pattern);
            assert!(error.message.starts_with("regular expression"), "{error}");
        }
        let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(Regex::lucene(&[deep,], Fold::None).is_err());
        let wide = Regex::lucene(&["~(.*a.{18})&.*b".to_owned()], Fold::None).expect_err("2^18 states");
        assert!(wide.message.contains("too complex"));
    }

    #[test]
    fn any_number_of_any_characters_are_whole_characters() {
        let texts = [
            "",
            "a",
            "\u{e9}",
            "\u{e9}\u{e9}",
            "a\u{e9}",
            "\u{e9}a",
            "\u{1F600}",
            "a\u{1F600}\u{e9}x",
            "\n",
            "aaa",
            "\u{e9}x\u{e9}",
        ];
        for pattern in [
            ".*",
            ".*.",
            "..*",
            ".+.+",
            ".*.+",
            ".+.*",
            "(.*){2}.",
            "(.+){2}",
            "(.*)+.{2}",
            ".*\u{e9}.*",
            "(a|.*)(.*\u{e9})?",
            "@.",
            "@..@",
            ".*[^a].*",
            ".*[\u{e9}x]",
            "(.*x)?.",
            "(.*|a)(.|.*x)",
            "([^a].*)*",
            ".{2}.*.{1}",
        ] {
            let tree = lucene::parse(pattern, Fold::None).expect("a good expression");
            let automaton = Automaton::new(&tree).unwrap_or_else(|_| panic!("{pattern} is small"));
            for text in texts {
                assert_eq!(fits(pattern, text), automaton.fits(text), "{pattern} on {text}");
            }
        }
    }
}
