//! Elements, put together by calls. Components are made of these, and pages of components, with `view!`.
//! What `view!` makes of one element is half a kilobyte of code that fits it alone; a call is twenty bytes.

use std::any::Any;

use leptos::prelude::*;
use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::Mountable;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, HtmlInputElement};

use crate::built::{Built, IntoBuilt};

/// An element, and what lives as long as it does: effects, listeners, children.
pub(crate) struct El(Box<Parts>);

struct Parts {
    element: Element,
    keep: Vec<Box<dyn Any>>,
}

/// An element of this name.
pub(crate) fn el(name: &str) -> El {
    El::new(name, None)
}

/// An element of a drawing.
pub(crate) fn svg(name: &str) -> El {
    El::new(name, Some("http://www.w3.org/2000/svg"))
}

impl El {
    fn new(name: &str, namespace: Option<&str>) -> Self {
        Self(Box::new(Parts {
            element: Rndr::create_element(name, namespace),
            keep: Vec::new(),
        }))
    }

    /// With this attribute.
    pub(crate) fn attr(self, name: &str, value: &str) -> Self {
        drop(self.0.element.set_attribute(name, value));
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

    /// With an attribute that follows a signal.
    pub(crate) fn follows(self, name: &'static str, value: Signal<String>) -> Self {
        let element = self.0.element.clone();
        self.effect(Box::new(move || drop(element.set_attribute(name, &value.get()))))
    }

    /// With an attribute that follows a signal, and is there only while that has a value.
    pub(crate) fn follows_if(self, name: &'static str, value: Signal<Option<String>>) -> Self {
        let element = self.0.element.clone();
        self.effect(Box::new(move || {
            drop(match value.get() {
                Some(value) => element.set_attribute(name, &value),
                None => element.remove_attribute(name),
            });
        }))
    }

    /// With a text that follows a signal.
    pub(crate) fn says(self, text: Signal<String>) -> Self {
        let node = Rndr::create_text_node("");
        drop(self.0.element.append_child(&node));
        self.effect(Box::new(move || node.set_data(&text.get())))
    }

    /// With this text.
    pub(crate) fn text(self, text: &str) -> Self {
        drop(self.0.element.append_child(&Rndr::create_text_node(text)));
        self
    }

    /// A list's options: their values, and their names, which one effect follows, as there can be dozens.
    pub(crate) fn options(self, items: Vec<(String, Signal<String>)>) -> Self {
        let option = |(value, name): (String, Signal<String>)| {
            let (option, text) = (Rndr::create_element("option", None), Rndr::create_text_node(""));
            drop(option.set_attribute("value", &value));
            drop(option.append_child(&text));
            drop(self.0.element.append_child(&option));
            (text, name)
        };
        let names: Vec<_> = items.into_iter().map(option).collect();
        self.effect(Box::new(move || {
            for (text, name) in &names {
                text.set_data(&name.get());
            }
        }))
    }

    /// A field or a list whose content is this signal's value, both ways.
    pub(crate) fn holds(self, value: RwSignal<String>) -> Self {
        let input: HtmlInputElement = self.0.element.clone().unchecked_into();
        self.effect(Box::new(move || {
            let value = value.get();
            if input.value() != value {
                input.set_value(&value);
            }
        }))
        .on("input", move |event| value.set(event_target_value(&event)))
    }

    /// A field with this in it at first. As an attribute it would stand behind the caret.
    pub(crate) fn filled(self, value: &str) -> Self {
        let input: &HtmlInputElement = self.0.element.unchecked_ref();
        input.set_value(value);
        self
    }

    /// A box or a button that is checked while this is so.
    pub(crate) fn checked(self, checked: Signal<bool>) -> Self {
        let input: HtmlInputElement = self.0.element.clone().unchecked_into();
        self.effect(Box::new(move || input.set_checked(checked.get())))
    }

    /// What it holds back is shown as soon as this is so; it stays as it is after that.
    pub(crate) fn opens(self, shown: Signal<bool>) -> Self {
        let element = self.0.element.clone();
        self.effect(Box::new(move || {
            if shown.get() {
                drop(element.set_attribute("open", ""));
            }
        }))
    }

    /// Does this when that happens to it.
    pub(crate) fn on(self, event: &str, action: impl FnMut(Event) + 'static) -> Self {
        self.listen(event, Box::new(action))
    }

    /// Does this when it is pressed.
    pub(crate) fn pressed(self, action: impl Fn() + 'static) -> Self {
        self.listen("click", Box::new(move |_| action()))
    }

    /// With this in it.
    pub(crate) fn child(mut self, child: impl IntoBuilt) -> Self {
        let mut child = child.built();
        child.mount(&self.0.element, None);
        self.0.keep.push(Box::new(child));
        self
    }

    /// With all of these in it.
    pub(crate) fn children(self, children: impl IntoIterator<Item = Built>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    fn effect(mut self, mut run: Box<dyn FnMut()>) -> Self {
        self.0.keep.push(Box::new(RenderEffect::new(move |_| run())));
        self
    }

    fn listen(mut self, event: &str, action: Box<dyn FnMut(Event)>) -> Self {
        let listener = Closure::wrap(action);
        let function = listener.as_ref().unchecked_ref();
        drop(self.0.element.add_event_listener_with_callback(event, function));
        self.0.keep.push(Box::new(listener));
        self
    }
}

impl IntoBuilt for El {
    fn built(self) -> Built {
        Built::new(self)
    }
}

impl Mountable for El {
    fn unmount(&mut self) {
        self.0.element.remove();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        Rndr::insert_node(parent, &self.0.element, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let parent = self.0.element.parent_element();
        if let Some(parent) = &parent {
            child.mount(parent, Some(&self.0.element));
        }
        parent.is_some()
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new() // Only asked for by what adds attributes from outside.
    }
}
