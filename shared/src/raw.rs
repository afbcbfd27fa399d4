//! Options as somebody sent them, before anything is known to be right: names to numbers or texts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The value of one option as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum RawValue {
    /// A JSON number.
    Number(f64),
    /// A JSON string, as typed.
    Text(String),
    /// `null`: as if the option were not there.
    Null,
    /// A JSON list of strings.
    List(Vec<String>),
    /// Something no option is (an object, a boolean, a list of other things): refused by name, not lost.
    Other,
}

/// Options as sent: what JupyterHub calls `user_options`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "BTreeMap<String, serde_json::Value>")
)]
#[serde(transparent)]
pub struct RawOptions(pub BTreeMap<String, RawValue>);

impl RawOptions {
    /// Sets an option to a text; for building options in code.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), RawValue::Text(value.into()));
        self
    }

    /// The option's value, unless it is absent, `null` or an empty text (an empty field of a form).
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).filter(|value| match value {
            RawValue::Null => false,
            RawValue::Text(text) => !text.trim().is_empty(),
            RawValue::Number(_) | RawValue::List(_) | RawValue::Other => true,
        })
    }
}

impl Serialize for RawValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(words) => words.serialize(serializer),
            Self::Null | Self::Other => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = RawValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an option's value")
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<RawValue, E> {
                Ok(RawValue::Other)
            }
            #[expect(clippy::cast_precision_loss, reason = "no option comes near 2^53")]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<RawValue, E> {
                Ok(RawValue::Number(number as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "no option comes near 2^53")]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<RawValue, E> {
                Ok(RawValue::Number(number as f64))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<RawValue, E> {
                Ok(RawValue::Number(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawValue, E> {
                Ok(RawValue::Text(text.to_owned()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<RawValue, E> {
                Ok(RawValue::Null)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<RawValue, A::Error> {
                let mut words = Some(Vec::new());
                while let Some(item) = seq.next_element::<RawValue>()? {
                    match item {
                        RawValue::Text(word) => words.iter_mut().for_each(|words| words.push(word.clone())),
                        _ => words = None,
                    }
                }
                Ok(words.map_or(RawValue::Other, RawValue::List))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
                while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
                Ok(RawValue::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_json_value_is_kept_to_be_judged() {
        let raw: RawOptions =
            serde_json::from_str(r#"{"time":60,"memory":"8 Go","gpu":null,"cores":[1],"x":true,"y":{"z":1.5}}"#)
                .unwrap();
        assert_eq!(raw.get("time"), Some(&RawValue::Number(60.0)));
        assert_eq!(raw.get("memory"), Some(&RawValue::Text("8 Go".into())));
        assert_eq!(raw.get("gpu"), None);
        let list: RawOptions = serde_json::from_str(r#"{"features":["a","b"]}"#).unwrap();
        assert_eq!(
            list.get("features"),
            Some(&RawValue::List(vec!["a".into(), "b".into()]))
        );
        for name in ["cores", "x", "y"] {
            assert_eq!(raw.get(name), Some(&RawValue::Other), "{name}");
        }
    }
}
