//! From a condition to needs: sets of literals of which a line contains one from each, in any ASCII case, if the condition is met.

use super::rarity::share;
use super::search::WINDOW;
use crate::enrich::IMPLIED;
use crate::plan::{Condition, Field, FieldLeaf, MatchKind};
use crate::value::Family;

/// Longer sets are not worth searching for.
const MOST: usize = 600;

/// How many needs of a condition are kept.
const NEEDS: usize = 4;

/// Texts of which a line that meets the condition contains at least one: lowered, and as JSON writes them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Need {
    pub literals: Vec<String>,
    /// The share of lines that contain one, roughly.
    pub share: f64,
}

impl Need {
    fn new(mut literals: Vec<String>) -> Self {
        literals.sort();
        literals.dedup();
        let share = literals.iter().map(|literal| share(literal)).sum::<f64>().min(1.0);
        Self { literals, share }
    }
}

/// What a line must contain to meet the condition, the rarest first: something of each need. Empty where no text decides.
pub(super) fn needs(condition: &Condition, fields: &[Field]) -> Vec<Need> {
    met(condition, fields, true)
}

/// What makes the condition come out as `wanted`.
fn met(condition: &Condition, fields: &[Field], wanted: bool) -> Vec<Need> {
    match condition {
        Condition::Always(flag) if *flag != wanted => vec![Need { literals: Vec::new(), share: 0.0 }],
        Condition::Not(operand) => met(operand, fields, !wanted),
        Condition::And(operands) if wanted => all(operands, fields, wanted),
        Condition::Or(operands) if !wanted => all(operands, fields, wanted),
        Condition::And(operands) | Condition::Or(operands) => any(operands, fields, wanted),
        Condition::Missing(leaf) if !wanted => presence(leaf, fields),
        // What is not true may be null, and null needs nothing.
        _ if !wanted => Vec::new(),
        Condition::Text(leaf) => {
            let written = |text: &String| written(text, leaf.kind, true, true);
            texts(leaf.field, fields, leaf.constants.iter().map(written).collect())
        }
        Condition::Prefix(leaf) => texts(leaf.field, fields, parts(&leaf.constants, true, false)),
        Condition::Suffix(leaf) => texts(leaf.field, fields, parts(&leaf.constants, false, true)),
        Condition::Contains(leaf) => texts(leaf.field, fields, parts(&leaf.constants, false, false)),
        Condition::Truth(leaf) => presence(leaf, fields),
        Condition::Regex(leaf) => presence(&FieldLeaf { field: leaf.field }, fields),
        Condition::Compare(leaf) => presence(&FieldLeaf { field: leaf.field }, fields),
        Condition::In(leaf) => presence(&FieldLeaf { field: leaf.field }, fields),
        Condition::Cidr(leaf) => presence(&FieldLeaf { field: leaf.field }, fields),
        Condition::Always(_) | Condition::Missing(_) | Condition::Script(_) => Vec::new(),
    }
}

fn all(operands: &[Condition], fields: &[Field], wanted: bool) -> Vec<Need> {
    let mut needs: Vec<Need> = operands.iter().flat_map(|operand| met(operand, fields, wanted)).collect();
    needs.sort_by(|one, two| one.share.total_cmp(&two.share).then_with(|| one.literals.cmp(&two.literals)));
    needs.dedup();
    needs.truncate(NEEDS);
    needs
}

/// One need of each operand, joined: the rarest of each, then the next.
fn any(operands: &[Condition], fields: &[Field], wanted: bool) -> Vec<Need> {
    let each: Vec<Vec<Need>> = operands.iter().map(|operand| met(operand, fields, wanted)).collect();
    let fewest = each.iter().map(Vec::len).min().unwrap_or(0);
    // An operand that cannot be met needs nothing of any other need either.
    let impossible = |needs: &[Need]| needs.first().is_some_and(|need| need.literals.is_empty());
    let possible: Vec<&Vec<Need>> = each.iter().filter(|needs| !impossible(needs)).collect();
    let count = possible.iter().map(|needs| needs.len()).min().unwrap_or(fewest);
    let mut needs: Vec<Need> = (0..count)
        .map(|number| {
            let literals = possible.iter().filter_map(|needs| needs.get(number)).flat_map(|need| need.literals.clone());
            Need::new(literals.collect())
        })
        .filter(|need| need.literals.len() <= MOST)
        .collect();
    needs.sort_by(|one, two| one.share.total_cmp(&two.share));
    needs
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
            && literals.len() <= MOST
        {
            needs.push(Need::new(literals));
        }
    }
    needs.sort_by(|one, two| one.share.total_cmp(&two.share));
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
        needs(&condition, &fields).into_iter().next().map(|need| need.literals)
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
        let needs = |json: &str| {
            let condition: Condition = serde_json::from_str(json).expect("a condition");
            needs(&condition, &[Field { path: IMPLIED.into(), ty: FieldType::Keyword, formats: Vec::new() }])
        };
        assert_eq!(needs(r#"{"text":{"field":0,"kind":"equals","constants":["windows"]}}"#), []);
        assert_eq!(needs(r#"{"not":{"missing":{"field":0}}}"#), []);
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
