//! Messages with places for what is filled in.

/// Puts these things in the places `{0}`, `{1}`, … of a message; a place for nothing is left empty.
pub fn fill(template: &str, with: &[&str]) -> String {
    let mut parts = template.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (index, rest) = part.split_once('}').unwrap_or_default();
        let index = index.parse().ok();
        text.push_str(index.and_then(|index: usize| with.get(index)).unwrap_or(&""));
        text.push_str(rest);
    }
    text
}
