//! Elements as text. The calls are those of `browser/element.rs`.

use leptos::prelude::*;
use web_sys::Event;

use crate::built::{Built, IntoBuilt};

/// An element: its start tag without the end, and what is in it.
pub(crate) struct El {
    name: String,
    start: String,
    inner: String,
}

/// An element of this name.
pub(crate) fn el(name: &str) -> El {
    El {
        name: name.to_owned(),
        start: format!("<{name}"),
        inner: String::new(),
    }
}

/// An element of a drawing.
pub(crate) fn svg(name: &str) -> El {
    el(name)
}

impl El {
    /// With this attribute.
    pub(crate) fn attr(mut self, name: &str, value: &str) -> Self {
        self.start.extend([" ", name, "=\""]);
        escape(&mut self.start, value);
        self.start.push('"');
        self
    }

    /// With this attribute, if there is a value for it.
    pub(crate) fn attr_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Of this class.
    pub(crate) fn class(self, class: &str) -> Self {
        self.attr("class", class)
    }

    /// With an attribute as its signal has it.
    pub(crate) fn follows(self, name: &'static str, value: Signal<String>) -> Self {
        value.with_untracked(|value| self.attr(name, value))
    }

    /// With an attribute as its signal has it, if it has one.
    pub(crate) fn follows_if(self, name: &'static str, value: Signal<Option<String>>) -> Self {
        value.with_untracked(|value| self.attr_if(name, value.as_deref()))
    }

    /// With a text as its signal has it.
    pub(crate) fn says(self, text: Signal<String>) -> Self {
        text.with_untracked(|text| self.text(text))
    }

    /// With this text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        escape(&mut self.inner, text);
        self
    }

    /// A list's options: their values, and their names.
    pub(crate) fn options(mut self, items: Vec<(String, Signal<String>)>) -> Self {
        for (value, name) in items {
            self.inner += &el("option").attr("value", &value).says(name).built().into_html();
        }
        self
    }

    /// A field or a list whose content is this signal's value.
    pub(crate) fn holds(mut self, value: RwSignal<String>) -> Self {
        let value = value.get_untracked();
        if self.name == "select" {
            let chosen = el("option").attr("value", &value).start;
            self.inner = self.inner.replacen(&chosen, &format!("{chosen} selected"), 1);
            self
        } else {
            self.attr("value", &value)
        }
    }

    /// A field with this in it at first.
    pub(crate) fn filled(self, value: &str) -> Self {
        self.attr("value", value)
    }

    /// A box or a button that is checked if this is so.
    pub(crate) fn checked(self, checked: Signal<bool>) -> Self {
        self.attr_if("checked", checked.get_untracked().then_some(""))
    }

    /// What it holds back is shown if this is so.
    pub(crate) fn opens(self, shown: Signal<bool>) -> Self {
        self.attr_if("open", shown.get_untracked().then_some(""))
    }

    /// Nothing happens to text.
    pub(crate) fn on(self, _event: &str, _action: impl FnMut(Event) + 'static) -> Self {
        self
    }

    /// Nobody presses text.
    pub(crate) fn pressed(self, _action: impl Fn() + 'static) -> Self {
        self
    }

    /// With this in it.
    pub(crate) fn child(mut self, child: impl IntoBuilt) -> Self {
        self.inner += &child.built().into_html();
        self
    }

    /// With all of these in it.
    pub(crate) fn children(self, children: impl IntoIterator<Item = Built>) -> Self {
        children.into_iter().fold(self, Self::child)
    }
}

impl IntoBuilt for El {
    fn built(self) -> Built {
        let Self { name, start, inner } = self;
        Built::from_html(match name.as_str() {
            "input" | "img" => start + ">",
            _ => format!("{start}>{inner}</{name}>"),
        })
    }
}

/// As HTML has it, in a text and between quotes.
fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            character => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_or_an_attribute_becomes_markup() {
        let html = el("p")
            .attr("title", "\"><b>&")
            .text("</p><script>&amp;")
            .built()
            .into_html();
        assert_eq!(
            html,
            "<p title=\"&quot;&gt;&lt;b&gt;&amp;\">&lt;/p&gt;&lt;script&gt;&amp;amp;</p>"
        );
    }
}
