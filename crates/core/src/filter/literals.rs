//! From a condition to needs: sets of literals of which a line contains one from each, in any ASCII case, if the condition is met.

use super::need::{Implied, MOST_LITERALS, Need, Needs, Value};
use super::rarity::share;
use super::search::WINDOW;
use crate::enrich::IMPLIED;
use crate::kernels::regex::{EDGE, required};
use crate::plan::{Condition, Field, FieldLeaf, MatchKind, RegexLeaf, TextLeaf};
use crate::value::Family;

/// What a line must hold to meet the condition.
pub(super) fn needs(condition: &Condition, fields: &[Field], implied: &Implied) -> Needs {
    met(condition, fields, implied, true)
}

/// What makes the condition come out as `wanted`.
fn met(condition: &Condition, fields: &[Field], implied: &Implied, wanted: bool) -> Needs {
    let each = |operands: &[Condition]| {
        operands.iter().map(|operand| met(operand, fields, implied, wanted)).collect::<Vec<_>>()
    };
    match condition {
        Condition::Always(flag) if *flag != wanted => Needs::never(),
        Condition::Not(operand) => met(operand, fields, implied, !wanted),
        Condition::And(operands) if wanted => Needs::all(each(operands).into_iter()),
        Condition::Or(operands) if !wanted => Needs::all(each(operands).into_iter()),
        Condition::And(operands) | Condition::Or(operands) => Needs::any(each(operands).into_iter()),
        Condition::Missing(leaf) if !wanted => Needs::texts(presence(leaf, fields)),
        // What is not true may be null, and null needs nothing.
        _ if !wanted => Needs::default(),
        Condition::Text(leaf) => text(leaf, fields, implied),
        Condition::Prefix(leaf) => Needs::texts(texts(leaf.field, fields, parts(&leaf.constants, true, false))),
        Condition::Suffix(leaf) => Needs::texts(texts(leaf.field, fields, parts(&leaf.constants, false, true))),
        Condition::Contains(leaf) => Needs::texts(texts(leaf.field, fields, parts(&leaf.constants, false, false))),
        Condition::Truth(leaf) => Needs::texts(presence(leaf, fields)),
        Condition::Regex(leaf) => Needs::any(leaf.patterns.iter().map(|pattern| regex(pattern, leaf, fields))),
        Condition::Compare(leaf) => Needs::texts(presence(&FieldLeaf { field: leaf.field }, fields)),
        Condition::In(leaf) => Needs::texts(presence(&FieldLeaf { field: leaf.field }, fields)),
        Condition::Cidr(leaf) => Needs::texts(presence(&FieldLeaf { field: leaf.field }, fields)),
        Condition::Always(_) | Condition::Missing(_) | Condition::Script(_) => Needs::default(),
    }
}

fn text(leaf: &TextLeaf, fields: &[Field], implied: &Implied) -> Needs {
    let written = |text: &String| written(text, leaf.kind, true, true);
    let mut needs = Needs::texts(texts(leaf.field, fields, leaf.constants.iter().map(written).collect()));
    let field = &fields[leaf.field as usize];
    if leaf.kind == MatchKind::Equals && Family::of(field.ty) == Family::Text {
        needs.values.extend(Value::new(&field.path, &leaf.constants, implied));
    }
    needs
}

fn regex(pattern: &str, leaf: &RegexLeaf, fields: &[Field]) -> Needs {
    let mut needs = presence(&FieldLeaf { field: leaf.field }, fields);
    let field = &fields[leaf.field as usize];
    if Family::of(field.ty) == Family::Text && field.path != IMPLIED {
        for list in required(pattern, leaf.fold, WINDOW) {
            if let Some(list) = list.iter().map(|text| between(text)).collect() {
                needs.push(Need::new(list));
            }
        }
    }
    Needs::texts(needs)
}

/// What a text of an expression is in a line. None where an encoder may write it in several ways.
fn between(text: &str) -> Option<String> {
    let inner = text.trim_matches(EDGE);
    if !inner.chars().all(|letter| plain(letter) || letter == '&') {
        return None;
    }
    // Only a string has quotes.
    let quote = |edge: bool| if edge && textual(inner) { "\"" } else { "" };
    let (start, end) = (quote(text.starts_with(EDGE)), quote(text.ends_with(EDGE)));
    let written = format!("{start}{}{end}", inner.replace('\\', "\\\\"));
    (written.len() >= WINDOW).then_some(written)
}

/// The need of a text leaf, from the stretches of each constant; and that its field is there.
fn texts(field: u32, fields: &[Field], constants: Vec<Written>) -> Vec<Need> {
    if fields[field as usize].path == IMPLIED {
        return Vec::new();
    }
    let family = Family::of(fields[field as usize].ty);
    let mut needs = presence(&FieldLeaf { field }, fields);
    // A number is text as it is written, but only to text fields; a field of unknown type may write it anew.
    let stands = |written: &Written| match family {
        Family::Text => true,
        Family::Any | Family::Version => written.textual,
        _ => false,
    };
    if constants.iter().all(stands) {
        let rarest = |written: Written| {
            let stretches = written.stretches.into_iter().filter(|stretch| stretch.len() >= WINDOW);
            stretches.min_by(|one, two| share(one).total_cmp(&share(two)))
        };
        if let Some(literals) = constants.into_iter().map(rarest).collect::<Option<Vec<_>>>()
            && literals.len() <= MOST_LITERALS
        {
            needs.push(Need::new(literals));
        }
    }
    needs
}

/// A field that has a value has its name in the line: the first segment of the path starts a key, and ends it or goes on with a dot.
fn presence(leaf: &FieldLeaf, fields: &[Field]) -> Vec<Need> {
    let path = fields[leaf.field as usize].path.as_str();
    let segment = path.split('.').next().unwrap_or_default();
    if path == IMPLIED {
        return Vec::new();
    }
    if segment.is_empty() || !segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Vec::new();
    }
    let name = segment.to_ascii_lowercase();
    let literals = vec![format!("\"{name}\""), format!("\"{name}.")];
    if literals[0].len() < WINDOW { Vec::new() } else { vec![Need::new(literals)] }
}

fn parts(constants: &[String], start: bool, end: bool) -> Vec<Written> {
    constants.iter().map(|text| written(text, MatchKind::Equals, start, end)).collect()
}

/// A constant as a line may have it.
#[derive(Debug, PartialEq)]
struct Written {
    /// The stretches without wildcards and without what encoders write as an escape.
    stretches: Vec<String>,
    /// Neither a number nor a truth value looks like that: what holds it is a string, in quotes.
    textual: bool,
}

/// `start` and `end`: the value starts and ends where the constant does.
fn written(text: &str, kind: MatchKind, start: bool, end: bool) -> Written {
    let wild = |letter: char| kind == MatchKind::Wildcard && matches!(letter, '*' | '?');
    let cut = |letter: char| !plain(letter) || wild(letter);
    let textual = text.split(wild).any(|piece| textual(&piece.to_ascii_lowercase()));
    let mut stretches: Vec<String> =
        text.split(cut).map(|piece| piece.to_ascii_lowercase().replace('\\', "\\\\")).collect();
    if textual && start && !text.starts_with(cut) {
        stretches[0].insert(0, '"');
    }
    if textual
        && end
        && !text.ends_with(cut)
        && let Some(last) = stretches.last_mut()
    {
        last.push('"');
    }
    Written { stretches, textual }
}

/// Whether a character stands in a line as it is. The backslash, doubled, does; what common encoders escape without need is left out, because
/// a line with an escape of a character that is looked for must be read.
fn plain(letter: char) -> bool {
    (letter == ' ' || letter.is_ascii_graphic()) && !matches!(letter, '"' | '<' | '>' | '&' | '\'' | '+' | '`')
}

/// Whether no number and no truth value, however it is written, contains the text.
fn textual(piece: &str) -> bool {
    !piece.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e'))
        && !["true", "false", "infinity", "-infinity", "nan"].iter().any(|word| word.contains(piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FieldType;

    fn first(json: &str) -> Option<Vec<String>> {
        let condition: Condition = serde_json::from_str(json).expect("a condition");
        let field = |path: &str, ty| Field { path: path.into(), ty, formats: Vec::new() };
        let fields = [
            field("process.name", FieldType::Keyword),
            field("event.type", FieldType::Keyword),
            field("dll.size", FieldType::Long),
            field("x", FieldType::Any),
        ];
        let needs = needs(&condition, &fields, &Implied::default());
        if needs.never { Some(Vec::new()) } else { needs.texts.into_iter().next().map(|need| need.literals) }
    }

    fn list(literals: &[&str]) -> Option<Vec<String>> {
        Some(literals.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn the_rarest_operand_is_searched_for() {
        let name = r#"{"text":{"field":0,"kind":"equals","fold":"ascii","constants":["MSIEXEC.exe"]}}"#;
        let kind = r#"{"text":{"field":1,"kind":"equals","constants":["start"]}}"#;
        assert_eq!(first(&format!(r#"{{"and":[{kind},{name}]}}"#)), list(&["\"msiexec.exe\""]));
        assert_eq!(first(&format!(r#"{{"or":[{name},{kind}]}}"#)), list(&["\"msiexec.exe\"", "\"start\""]));
        assert_eq!(first(&format!(r#"{{"not":{name}}}"#)), None);
        assert_eq!(first(&format!(r#"{{"or":[{name},{{"not":{kind}}}]}}"#)), None);
        assert_eq!(first(&format!(r#"{{"or":[{name},{{"always":false}}]}}"#)), list(&["\"msiexec.exe\""]));
        assert_eq!(first(r#"{"always":false}"#), list(&[]));
    }

    #[test]
    fn a_value_needs_its_name() {
        let names = list(&["\"dll\"", "\"dll."]);
        assert_eq!(first(r#"{"compare":{"field":2,"op":"<","constant":{"long":4}}}"#), names);
        assert_eq!(first(r#"{"not":{"missing":{"field":2}}}"#), names);
        assert_eq!(first(r#"{"not":{"or":[{"missing":{"field":2}},{"truth":{"field":0}}]}}"#), names);
        assert_eq!(first(r#"{"missing":{"field":2}}"#), None);
    }

    #[test]
    fn what_a_source_implies_need_not_stand_in_the_line() {
        let declaration =
            r#"{"source":"beat","when":{"agent.type":["winbeat"],"x":["y"]},"indices":[],"os":"windows"}"#;
        let implied = Implied::new(&[serde_json::from_str(declaration).expect("a declaration")]);
        let needs = |json: &str| {
            let condition: Condition = serde_json::from_str(json).expect("a condition");
            let field = Field { path: IMPLIED.into(), ty: FieldType::Keyword, formats: Vec::new() };
            needs(&condition, &[field], &implied)
        };
        let equals = needs(r#"{"text":{"field":0,"kind":"equals","constants":["windows"]}}"#);
        assert_eq!(equals.texts, []);
        let pair = |value: &str| ("type".to_owned(), value.to_owned());
        assert_eq!(equals.values[0].any, [pair("winbeat"), pair("windows")]);
        let wild = r#"{"text":{"field":0,"kind":"wildcard","constants":["win*"]}}"#;
        let regex = r#"{"regex":{"field":0,"patterns":["windows"]}}"#;
        for other in [wild, regex, r#"{"not":{"missing":{"field":0}}}"#] {
            assert_eq!(needs(other), Needs::default());
        }
    }

    #[test]
    fn stretches_avoid_wildcards_and_escapes() {
        let wild = |text: &str| written(text, MatchKind::Wildcard, true, true).stretches;
        assert_eq!(wild(r"?:\Windows\Installer\MSI*.tmp"), ["", r":\\windows\\installer\\msi", ".tmp\""]);
        assert_eq!(wild("Curl*<b>"), ["\"curl", "", "b", ""]);
        let exact = |text: &str| written(text, MatchKind::Equals, true, true).stretches;
        assert_eq!(exact("a/b?"), ["\"a/b?\""]);
        assert_eq!(exact("na\u{ef}ve"), ["\"na", "ve\""]);
        assert_eq!(exact("4688"), ["4688"], "it may be a number");
        assert_eq!(exact("TRU"), ["tru"]);
    }

    #[test]
    fn numbers_of_unknown_type_are_not_searched_for() {
        assert_eq!(first(r#"{"text":{"field":3,"kind":"equals","constants":["10000"]}}"#), None);
        assert_eq!(first(r#"{"text":{"field":3,"kind":"equals","constants":["10000x"]}}"#), list(&["\"10000x\""]));
    }
}
