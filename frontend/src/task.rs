//! The reactive pieces of the page behind one type each. Leptos makes code for every closure that it is given;
//! boxed, all of them share it. The first version of this page, without `task.rs`, `built.rs` and `element.rs`,
//! was 263 kB, compressed.

use std::future::Future;
use std::pin::Pin;
#[cfg(not(target_arch = "wasm32"))]
use std::task::{Context, Waker};

use leptos::prelude::*;

type Later = Pin<Box<dyn Future<Output = ()>>>;

/// Something a button begins and that takes a while.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    run: StoredValue<Box<dyn Fn() -> Later + Send + Sync>>,
    busy: RwSignal<bool>,
}

impl Task {
    /// From what it does.
    pub(crate) fn new<F: Future<Output = ()> + 'static>(run: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self {
            run: StoredValue::new(Box::new(move || Box::pin(run()))),
            busy: RwSignal::new(false),
        }
    }

    /// Begins, unless it is under way.
    pub(crate) fn start(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        let later = self.run.with_value(|run| run());
        spawn(async move {
            later.await;
            self.busy.try_set(false);
        });
    }

    /// It is under way.
    pub(crate) fn busy(self) -> Signal<bool> {
        self.busy.into()
    }
}

/// Does something in the background.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    let task: Later = Box::pin(task);
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_futures::spawn_local(task);
    #[cfg(not(target_arch = "wasm32"))]
    {
        // What waits for anything but an answer that is there is not part of a draft.
        let mut task = task;
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// Does something now and whenever what it read has changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    let run: Box<dyn FnMut()> = Box::new(run);
    #[cfg(target_arch = "wasm32")]
    Effect::new(run);
    #[cfg(not(target_arch = "wasm32"))]
    untrack({
        let mut run = run;
        move || run()
    });
}

/// What is told from other things, and follows them.
pub(crate) fn follow<T: Send + Sync + 'static>(tell: impl Fn() -> T + Send + Sync + 'static) -> Signal<T> {
    let tell: Box<dyn Fn() -> T + Send + Sync> = Box::new(tell);
    Signal::derive(tell)
}

/// The same where it is not told again as long as it stays the same.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(tell: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    let tell: Box<dyn Fn() -> T + Send + Sync> = Box::new(tell);
    Memo::new(move |_| tell())
}

/// What a button or a list does.
pub(crate) fn callback(run: impl Fn() + Send + Sync + 'static) -> Callback<()> {
    let run: Box<dyn Fn() + Send + Sync> = Box::new(run);
    Callback::new(move |()| run())
}
