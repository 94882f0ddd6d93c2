//! From a condition to literals: texts of which a line contains at least one, in any ASCII case, if the condition is met.

use crate::plan::{Condition, Field, MatchKind};
use crate::value::Family;

/// Shorter ones are in every line.
const SHORTEST: usize = 3;

/// Longer lists are not worth searching for.
const MOST: usize = 400;

/// The cheapest set of literals, or `None` where no text decides.
pub(super) fn of(condition: &Condition, fields: &[Field]) -> Option<Vec<String>> {
    scored(condition, fields).map(|(_, literals)| literals)
}

fn scored(condition: &Condition, fields: &[Field]) -> Option<(u64, Vec<String>)> {
    match condition {
        Condition::Always(false) => Some((0, Vec::new())),
        Condition::And(operands) => {
            operands.iter().filter_map(|operand| scored(operand, fields)).min_by_key(|(score, _)| *score)
        }
        Condition::Or(operands) => {
            let mut all = (0, Vec::new());
            for operand in operands {
                let (score, literals) = scored(operand, fields)?;
                all.0 += score;
                all.1.extend(literals);
            }
            (all.1.len() <= MOST).then_some(all)
        }
        Condition::Text(leaf) => {
            let field = &fields[leaf.field as usize];
            leaf_literals(field, leaf.constants.iter().map(|text| piece(text, leaf.kind)))
        }
        Condition::Prefix(leaf) | Condition::Suffix(leaf) | Condition::Contains(leaf) => {
            let field = &fields[leaf.field as usize];
            leaf_literals(field, leaf.constants.iter().map(|text| piece(text, MatchKind::Equals)))
        }
        _ => None,
    }
}

fn leaf_literals(field: &Field, pieces: impl Iterator<Item = Option<String>>) -> Option<(u64, Vec<String>)> {
    // Only text fields hold their text in the line; a category or an operating system is in every line.
    if Family::of(field.ty) != Family::Text || common(&field.path) {
        return None;
    }
    let literals: Vec<String> = pieces.collect::<Option<_>>()?;
    let shortest = literals.iter().map(String::len).min().unwrap_or(0) as u64;
    let score = literals.len() as u64 * 4 + 40_u64.saturating_sub(shortest * 4) + weight(&field.path);
    (literals.len() <= MOST).then_some((score, literals))
}

fn common(path: &str) -> bool {
    matches!(path, "event.kind" | "event.category" | "event.type" | "event.outcome" | "host.os.type")
}

fn weight(path: &str) -> u64 {
    match path {
        "event.action" | "event.module" | "event.dataset" | "data_stream.dataset" | "event.provider" => 1000,
        _ => 0,
    }
}

/// The longest stretch of a constant that stands in the line as it is: without wildcards and without what JSON may escape.
fn piece(text: &str, kind: MatchKind) -> Option<String> {
    let cut = |letter: char| {
        !letter.is_ascii_graphic() && letter != ' '
            || matches!(letter, '"' | '\\' | '/')
            || kind == MatchKind::Wildcard && matches!(letter, '*' | '?')
    };
    let longest = text.split(cut).max_by_key(|piece| piece.len())?;
    (longest.len() >= SHORTEST).then(|| longest.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FieldType;

    fn literals(json: &str) -> Option<Vec<String>> {
        let condition: Condition = serde_json::from_str(json).expect("a condition");
        let field = |path: &str| Field { path: path.into(), ty: FieldType::Keyword, formats: Vec::new() };
        of(&condition, &[field("process.name"), field("event.type")])
    }

    #[test]
    fn the_most_telling_operand_is_searched_for() {
        let name = r#"{"text":{"field":0,"kind":"equals","fold":"ascii","constants":["MSIEXEC.exe"]}}"#;
        let kind = r#"{"text":{"field":1,"kind":"equals","constants":["start"]}}"#;
        assert_eq!(literals(&format!(r#"{{"and":[{kind},{name}]}}"#)), Some(vec!["msiexec.exe".into()]));
        assert_eq!(literals(&format!(r#"{{"or":[{kind},{name}]}}"#)), None);
        assert_eq!(literals(&format!(r#"{{"not":{name}}}"#)), None);
    }

    #[test]
    fn pieces_avoid_wildcards_and_escapes() {
        let wild = |text: &str| piece(text, MatchKind::Wildcard);
        assert_eq!(wild(r"?:\Windows\Installer\MSI*.tmp"), Some("installer".into()));
        assert_eq!(wild("*a?b*"), None);
        assert_eq!(piece("a/b", MatchKind::Equals), None);
        assert_eq!(piece("na\u{ef}ve-name", MatchKind::Equals), Some("ve-name".into()));
    }
}
