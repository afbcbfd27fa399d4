//! Views behind one type, as text. The calls are those of `browser/built.rs`.

use leptos::children::ToChildren;
use leptos::prelude::*;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::Mountable;

/// A part of the page that has been built: its HTML.
pub(crate) struct Built(String);

impl Built {
    /// From its HTML.
    pub(super) fn from_html(html: String) -> Self {
        Self(html)
    }

    /// Its HTML.
    pub(super) fn into_html(self) -> String {
        self.0
    }
}

/// What can be built.
pub(crate) trait IntoBuilt {
    /// Builds it.
    fn built(self) -> Built;
}

impl IntoBuilt for Built {
    fn built(self) -> Built {
        self
    }
}

impl<T: IntoBuilt> IntoBuilt for View<T> {
    fn built(self) -> Built {
        self.into_inner().built()
    }
}

impl<T: IntoBuilt> IntoBuilt for Option<T> {
    fn built(self) -> Built {
        self.map_or_else(|| Built(String::new()), T::built)
    }
}

impl<T: IntoBuilt> IntoBuilt for Vec<T> {
    fn built(self) -> Built {
        let parts = self.into_iter().map(|part| part.built().0);
        Built(parts.collect())
    }
}

/// What stands side by side in one `view!`.
macro_rules! side_by_side {
    ($($($part:ident)+;)*) => {
        $(
            impl<$($part: IntoBuilt),+> IntoBuilt for ($($part,)+) {
                fn built(self) -> Built {
                    #[expect(non_snake_case, reason = "each part is called like its type")]
                    let ($($part,)+) = self;
                    Built([$($part.built().0),+].concat())
                }
            }
        )*
    };
}

side_by_side! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

/// The children of a component.
impl<F, V> ToChildren<F> for Built
where
    F: FnOnce() -> V,
    V: IntoBuilt,
{
    fn to_children(children: F) -> Self {
        children().built()
    }
}

/// What `view!` takes. Nothing is ever put into a document here.
impl Render for Built {
    type State = Self;

    fn build(self) -> Self {
        self
    }

    fn rebuild(self, state: &mut Self) {
        *state = self;
    }
}

impl Mountable for Built {
    fn unmount(&mut self) {}

    fn mount(&mut self, _parent: &Element, _marker: Option<&Node>) {}

    fn insert_before_this(&self, _child: &mut dyn Mountable) -> bool {
        false
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }
}

/// A view as it is now.
pub(crate) fn dynamic(view: impl Fn() -> Built + Send + 'static) -> Built {
    view()
}

/// A view that is there or not.
pub(crate) fn maybe(view: impl Fn() -> Option<Built> + Send + 'static) -> Built {
    view().built()
}
