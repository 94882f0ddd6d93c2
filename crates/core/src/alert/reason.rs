//! The sentence that says what an alert is about, from the rule's template.

use crate::value::{Event, Raw};

/// A template: `{field}` stands for the field's first value; a part in brackets is left out where its field has none. A backslash
/// takes the meaning from the character after it.
#[derive(Debug)]
pub struct Reason {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    pieces: Vec<Piece>,
    optional: bool,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Field(u32),
}

impl Reason {
    /// Reads a template. `number` gives the event's number of a field.
    pub fn new(template: &str, mut number: impl FnMut(&str) -> u32) -> Self {
        let mut parts = vec![Part { pieces: Vec::new(), optional: false }];
        let mut text = String::new();
        let mut characters = template.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => text.extend(characters.next()),
                '[' | ']' => {
                    push(&mut parts, Piece::Text(std::mem::take(&mut text)));
                    parts.push(Part { pieces: Vec::new(), optional: character == '[' });
                }
                '{' => {
                    push(&mut parts, Piece::Text(std::mem::take(&mut text)));
                    let field: String = characters.by_ref().take_while(|character| *character != '}').collect();
                    push(&mut parts, Piece::Field(number(&field)));
                }
                other => text.push(other),
            }
        }
        push(&mut parts, Piece::Text(text));
        Self { parts }
    }

    /// The fields that a template names.
    pub fn fields(template: &str) -> Vec<String> {
        let mut fields = Vec::new();
        Self::new(template, |field| {
            fields.push(field.to_owned());
            0
        });
        fields
    }

    /// The sentence for an event.
    pub fn text(&self, event: &Event<'_>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let start = text.len();
            let complete = part.pieces.iter().all(|piece| match piece {
                Piece::Text(piece) => {
                    text.push_str(piece);
                    true
                }
                Piece::Field(field) => {
                    let value = event.first(*field).map(Raw::as_text);
                    text.push_str(value.unwrap_or_default());
                    value.is_some() || !part.optional
                }
            });
            if !complete {
                text.truncate(start);
            }
        }
        text
    }
}

fn push(parts: &mut [Part], piece: Piece) {
    if let Some(part) = parts.last_mut() {
        part.pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_without_their_field_are_left_out() {
        let template = "{a} event[ with process {b},][ on {c}] created \\[x\\] alert.";
        assert_eq!(Reason::fields(template), ["a", "b", "c"]);
        let reason = Reason::new(template, |field| u32::from(field.as_bytes()[0] - b'a'));
        let mut event = Event::new(3);
        event.push(0, Raw::Text("process".into()));
        event.push(2, Raw::Text("host".into()));
        assert_eq!(reason.text(&event), "process event on host created [x] alert.");
    }
}
