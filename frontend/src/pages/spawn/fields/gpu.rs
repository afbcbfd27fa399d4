//! The GPU, and how many of them.

use leptos::prelude::*;
use shared::options::{GpuView, NONE};

use super::{Fields, Page};
use crate::built::{Built, IntoBuilt, maybe};
use crate::components::{Choice, Field, Item, Select};
use crate::site::Site;
use crate::task::{callback, memo};
use crate::text::{Tongue, Word};

impl Fields {
    pub(super) fn gpu(self) -> Option<Built> {
        let (page, form, words, site) = (self.page, self.page.form, self.words, Site::get());
        let offer = self.offer();
        if offer.gpus.is_empty() {
            return None;
        }
        let mut items = vec![Item::plain(NONE, words.say(Word::GpuNone))];
        items.extend(offer.gpus.iter().cloned().map(|gpu| {
            let name = gpu.name.clone();
            let label = gpu.label.clone();
            let shown = words.tell(move |_| match &label {
                Some(label) => words.locale().of(label).to_owned(),
                None => site.gpu(words, &name),
            });
            let item = Item::plain(&gpu.name, shown);
            Item {
                about: words.tell(move |text| about(text, &gpu)),
                ..item
            }
        }));
        let picked = callback(move || {
            form.gpu_count.set("1".to_owned());
            suit(page);
        });
        let most = memo(move || {
            let chosen = form.gpu.read();
            offer.gpu(&chosen).map_or(0, |gpu| gpu.max as usize)
        });
        let count = maybe(move || {
            let most = most.get();
            let items = (1..=most).map(|count| (count.to_string(), Signal::stored(count.to_string())));
            let items = items.collect::<Vec<_>>();
            let picked = callback(move || suit(page));
            (most > 1).then(|| {
                view! {
                    <Field id="gpu-count" label=words.say(Word::GpuCount)>
                        <Select id="gpu-count" class="field__input amount__input" value=form.gpu_count items picked />
                    </Field>
                }
                .built()
            })
        });
        let view = view! {
            <Choice
                id="gpu"
                legend=words.say(Word::Gpu)
                hint=words.say(Word::GpuHint)
                error=self.error("gpu")
                value=form.gpu
                items
                picked
            />
            {count}
        };
        Some(view.built())
    }
}

/// Cores and memory that go with the GPU.
fn suit(page: Page) {
    untrack(|| page.form.suit_gpu(&page.offer(), page.now(), page.text()));
}

/// What a GPU is.
fn about(text: &Tongue, gpu: &GpuView) -> String {
    let mut parts = Vec::new();
    if let Some(memory) = gpu.memory {
        parts.push(text.fill(Word::GpuMemory, &[&text.memory(memory)]));
    }
    if let Some(percent) = gpu.percent.filter(|percent| *percent < 100) {
        parts.push(text.fill(Word::GpuPart, &[&percent.to_string()]));
    }
    if gpu.max > 1 {
        parts.push(text.fill(Word::GpuUpTo, &[&gpu.max.to_string()]));
    }
    parts.join(" · ")
}
