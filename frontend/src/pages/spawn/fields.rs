//! The fields, in the order in which people think.

mod account;
mod gpu;

use std::sync::Arc;

use leptos::prelude::*;
use shared::names::{InterfaceName, SlurmName};
use shared::options::{FieldError, NONE, OptionsView, Range};

use super::Page;
use crate::built::{Built, IntoBuilt};
use crate::clock;
use crate::components::{Amount, Choice, Field, Item, Select, Wrong, check, describe, group};
use crate::element::{El, el};
use crate::paths;
use crate::site::Site;
use crate::task::{callback, follow, memo};
use crate::text::{Word, Words};

/// The quick pick of memory, in MiB for each core.
const PER_CORE: u64 = 4096;
/// The quick picks of time, in minutes.
const TIMES: [u64; 4] = [60, 180, 360, 720];

/// All of them.
pub(super) fn fields(page: Page, errors: Memo<Vec<FieldError>>) -> Built {
    let fields = Fields {
        page,
        words: page.words,
        errors,
        most: memo(move || page.form.most(&page.offer(), page.now())),
    };
    let parts = [
        fields.profile(),
        fields.unless_locked("account", Word::Account, |fields| Some(fields.account())),
        fields.unless_locked("time", Word::Time, |fields| Some(fields.time())),
        fields.unless_locked("cores", Word::Cores, |fields| Some(fields.cores())),
        fields.unless_locked("memory", Word::MemoryField, |fields| Some(fields.memory())),
        fields.unless_locked("gpu", Word::Gpu, Fields::gpu),
        fields.unless_locked("reservation", Word::Reservation, Fields::reservation),
        fields.unless_locked("interface", Word::Interface, |fields| Some(fields.interface())),
        fields.more(),
    ];
    el("div").children(parts.into_iter().flatten()).built()
}

#[derive(Clone, Copy)]
struct Fields {
    page: Page,
    words: Words,
    errors: Memo<Vec<FieldError>>,
    /// The most time, cores and memory that can be had together with the rest.
    most: Memo<[u64; 3]>,
}

impl Fields {
    /// The offer that these fields are drawn from.
    fn offer(self) -> Arc<OptionsView> {
        untrack(|| self.page.offer())
    }

    fn error(self, field: &'static str) -> Wrong {
        follow(move || {
            let errors = self.errors.read();
            let error = errors.iter().find(|error| error.field == field)?;
            Some(self.words.text().problem(error))
        })
    }

    /// The hint of an amount: the least, and the most together with the rest of the request.
    fn limits(self, field: &'static str, index: usize, range: Range) -> Signal<String> {
        self.words
            .tell(move |text| text.limits(field, range.min, self.most(index)))
    }

    /// The most time, cores or memory together with the rest of the request.
    fn most(self, index: usize) -> u64 {
        self.most.with(|most| most.get(index).copied().unwrap_or_default())
    }

    /// The field, or why it cannot be changed.
    fn unless_locked(self, name: &'static str, label: Word, field: fn(Self) -> Option<Built>) -> Option<Built> {
        match self.offer().locked.get(name).cloned() {
            None => field(self),
            Some(lock) => {
                let why = self.words.tell(move |text| match &lock.event {
                    Some(event) => text.fill(Word::SetByEvent, &[self.words.locale().of(event)]),
                    None => text.get(Word::SetBySite).to_owned(),
                });
                let value = self.value(name);
                let value = el("p")
                    .class("locked")
                    .child(el("span").class("locked__value").says(value))
                    .text(" ")
                    .child(el("span").class("field__hint").says(why));
                let label = el("p").class("field__label").says(self.words.say(label));
                let field = el("div").class("field").attr("id", name).attr("tabindex", "-1");
                Some(field.child(label).child(value).built())
            }
        }
    }

    /// What a locked field has.
    fn value(self, name: &'static str) -> Signal<String> {
        let (form, site, words) = (self.page.form, Site::get(), self.words);
        words.tell(move |text| match name {
            "account" => form.account.get(),
            "time" => text.duration(form.minutes().unwrap_or_default()),
            "cores" => form.cores.get(),
            "memory" => text.memory(form.memory().unwrap_or_default()),
            "gpu" => match form.gpus() {
                Some(gpus) => text.gpus(gpus.count, &site.gpu(words, &gpus.name)),
                None => text.get(Word::GpuNone).to_owned(),
            },
            "interface" => site.interface(words, &self.page.offer().chosen.interface),
            "reservation" => or(form.reservation, text.get(Word::ReservationNone)),
            "partition" => or(form.partition, text.get(Word::PartitionAny)),
            _ => or(form.features, text.get(Word::FeaturesNone)),
        })
    }

    fn profile(self) -> Option<Built> {
        let (page, words) = (self.page, self.words);
        let offer = self.offer();
        if offer.profiles.is_empty() {
            return None;
        }
        let mut items = vec![Item::plain(NONE, words.say(Word::ProfileNone))];
        items.extend(offer.profiles.iter().map(|profile| {
            let (label, about) = (profile.label.clone(), profile.about.clone().unwrap_or_default());
            Item {
                about: words.tell(move |_| words.locale().of(&about).to_owned()),
                ..Item::plain(
                    profile.name.as_str(),
                    words.tell(move |_| words.locale().of(&label).to_owned()),
                )
            }
        }));
        let link = paths::linked_options();
        let picked = callback(move || {
            let (name, offer, text) = (page.form.profile.get_untracked(), self.offer(), page.text());
            if name == NONE {
                page.form.begin(&offer, &link, None, text);
            } else {
                page.form.take_profile(&name, &offer, text);
            }
        });
        let view = view! {
            <Choice
                id="profile"
                legend=words.say(Word::Profile)
                hint=words.say(Word::ProfileHint)
                error=self.error("profile")
                value=page.form.profile
                items
                picked
            />
        };
        Some(view.built())
    }

    fn time(self) -> Built {
        let (page, words) = (self.page, self.words);
        let range = self.offer().time;
        let most = untrack(|| self.most(0));
        let until = words.tell(move |text| {
            let now = page.now();
            let end = page.form.end(&page.offer(), now);
            end.map_or_else(String::new, |end| text.ends(&clock::when(end)))
        });
        let picks = TIMES.into_iter().filter(|minutes| (range.min..=most).contains(minutes));
        let picks = picks
            .map(|minutes| {
                (
                    words.tell(move |text| text.duration(minutes)),
                    follow(move || (minutes / 60).to_string()),
                )
            })
            .collect();
        let view = view! {
            <Amount
                id="time"
                label=words.say(Word::Time)
                hint=self.limits("time", 0, range)
                error=self.error("time")
                value=page.form.time
                answer=until
                picks
            />
        };
        view.built()
    }

    fn cores(self) -> Built {
        let (form, words) = (self.page.form, self.words);
        let hint = self.limits("cores", 1, self.offer().cores);
        let error = self.error("cores");
        view! { <Amount id="cores" label=words.say(Word::Cores) hint error value=form.cores /> }.built()
    }

    fn memory(self) -> Built {
        let (form, words) = (self.page.form, self.words);
        let wanted = move || form.cores().map_or(0, |cores| cores * PER_CORE);
        let per_core = follow(move || wanted().min(self.most(2)));
        let name = words.tell(move |text| {
            let all = text.memory(per_core.get());
            if per_core.get() < wanted() {
                return text.fill(Word::TheMost, &[&all]);
            }
            text.fill(Word::PerCore, &[&text.memory(PER_CORE), &all])
        });
        let picks = vec![(name, words.tell(move |text| text.memory_field(per_core.get())))];
        let view = view! {
            <Amount
                id="memory"
                label=words.say(Word::MemoryField)
                hint=self.limits("memory", 2, self.offer().memory)
                error=self.error("memory")
                value=form.memory
                picks
            />
        };
        view.built()
    }

    fn reservation(self) -> Option<Built> {
        let (page, words) = (self.page, self.words);
        let offer = self.offer();
        if offer.reservations.is_empty() {
            return None;
        }
        let mut items = vec![Item::plain(NONE, words.say(Word::ReservationNone))];
        items.extend(offer.reservations.iter().map(|reservation| {
            let (starts_at, ends_at) = (reservation.starts_at, reservation.ends_at);
            let name = reservation.name.to_string();
            Item {
                about: words.tell(move |text| {
                    let [start, end] = [starts_at, ends_at].map(clock::when);
                    if starts_at > page.now() {
                        text.fill(Word::ReservationSoon, &[&text.at(&start), &text.at(&end)])
                    } else {
                        text.ends(&end)
                    }
                }),
                ..Item::plain(&name, Signal::stored(name.clone()))
            }
        }));
        let view = view! {
            <Choice
                id="reservation"
                legend=words.say(Word::Reservation)
                hint=words.say(Word::ReservationHint)
                error=self.error("reservation")
                value=page.form.reservation
                items
            />
        };
        Some(view.built())
    }

    fn interface(self) -> Built {
        let (words, site) = (self.words, Site::get());
        let item = |name: InterfaceName| {
            let value = name.to_string();
            let (about, mark) = (name.clone(), name.clone());
            Item {
                about: words.tell(move |_| site.about(words, &about).0),
                mark: words.tell(move |text| {
                    let (_, recommended) = site.about(words, &mark);
                    if recommended { text.get(Word::Recommended) } else { "" }.to_owned()
                }),
                ..Item::plain(&value, words.tell(move |_| site.interface(words, &name)))
            }
        };
        let items = self.offer().interfaces.iter().cloned().map(item).collect::<Vec<_>>();
        let (legend, error) = (words.say(Word::Interface), self.error("interface"));
        view! { <Choice id="interface" legend error value=self.page.form.interface items /> }.built()
    }

    /// What few people need.
    fn more(self) -> Option<Built> {
        let form = self.page.form;
        let parts = [
            self.unless_locked("partition", Word::Partition, Self::partition),
            self.unless_locked("features", Word::Features, Self::features),
        ];
        let parts: Vec<Built> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            return None;
        }
        let used = [form.partition, form.features]
            .iter()
            .any(|field| *field.read_untracked() != NONE);
        let errors = [self.error("partition"), self.error("features")];
        // An error that nobody can see helps nobody.
        let shown = follow(move || used || errors.iter().any(|error| error.read().is_some()));
        let details = el("details").class("more").opens(shown);
        let title = el("summary")
            .class("more__title")
            .says(self.words.say(Word::MoreOptions));
        Some(details.child(title).children(parts).built())
    }

    fn partition(self) -> Option<Built> {
        let words = self.words;
        let offer = self.offer();
        let names = &offer.partitions;
        if names.is_empty() {
            return None;
        }
        let mut items = vec![(NONE.to_owned(), words.say(Word::PartitionAny))];
        items.extend(
            names
                .iter()
                .map(|name| (name.to_string(), Signal::stored(name.to_string()))),
        );
        let error = self.error("partition");
        let described_by = describe("partition", true, error);
        let view = view! {
            <Field id="partition" label=words.say(Word::Partition) hint=words.say(Word::PartitionHint) error>
                <Select id="partition" class="field__input" described_by value=self.page.form.partition items />
            </Field>
        };
        Some(view.built())
    }

    fn features(self) -> Option<Built> {
        let (form, words) = (self.page.form, self.words);
        let offer = self.offer();
        let names = &offer.features;
        if names.is_empty() {
            return None;
        }
        let item = |(index, name): (usize, &SlurmName)| {
            let id = match index {
                0 => "features".to_owned(),
                _ => format!("features-{index}"),
            };
            let (name, own) = (name.to_string(), name.to_string());
            let checked = follow(move || form.features.read().split(',').any(|word| word == own));
            let label = Signal::stored(name.clone());
            let picked = Box::new(move |wanted| form.feature(&name, wanted));
            check(&id, label, None, checked, picked)
        };
        let boxes = names
            .iter()
            .enumerate()
            .map(item)
            .fold(el("div").class("checks"), El::child);
        let (legend, hint) = (words.say(Word::Features), words.say(Word::FeaturesHint));
        let group = group("features", legend, Some(hint), self.error("features"));
        Some(group.child(boxes).built())
    }
}

/// The name in a field, or what stands for none.
fn or(field: RwSignal<String>, none: &str) -> String {
    let name = field.get();
    if name == NONE { none.to_owned() } else { name }
}
