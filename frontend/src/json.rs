//! JSON as a value. The browser parses the text; this only takes its values over.
//!
//! Not serde's derived code: reading the answers of this API that way made the page 9 kB heavier, compressed,
//! than `wire.rs` does. A test there reads back whatever serde writes.

use std::collections::BTreeMap;

use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};

/// A value.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`, and whatever no answer of the API has.
    Nothing,
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Takes a value over from the browser.
    pub(crate) fn from_js(value: &JsValue) -> Self {
        if let Some(text) = value.as_string() {
            Self::Text(text)
        } else if let Some(number) = value.as_f64() {
            whole(number).map_or(Self::Nothing, Self::Whole)
        } else if let Some(truth) = value.as_bool() {
            Self::Truth(truth)
        } else if let Some(list) = value.dyn_ref::<Array>() {
            Self::List(list.iter().map(|item| Self::from_js(&item)).collect())
        } else if let Some(object) = value.dyn_ref::<Object>() {
            let pair = |pair: JsValue| {
                let pair: Array = pair.unchecked_into();
                Some((pair.get(0).as_string()?, Self::from_js(&pair.get(1))))
            };
            Self::Object(Object::entries(object).iter().filter_map(pair).collect())
        } else {
            Self::Nothing
        }
    }

    /// What an object has under this name; nothing where it has nothing.
    pub(crate) fn at(&self, name: &str) -> &Self {
        match self {
            Self::Object(pairs) => pairs
                .iter()
                .find(|(key, _)| key == name)
                .map_or(&Self::Nothing, |(_, value)| value),
            _ => &Self::Nothing,
        }
    }

    /// What an object has under this name, read.
    pub(crate) fn get<T: Read>(&self, name: &str) -> Option<T> {
        T::read(self.at(name))
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// What can be read from JSON.
pub(crate) trait Read: Sized {
    /// The value, if it is one of these.
    fn read(json: &Json) -> Option<Self>;
}

impl Read for String {
    fn read(json: &Json) -> Option<Self> {
        json.text().map(Self::from)
    }
}

impl Read for bool {
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Truth(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl Read for i64 {
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Whole(number) => Some(*number),
            _ => None,
        }
    }
}

impl Read for u64 {
    fn read(json: &Json) -> Option<Self> {
        i64::read(json)?.try_into().ok()
    }
}

impl Read for u32 {
    fn read(json: &Json) -> Option<Self> {
        i64::read(json)?.try_into().ok()
    }
}

/// Absent, `null` and unreadable are the same here: the page then goes without.
impl<T: Read> Read for Option<T> {
    fn read(json: &Json) -> Option<Self> {
        Some(T::read(json))
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::List(items) => {
                let mut list = Self::with_capacity(items.len());
                for item in items {
                    list.push(T::read(item)?);
                }
                Some(list)
            }
            Json::Nothing => Some(Self::new()),
            _ => None,
        }
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(json: &Json) -> Option<Self> {
        match json {
            // Not `collect`: that would bring three sorting algorithms along.
            Json::Object(pairs) => {
                let mut map = Self::new();
                for (name, value) in pairs {
                    map.insert(name.clone(), T::read(value)?);
                }
                Some(map)
            }
            Json::Nothing => Some(Self::new()),
            _ => None,
        }
    }
}
