//! What is in the form's fields, as typed, and how it becomes a request.

use leptos::prelude::*;
use shared::names::SlurmName;
use shared::options::{FieldError, Fit, Gpus, NAMES, NONE, OptionsView, Problem, UserOptions, Wish, parse};
use shared::raw::{RawOptions, RawValue};
use shared::units::{Cores, Memory, Minutes, with_default_unit};

use crate::text::Tongue;

/// The fields. A name is `none` where there can be none.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// The profile's name.
    pub(super) profile: RwSignal<String>,
    /// The compute account's name.
    pub(super) account: RwSignal<String>,
    /// Hours, as typed.
    pub(super) time: RwSignal<String>,
    /// Cores, as typed.
    pub(super) cores: RwSignal<String>,
    /// GB, as typed.
    pub(super) memory: RwSignal<String>,
    /// The GPU's type.
    pub(super) gpu: RwSignal<String>,
    /// How many of them.
    pub(super) gpu_count: RwSignal<String>,
    /// The reservation's name.
    pub(super) reservation: RwSignal<String>,
    /// The partition's name.
    pub(super) partition: RwSignal<String>,
    /// Names of features, with commas.
    pub(super) features: RwSignal<String>,
    /// The interface's name.
    pub(super) interface: RwSignal<String>,
    /// The cores and the memory that the page itself filled in: it may change them with the GPU.
    proposed: StoredValue<[String; 2]>,
    /// The profile whose choices were filled in last.
    taken: StoredValue<String>,
}

impl Form {
    /// The link first, then what was chosen last or is the default.
    pub(super) fn new(offer: &OptionsView, link: &RawOptions, text: &Tongue) -> Self {
        let field = || RwSignal::new(NONE.to_owned());
        let form = Self {
            profile: field(),
            account: field(),
            time: field(),
            cores: field(),
            memory: field(),
            gpu: field(),
            gpu_count: field(),
            reservation: field(),
            partition: field(),
            features: field(),
            interface: field(),
            proposed: StoredValue::new([String::new(), String::new()]),
            taken: StoredValue::new(String::new()),
        };
        form.begin(offer, link, words(link, "profile"), text);
        form
    }

    /// As at first, with the profile of this name, or without one.
    pub(super) fn begin(self, offer: &OptionsView, link: &RawOptions, profile: Option<String>, text: &Tongue) {
        self.take(&offer.chosen.to_raw(), offer, text);
        self.taken.set_value(String::new());
        self.propose();
        if let Some(name) = profile {
            self.take_profile(&name, offer, text);
        }
        self.take(link, offer, text);
    }

    /// What is in the fields for cores and memory now was not typed.
    fn propose(self) {
        self.proposed
            .set_value([self.cores.get_untracked(), self.memory.get_untracked()]);
    }

    /// Fills in what is said, as far as it can be had.
    fn take(self, raw: &RawOptions, offer: &OptionsView, text: &Tongue) {
        for field in NAMES {
            if let Some(value) = words(raw, field) {
                self.put(field, value, offer, text);
            }
        }
    }

    /// Fills in what a profile says.
    pub(super) fn take_profile(self, name: &str, offer: &OptionsView, text: &Tongue) {
        if let Some(profile) = offer.profiles.iter().find(|profile| profile.name.as_str() == name) {
            // What the one before it said goes with it.
            let former = self.taken.get_value();
            if let Some(former) = offer.profiles.iter().find(|profile| profile.name.as_str() == former) {
                let chosen = offer.chosen.to_raw();
                for field in former.options.0.keys() {
                    if let Some(value) = words(&chosen, field) {
                        self.put(field, value, offer, text);
                    }
                }
            }
            self.taken.set_value(name.to_owned());
            self.profile.set(name.to_owned());
            for field in profile.options.0.keys() {
                if let Some(value) = words(&profile.options, field)
                    && !offer.locked.contains_key(field)
                {
                    self.put(field, value, offer, text);
                }
            }
            self.propose();
        }
    }

    /// An option as the API has it into its field.
    pub(super) fn put(self, field: &str, value: String, offer: &OptionsView, text: &Tongue) {
        match field {
            "time" => {
                let minutes = Minutes::parse(&value);
                self.time
                    .set(minutes.map_or(value, |minutes| text.hours_field(minutes.get().into())));
            }
            "cores" => self.cores.set(value),
            "memory" => {
                let memory = Memory::parse(&value);
                self.memory
                    .set(memory.map_or(value, |memory| text.memory_field(memory.get())));
            }
            "gpu" => {
                let gpus = Gpus::try_from(value);
                let gpus = gpus.unwrap_or_else(|_| Gpus {
                    name: NONE.to_owned(),
                    count: 1,
                });
                let most = offer.gpu(&gpus.name).map_or(1, |gpu| gpu.max);
                if (gpus.name == NONE || offer.gpu(&gpus.name).is_some()) && gpus.count <= most {
                    self.gpu.set(gpus.name);
                    self.gpu_count.set(gpus.count.to_string());
                }
            }
            "features" => {
                let offered = |word: &str| offer.features.iter().any(|feature| feature.as_str() == word.trim());
                if value == NONE || value.split(',').all(offered) {
                    self.features.set(value);
                }
            }
            _ => {
                if let Some(signal) = self.name(field)
                    && offers(offer, field, &value)
                {
                    signal.set(value);
                }
            }
        }
    }

    /// The field for a name.
    fn name(self, field: &str) -> Option<RwSignal<String>> {
        Some(match field {
            "account" => self.account,
            "reservation" => self.reservation,
            "partition" => self.partition,
            "interface" => self.interface,
            _ => return None,
        })
    }

    /// After a new offer: names that are no longer in it go back to what is proposed.
    pub(super) fn settle(self, offer: &OptionsView, text: &Tongue) {
        let proposal = offer.chosen.to_raw();
        for field in NAMES {
            let gone = match field {
                "gpu" => {
                    let gpu = self.gpu.get_untracked();
                    gpu != NONE && offer.gpu(&gpu).is_none()
                }
                _ => self
                    .name(field)
                    .is_some_and(|signal| !offers(offer, field, &signal.get_untracked())),
            };
            if (gone || offer.locked.contains_key(field))
                && let Some(value) = words(&proposal, field)
            {
                self.put(field, value, offer, text);
            }
        }
    }

    /// Cores and memory that go with the chosen GPUs, where nothing else was typed.
    pub(super) fn suit_gpu(self, offer: &OptionsView, now: i64, text: &Tongue) {
        let plain = &offer.chosen;
        let (cores, memory) = match self.gpus() {
            Some(gpus) => {
                let gpu = offer.gpu(&gpus.name);
                let times = |one: u64| one * u64::from(gpus.count);
                (
                    gpu.and_then(|gpu| gpu.cores).map(times),
                    gpu.and_then(|gpu| gpu.job_memory).map(times),
                )
            }
            None if plain.gpu.is_none() => (Some(plain.cores.get().into()), Some(plain.memory.get())),
            None => (Some(offer.cores.default), Some(offer.memory.default)),
        };
        let [mut own_cores, mut own_memory] = self.proposed.get_value();
        let may = |field: &str, signal: RwSignal<String>, own: &str| {
            signal.with_untracked(|typed| typed == own) && !offer.locked.contains_key(field)
        };
        if let Some(cores) = cores
            && may("cores", self.cores, &own_cores)
        {
            let [_, most, _] = self.most(offer, now);
            own_cores = cores.min(most).to_string();
            self.cores.set(own_cores.clone());
        }
        if let Some(memory) = memory
            && may("memory", self.memory, &own_memory)
        {
            let [_, _, most] = self.most(offer, now);
            own_memory = text.memory_field(memory.min(most));
            self.memory.set(own_memory.clone());
        }
        self.proposed.set_value([own_cores, own_memory]);
    }

    /// The request, as the fields have it. What is locked is not sent.
    pub(super) fn raw(self, offer: &OptionsView) -> RawOptions {
        let gpu = self.gpus().map_or_else(|| NONE.to_owned(), |gpus| gpus.to_string());
        let mut raw = RawOptions::default();
        for (name, value) in [
            ("account", self.account.get()),
            ("time", with_default_unit(&self.time.read(), "h")),
            ("cores", self.cores.get()),
            ("memory", with_default_unit(&self.memory.read(), "GB")),
            ("gpu", gpu),
            ("reservation", self.reservation.get()),
            ("partition", self.partition.get()),
            ("features", self.features.get()),
            ("interface", self.interface.get()),
        ] {
            if !offer.locked.contains_key(name) {
                raw = raw.with(name, value);
            }
        }
        raw
    }

    /// The request, checked. A field that was emptied is missing: it does not silently take a default.
    pub(super) fn parse(self, offer: &OptionsView, now: i64) -> Result<UserOptions, Vec<FieldError>> {
        let raw = self.raw(offer);
        let mut errors = match parse(&raw, offer, now) {
            Ok(request) => Ok(request.options),
            Err(errors) => Err(errors),
        };
        for field in ["memory", "cores", "time"] {
            if raw.0.contains_key(field) && raw.get(field).is_none() {
                let error = FieldError {
                    field: field.to_owned(),
                    problem: Problem::Missing,
                };
                let mut others = errors.err().unwrap_or_default();
                others.insert(0, error);
                errors = Err(others);
            }
        }
        errors
    }

    /// Minutes, if it is a time.
    pub(super) fn minutes(self) -> Option<u64> {
        let time = Minutes::parse(&with_default_unit(&self.time.read(), "h")).ok();
        time.map(|time| time.get().into())
    }

    /// The cores, if it is a number of them.
    pub(super) fn cores(self) -> Option<u64> {
        Cores::parse(&self.cores.read()).ok().map(|cores| cores.get().into())
    }

    /// MiB, if it is an amount.
    pub(super) fn memory(self) -> Option<u64> {
        let memory = Memory::parse(&with_default_unit(&self.memory.read(), "GB")).ok();
        memory.map(Memory::get)
    }

    /// The GPUs.
    pub(super) fn gpus(self) -> Option<Gpus> {
        let name = self.gpu.get();
        (name != NONE).then(|| Gpus {
            name,
            count: self.gpu_count.read().parse().unwrap_or(1),
        })
    }

    /// One feature more, or one less.
    pub(super) fn feature(self, name: &str, wanted: bool) {
        let features = self.features.get_untracked();
        let others = features.split(',').filter(|word| *word != name && *word != NONE);
        let features: Vec<&str> = others.chain(wanted.then_some(name)).collect();
        let features = features.join(",");
        self.features
            .set(if features.is_empty() { NONE.to_owned() } else { features });
    }

    /// What is known of the request, for as long as it takes to look.
    pub(super) fn wish(self, offer: &OptionsView, look: &mut dyn FnMut(Wish<'_>)) {
        let (account, gpus, reservation) = (self.account.get(), self.gpus(), self.reservation.get());
        let partition = self.partition.get();
        let features = self.features.get();
        let chosen = |feature: &&SlurmName| features.split(',').any(|word| word == feature.as_str());
        let features: Vec<SlurmName> = offer.features.iter().filter(chosen).cloned().collect();
        look(Wish {
            account: offer.account(&account),
            gpu: gpus.as_ref(),
            reservation: offer.reservation(&reservation),
            partition: offer.partitions.iter().find(|offered| offered.as_str() == partition),
            features: &features,
            time: self.minutes(),
            cores: self.cores(),
            memory: self.memory(),
        });
    }

    /// The most time, cores and memory that can be had together with the rest.
    pub(super) fn most(self, offer: &OptionsView, now: i64) -> [u64; 3] {
        let mut most = [0; 3];
        self.wish(offer, &mut |wish| {
            let fit = Fit::new(offer, wish, now);
            most = [fit.time_max, fit.cores_max, fit.memory_max];
        });
        most
    }

    /// When a server that starts now, or with its reservation, ends.
    pub(super) fn end(self, offer: &OptionsView, now: i64) -> Option<i64> {
        let begin = offer.reservation(&self.reservation.read());
        let begin = begin.map_or(now, |reservation| reservation.starts_at.max(now));
        Some(begin + i64::try_from(self.minutes()? * 60).ok()?)
    }
}

/// Whether a name is among those that can be chosen.
fn offers(offer: &OptionsView, field: &str, name: &str) -> bool {
    let none = name == NONE;
    match field {
        "account" => offer.account(name).is_some(),
        "reservation" => none || offer.reservation(name).is_some(),
        "partition" => none || offer.partitions.iter().any(|partition| partition.as_str() == name),
        _ => offer.interfaces.iter().any(|interface| interface.as_str() == name),
    }
}

/// What a link, a profile or the server says of an option, as text.
fn words(raw: &RawOptions, name: &str) -> Option<String> {
    match raw.get(name)? {
        RawValue::Text(text) => Some(text.trim().to_owned()),
        RawValue::List(words) => Some(words.join(",")),
        RawValue::Number(_) | RawValue::Null | RawValue::Other => None, // No number: `wire.rs` reads them as texts.
    }
}
