//! Views behind one type. Leptos gives every view a type of its own, with code to build it, to compare it with
//! the next one, to erase it and to drop it. This page never compares: texts and attributes follow signals, and
//! what comes and goes is replaced. So a view is built at once, and from then on is something that stands in the
//! document.

use leptos::children::ToChildren;
use leptos::prelude::*;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::Mountable;

/// A part of the page that has been built.
pub(crate) struct Built(Box<dyn Mountable>);

/// What can be built: every view.
pub(crate) trait IntoBuilt {
    /// Builds it.
    fn built(self) -> Built;
}

impl<V: Render> IntoBuilt for V
where
    V::State: 'static,
{
    fn built(self) -> Built {
        Built::new(Shown(self.build()))
    }
}

/// What a view has become, without the way to its elements, which is code that nobody calls.
struct Shown<M>(M);

impl<M: Mountable> Mountable for Shown<M> {
    fn unmount(&mut self) {
        self.0.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.0.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new() // Only asked for by what adds attributes from outside.
    }
}

impl Built {
    /// From what stands in the document.
    pub(crate) fn new(part: impl Mountable + 'static) -> Self {
        Self(Box::new(part))
    }
}

impl Render for Built {
    type State = Self;

    fn build(self) -> Self {
        self
    }

    fn rebuild(self, state: &mut Self) {
        let mut old = std::mem::replace(state, self);
        old.insert_before_this(state);
        old.unmount();
    }
}

impl Mountable for Built {
    fn unmount(&mut self) {
        self.0.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.0.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new() // Only asked for by what adds attributes from outside.
    }
}

/// The children of a component.
impl<F, V> ToChildren<F> for Built
where
    F: FnOnce() -> V,
    V: Render,
    V::State: 'static,
{
    fn to_children(children: F) -> Self {
        children().built()
    }
}

/// A view that follows what it reads.
pub(crate) fn dynamic(view: impl Fn() -> Built + Send + 'static) -> Built {
    let view: Box<dyn Fn() -> Built + Send> = Box::new(view);
    view.built()
}

/// A view that is there or not.
pub(crate) fn maybe(view: impl Fn() -> Option<Built> + Send + 'static) -> Built {
    let view: Box<dyn Fn() -> Option<Built> + Send> = Box::new(view);
    view.built()
}
