//! What is said of a text that cannot be parsed: where, and what was expected, never a value from it. serde's own errors
//! quote values, and a text that could not be parsed may hold a password.

use serde::de::{Deserializer, Error, Visitor, value};
use serde::{Deserialize, forward_to_deserialize_any};

/// What is wrong with a JSON text, by position.
pub fn json(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = match error.classify() {
        serde_json::error::Category::Data if names_a_field(&message) => {
            // "unknown field `admin`, expected … at line 1 column 7"
            return message;
        }
        serde_json::error::Category::Data => "a value of another type than expected",
        _ => "not JSON",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

/// The same for a JSON text that should have been a `T`, with the names of its fields.
pub fn json_of<T: for<'de> Deserialize<'de>>(error: &serde_json::Error) -> String {
    let said = json(error);
    let fields = fields::<T>();
    if fields.is_empty() || names_a_field(&said) {
        return said;
    }
    format!("{said}; expected is an object with the fields {}", fields.join(", "))
}

/// What is wrong with a TOML text, by line, column and key.
pub fn toml(error: &toml::de::Error, text: &str) -> String {
    let message = without_value(error.message());
    let Some(span) = error.span() else {
        return format!("TOML parse error: {message}");
    };
    let before = text.get(..span.start).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let (line, column) = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
    let whole = text[start..].lines().next().unwrap_or_default();
    let key = whole
        .split_once('=')
        .map(|(key, _)| key.trim())
        .filter(|key| is_plain(key));
    match key {
        Some(key) => format!("TOML parse error at line {line}, column {column}, key {key}: {message}"),
        None => format!("TOML parse error at line {line}, column {column}: {message}"),
    }
}

/// A message that quotes names of fields only.
fn names_a_field(message: &str) -> bool {
    ["unknown field", "missing field", "duplicate field"]
        .iter()
        .any(|start| message.starts_with(start))
}

/// serde's "invalid type: integer `20261130`, expected a string" without what was found.
fn without_value(message: &str) -> String {
    let found = ["invalid type: ", "invalid value: "]
        .iter()
        .find(|start| message.starts_with(**start));
    match (found, message.rfind(", expected ")) {
        (Some(start), Some(expected)) => {
            let kind = message[start.len()..expected]
                .split(['`', '"'])
                .next()
                .unwrap_or_default()
                .trim();
            format!("{start}{kind}{}", &message[expected..])
        }
        _ => message.to_owned(),
    }
}

fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    !key.is_empty() && key.chars().all(plain)
}

/// The names of the fields that a struct is read from.
fn fields<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Fields(&mut fields));
    fields
}

/// Reads nothing, but is told the names of the fields.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::sign_in::{AnswerRequest, LoginRequest};

    fn login(text: &str) -> String {
        json_of::<LoginRequest>(&serde_json::from_str::<LoginRequest>(text).unwrap_err())
    }

    #[test]
    fn what_is_said_of_a_wrong_body_holds_none_of_its_values() {
        for text in [
            r#"{"username":"ada","password":20261130}"#,
            r#"{"username":"ada","password":["20261130"]}"#,
            r#"{"username":"ada","password":{"20261130":1}}"#,
            r#""20261130""#,
            "20261130",
            r#"{"username":"ada","password":"20261130"#,
            r#"{"username":"ada","password":"20261130"} 20261130"#,
            r#"{"username":"ada","password":20261130"#,
        ] {
            let said = login(text);
            assert!(!said.contains("20261130"), "{said}");
            assert!(said.contains("line 1") && said.contains("username, password"), "{said}");
        }
        let answer = serde_json::from_str::<AnswerRequest>(r#"{"state":"s","answer":493817}"#).unwrap_err();
        let said = json_of::<AnswerRequest>(&answer);
        assert!(!said.contains("493817") && said.contains("state, answer"), "{said}");
        assert!(login(r#"{"username":"ada","password":"x","admin":1}"#).contains("admin"));
    }

    #[test]
    fn what_is_said_of_a_wrong_file_names_the_line_and_the_key_and_no_value() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[expect(dead_code, reason = "only parsed")]
            password: String,
        }
        for (text, words) in [
            (
                "\npassword = 20261130\n",
                "line 2, column 12, key password: invalid type: integer, expected a string",
            ),
            (
                "password = [\"20261130\"]",
                "key password: invalid type: sequence, expected a string",
            ),
            ("password = '20261130", "TOML parse error at line 1"),
            ("passwort = '20261130'", "unknown field `passwort`, expected `password`"),
            ("password = 20261130-1", "line 1"),
        ] {
            let error = ::toml::from_str::<File>(text).unwrap_err();
            let said = toml(&error, text);
            assert!(!said.contains("20261130") && said.contains(words), "{said}");
        }
    }
}
