//! JSON as a value, read from its text in one go: taking over what the browser has parsed costs several calls between
//! wasm and the browser for each value, which makes a form of a large cluster wait for a quarter of a second.
//!
//! Not serde's derived code: reading the answers of this API that way made the page 9 kB heavier, compressed,
//! than `wire.rs` does. A test there reads back whatever serde writes.

mod text;

use std::collections::BTreeMap;

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
    /// From its text. No text at all is nothing.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        text::Reader::new(text).whole()
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

    /// Reads what an object has under this name; whether that is one of these.
    #[inline(never)]
    pub(crate) fn field<T: Read>(&self, name: &str, place: &mut T) -> bool {
        place.read(self.at(name))
    }

    /// What it is, if it is one of these.
    pub(crate) fn parse<T: Read>(&self) -> Option<T> {
        let mut value = T::blank();
        value.read(self).then_some(value)
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What can be read from JSON: into a blank one, field by field. A way out after each field that cannot be read would
/// be more code than all the rest.
pub(crate) trait Read: Sized {
    /// One with nothing in it, or something that stands for nothing.
    fn blank() -> Self;

    /// Takes the value over; whether it is one of these.
    fn read(&mut self, json: &Json) -> bool;
}

/// Puts a value, if there is one, where it belongs; whether there was one.
pub(crate) fn put<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *place = value;
            true
        }
        None => false,
    }
}

/// Absent is empty.
impl Read for String {
    fn blank() -> Self {
        Self::new()
    }

    fn read(&mut self, json: &Json) -> bool {
        match json {
            Json::Text(text) => self.clone_from(text),
            Json::Nothing => {}
            _ => return false,
        }
        true
    }
}

/// Absent is false.
impl Read for bool {
    fn blank() -> Self {
        false
    }

    fn read(&mut self, json: &Json) -> bool {
        match json {
            Json::Truth(truth) => *self = *truth,
            Json::Nothing => {}
            _ => return false,
        }
        true
    }
}

impl Read for i64 {
    fn blank() -> Self {
        0
    }

    fn read(&mut self, json: &Json) -> bool {
        match json {
            Json::Whole(number) => put(self, Some(*number)),
            _ => false,
        }
    }
}

/// Absent is none of it.
impl Read for u64 {
    fn blank() -> Self {
        0
    }

    fn read(&mut self, json: &Json) -> bool {
        match json {
            Json::Whole(number) => put(self, Self::try_from(*number).ok()),
            Json::Nothing => true,
            _ => false,
        }
    }
}

macro_rules! small {
    ($($number:ident)*) => {
        $(impl Read for $number {
            fn blank() -> Self {
                0
            }

            fn read(&mut self, json: &Json) -> bool {
                let mut whole = 0_u64;
                whole.read(json) && put(self, Self::try_from(whole).ok())
            }
        })*
    };
}

small! { u8 u16 u32 usize }

/// Absent, `null` and unreadable are the same here: the page then goes without.
impl<T: Read> Read for Option<T> {
    fn blank() -> Self {
        None
    }

    fn read(&mut self, json: &Json) -> bool {
        *self = match json {
            Json::Nothing => None,
            json => json.parse(),
        };
        true
    }
}

impl<T: Read> Read for Vec<T> {
    fn blank() -> Self {
        Self::new()
    }

    fn read(&mut self, json: &Json) -> bool {
        let mut all = true;
        match json {
            Json::List(items) => {
                for item in items {
                    let mut value = T::blank();
                    all &= value.read(item);
                    self.push(value);
                }
            }
            Json::Nothing => {}
            _ => all = false,
        }
        all
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn blank() -> Self {
        Self::new()
    }

    fn read(&mut self, json: &Json) -> bool {
        let mut all = true;
        match json {
            // Not `collect`: that would bring three sorting algorithms along.
            Json::Object(pairs) => {
                for (name, item) in pairs {
                    let mut value = T::blank();
                    all &= value.read(item);
                    self.insert(name.clone(), value);
                }
            }
            Json::Nothing => {}
            _ => all = false,
        }
        all
    }
}

#[cfg(test)]
mod tests;
