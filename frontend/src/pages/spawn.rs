//! The options: what a person asks for, and what they will get.

mod form;

use leptos::prelude::*;
use shared::api::ErrorCode;
use shared::names::UserName;
use shared::options::{AccountView, FieldError, Interface, OptionsView, Range, UserOptions};
use shared::raw::RawOptions;

use self::form::Form;
use super::forbidden::{Forbidden, Refusal};
use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::clock;
use crate::components::{
    Amount, Button, Choice, ErrorSummary, Field, Item, Paragraph, Select, StartFailure, Trouble, Wrong, describe,
    waiting,
};
use crate::element::el;
use crate::offer::Offer;
use crate::paths;
use crate::start::Start;
use crate::task::effect;
use crate::text::{Tongue, Words, interface_words};

/// The quick pick of memory, in MiB for each core.
const PER_CORE: u64 = 4096;
/// The quick picks of time, in minutes.
const TIMES: [u64; 4] = [60, 180, 360, 720];

/// The page.
#[component]
pub(crate) fn Spawn(user: UserName) -> Built {
    let words = Words::get();
    let offer = Offer::new();
    offer.ask();
    let (link, next) = (paths::linked_options(), paths::next());
    let retry = Callback::new(move |()| offer.ask());
    dynamic(move || match offer.answer.get() {
        None => waiting(words),
        Some(Ok(offer)) => view! { <Options user=user.clone() offer link=link.clone() next=next.clone() /> }.built(),
        Some(Err(failure)) => match Refusal::from_failure(&failure) {
            Some(refusal) => view! { <Forbidden refusal retry /> }.built(),
            None => view! {
                <Heading text=words.say(Tongue::options_title) />
                <Trouble failure retry />
            }
            .built(),
        },
    })
}

#[component]
fn Options(user: UserName, offer: OptionsView, link: RawOptions, next: Option<String>) -> Built {
    let words = Words::get();
    let linked = !link.0.is_empty();
    let form = Form::new(&offer, &link, words.0.get_untracked());
    let start = Start::new(user, next);
    let attempt = RwSignal::new(0_u32);
    let offer = StoredValue::new(offer);
    let parsed = Memo::new(move |_| offer.with_value(|offer| form.parse(offer)));

    // Before the first failed attempt only what a link got wrong is said; then everything, as it changes.
    let refused_link = StoredValue::new(offer.with_value(|offer| Form::refused_link(&link, offer)));
    let errors = Memo::new(move |_| {
        let own = match &*parsed.read() {
            Err(errors) if attempt.get() > 0 => errors.clone(),
            _ => Vec::new(),
        };
        match &*start.failure.read() {
            _ if !own.is_empty() => own,
            Some(Failure::Api(error)) if error.code == ErrorCode::Options => error.fields.clone(),
            _ if attempt.get() == 0 => refused_link.get_value(),
            _ => own,
        }
    });
    let submit = move |event: web_sys::Event| {
        event.prevent_default();
        if parsed.read_untracked().is_ok() {
            start.send(form.raw());
        } else {
            start.failure.set(None);
            attempt.update(|count| *count += 1);
        }
    };
    effect(move || {
        let refused = matches!(&*start.failure.read(), Some(Failure::Api(error)) if error.code == ErrorCode::Options);
        if refused {
            attempt.update(|count| *count += 1);
        }
    });
    let failed = Memo::new(move |_| {
        let failure = start.failure.read();
        failure
            .as_ref()
            .is_some_and(|failure| failure.code() != Some(ErrorCode::Options))
    });
    let filled = linked.then(|| view! { <Paragraph class="quiet" text=words.say(Tongue::filled_by_link) /> }.built());
    let fields = view! {
        <ErrorSummary errors attempt />
        {maybe(move || failed.get().then(|| view! { <StartFailure start /> }.built()))}
        <Fields form offer errors />
    };
    let form = el("form")
        .class("options")
        .attr("novalidate", "")
        .on("submit", submit)
        .child(el("div").class("options__fields").child(fields))
        .child(summary(words, parsed, start));
    view! {
        <Heading text=words.say(Tongue::options_title) />
        {filled}
        {form.built()}
    }
    .built()
}

/// The fields, in the order in which people think.
#[component]
fn Fields(form: Form, offer: StoredValue<OptionsView>, errors: Memo<Vec<FieldError>>) -> Built {
    let words = Words::get();
    let error = move |field: &'static str| {
        Signal::derive(move || {
            let errors = errors.read();
            let error = errors.iter().find(|error| error.field == field)?;
            Some(words.text().problem(error))
        })
    };
    let now = clock::ticking(20);
    let until = words.tell(move |text| {
        form.minutes().map_or_else(String::new, |minutes| {
            text.until(&clock::when(now.get() + i64::from(minutes) * 60))
        })
    });
    let range = move |part: fn(&OptionsView) -> Range| offer.with_value(part);
    let (cores, memory) = (range(|offer| offer.cores), range(|offer| offer.memory));
    let time = range(|offer| offer.time);
    let time_max = Signal::derive(move || offer.with_value(|offer| form.time_max(offer)));
    let times = TIMES
        .into_iter()
        .filter(|minutes| (time.min..=time.max).contains(minutes));
    let times = times
        .map(|minutes| {
            (
                words.tell(move |text| text.hours(minutes)),
                Signal::derive(move || (minutes / 60).to_string()),
            )
        })
        .collect();
    let per_core = Signal::derive(move || form.cores().map_or(0, |cores| (cores * PER_CORE).min(memory.max)));
    let per_core_pick = vec![(
        words.tell(move |text| text.per_core(PER_CORE, per_core.get())),
        Signal::derive(move || form::gb_field(per_core.get(), words.0.get())),
    )];
    view! {
        {account(words, form, offer, error("account"))}
        <Amount
            id="time"
            label=words.say(Tongue::time)
            hint=words.tell(move |text| text.time_hint(time.min, time_max.get()))
            error=error("time")
            value=form.time
            answer=until
            picks=times
        />
        <Amount
            id="cores"
            label=words.say(Tongue::cores)
            hint=words.tell(move |text| text.cores_hint(cores.min, cores.max))
            error=error("cores")
            value=form.cores
        />
        <Amount
            id="memory"
            label=words.say(Tongue::memory_field)
            hint=words.tell(move |text| text.memory_hint(memory.min, memory.max))
            error=error("memory")
            value=form.memory
            picks=per_core_pick
        />
        {gpu(words, form, offer, error("gpu"))}
        {interface(words, form, offer, error("interface"))}
    }
    .built()
}

fn account(words: Words, form: Form, offer: StoredValue<OptionsView>, error: Wrong) -> Built {
    let items = offer.with_value(|offer| {
        let item = |account: &AccountView| {
            let name = account.name.to_string();
            (name.clone(), Signal::stored(name))
        };
        offer.accounts.iter().map(item).collect::<Vec<_>>()
    });
    let described_by = describe("account", true, error);
    view! {
        <Field id="account" label=words.say(Tongue::account) hint=words.say(Tongue::account_hint) error>
            <Select id="account" class="field__input" described_by value=form.account items />
        </Field>
    }
    .built()
}

fn gpu(words: Words, form: Form, offer: StoredValue<OptionsView>, error: Wrong) -> Option<Built> {
    let gpus = offer.with_value(|offer| offer.gpus.clone());
    if gpus.is_empty() {
        return None;
    }
    let mut items = vec![Item {
        value: form::NO_GPU.to_owned(),
        name: words.say(Tongue::gpu_none),
        mark: None,
        about: None,
    }];
    items.extend(gpus.iter().map(|gpu| {
        let max = gpu.max;
        Item {
            value: gpu.name.clone(),
            name: Signal::stored(gpu.name.clone()),
            mark: None,
            about: Some(words.tell(move |text| text.gpu_up_to(max))),
        }
    }));
    let most = Memo::new(move |_| {
        let chosen = form.gpu.read();
        gpus.iter().find(|gpu| gpu.name == *chosen).map_or(0, |gpu| gpu.max)
    });
    let count = maybe(move || {
        let most = most.get();
        let items = (1..=most).map(|count| (count.to_string(), Signal::stored(count.to_string())));
        let items = items.collect::<Vec<_>>();
        (most > 1).then(|| {
            view! {
                <Field id="gpu-count" label=words.say(Tongue::gpu_count)>
                    <Select id="gpu-count" class="field__input amount__input" value=form.gpu_count items />
                </Field>
            }
            .built()
        })
    });
    let view = view! {
        <Choice id="gpu" legend=words.say(Tongue::gpu) hint=words.say(Tongue::gpu_hint) error value=form.gpu items />
        {count}
    };
    Some(view.built())
}

fn interface(words: Words, form: Form, offer: StoredValue<OptionsView>, error: Wrong) -> Built {
    let items = offer.with_value(|offer| {
        let item = |interface: &Interface| {
            let interface = *interface;
            Item {
                value: interface.as_str().to_owned(),
                name: words.tell(move |text| interface_words(text, interface).0.to_owned()),
                mark: (interface == Interface::Lab).then(|| words.say(Tongue::recommended)),
                about: Some(words.tell(move |text| interface_words(text, interface).1.to_owned())),
            }
        };
        offer.interfaces.iter().map(item).collect::<Vec<_>>()
    });
    view! { <Choice id="interface" legend=words.say(Tongue::interface) error value=form.interface items /> }.built()
}

/// What is asked for, in one sentence, and the button; beside the form where there is room, below it else.
fn summary(words: Words, parsed: Memo<Result<UserOptions, Vec<FieldError>>>, start: Start) -> Built {
    let now = clock::ticking(20);
    let request = words.tell(move |text| match &*parsed.read() {
        Err(_) => text.incomplete().to_owned(),
        Ok(options) => {
            let until = now.get() + i64::from(options.time.get()) * 60;
            format!("{}.", text.request(options, &clock::when(until)))
        }
    });
    let label = words.tell(move |text| {
        if start.busy().get() {
            text.sending()
        } else {
            text.start()
        }
        .to_owned()
    });
    el("div")
        .class("summary")
        .child(el("h2").class("summary__title").says(words.say(Tongue::your_request)))
        .child(el("p").class("summary__request").says(request))
        .child(view! { <Button label busy=start.busy() /> })
        .built()
}
