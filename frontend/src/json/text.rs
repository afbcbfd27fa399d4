//! Reads JSON (RFC 8259), as strictly as the answers of our own server need.

use super::Json;

/// What is left of a text.
pub(super) struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The one value that the text is; no text at all is nothing.
    pub(super) fn whole(mut self) -> Option<Json> {
        let value = if self.0.is_empty() {
            Json::Nothing
        } else {
            self.value()?
        };
        self.skip_space();
        self.0.is_empty().then_some(value)
    }

    fn value(&mut self) -> Option<Json> {
        self.skip_space();
        Some(match *self.0.as_bytes().first()? {
            b'"' => Json::Text(self.text()?),
            b'[' => Json::List(self.list(']', Self::value)?),
            b'{' => Json::Object(self.list('}', |reader| {
                reader.skip_space();
                let name = reader.text()?;
                reader.take(':').then_some(())?;
                Some((name, reader.value()?))
            })?),
            _ => self.word()?,
        })
    }

    /// What stands between brackets, with commas between.
    fn list<T>(&mut self, end: char, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.cut(1);
        let mut items = Vec::new();
        if self.take(end) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.take(end) {
                return Some(items);
            }
            self.take(',').then_some(())?;
        }
    }

    /// `null`, `true`, `false` or a number. The API has whole numbers only, some of which serde writes as `2.0`.
    fn word(&mut self) -> Option<Json> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.0.bytes().take_while(|byte| is_part(byte)).count();
        let word = self.cut(length);
        Some(match word {
            "null" => Json::Nothing,
            "true" => Json::Truth(true),
            "false" => Json::Truth(false),
            _ if word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                let whole = word.strip_suffix(".0").unwrap_or(word);
                whole.parse().map_or(Json::Nothing, Json::Whole)
            }
            _ => return None,
        })
    }

    /// A text, from its quotation mark on.
    fn text(&mut self) -> Option<String> {
        if self.0.as_bytes().first() != Some(&b'"') {
            return None;
        }
        self.cut(1);
        let mut text = String::new();
        loop {
            let plain = self.0.bytes().position(|byte| matches!(byte, b'"' | b'\\'))?;
            text.push_str(self.cut(plain));
            if self.cut(1) == "\"" {
                return Some(text);
            }
            let escape = self.0.bytes().next().filter(u8::is_ascii)?;
            self.cut(1);
            text.push(match escape {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => self.unicode()?,
                other => char::from(other),
            });
        }
    }

    /// A character by its number, or by two where it is beyond the first 65,536. Half of one is no character.
    fn unicode(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        let number = if first & 0xFC00 == 0xD800 && self.0.starts_with("\\u") {
            self.cut(2);
            0x1_0000 + ((first & 0x3FF) << 10) + (self.four_digits()? & 0x3FF)
        } else {
            first
        };
        Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.0.get(..4)?;
        self.cut(4);
        u32::from_str_radix(digits, 16).ok()
    }

    /// Whether this character comes next, but for space; past it then.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        let is_next = self.0.starts_with(wanted);
        if is_next {
            self.cut(1);
        }
        is_next
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    /// So many bytes, which end where a character does.
    fn cut(&mut self, length: usize) -> &'a str {
        let (cut, rest) = self.0.split_at(length);
        self.0 = rest;
        cut
    }
}
