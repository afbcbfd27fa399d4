//! What is in the form's fields, as typed, and how it becomes a request.

use leptos::prelude::*;
use shared::options::{FieldError, NAMES, OptionsView, Problem, UserOptions, parse};
use shared::raw::{RawOptions, RawValue};
use shared::units::{Cores, Memory, Minutes, with_default_unit};

use crate::text::{Locale, format};

/// No GPU, as the API says it.
pub(super) const NO_GPU: &str = "none";

/// The fields.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// The compute account's name.
    pub(super) account: RwSignal<String>,
    /// Hours, as typed.
    pub(super) time: RwSignal<String>,
    /// Cores, as typed.
    pub(super) cores: RwSignal<String>,
    /// GB, as typed.
    pub(super) memory: RwSignal<String>,
    /// The GPU's type, or `none`.
    pub(super) gpu: RwSignal<String>,
    /// How many of them.
    pub(super) gpu_count: RwSignal<String>,
    /// The interface's name.
    pub(super) interface: RwSignal<String>,
}

impl Form {
    /// The link first, then what was chosen last or is the default.
    pub(super) fn new(offer: &OptionsView, link: &RawOptions, locale: Locale) -> Self {
        let linked = |name: &str| match link.get(name) {
            Some(RawValue::Text(text)) => Some(text.trim().to_owned()),
            _ => None,
        };
        let chosen = &offer.chosen;
        let time = |minutes: Minutes| format::hours_field(minutes.get().into(), comma(locale));
        let memory = |memory: Memory| gb_field(memory.get(), locale);
        let gpu = linked("gpu").unwrap_or_else(|| {
            chosen
                .gpu
                .as_ref()
                .map_or_else(|| NO_GPU.to_owned(), ToString::to_string)
        });
        let (gpu, count) = gpu.split_once(':').unwrap_or((&gpu, "1"));
        let gpu_offered = offer.gpus.iter().any(|offered| {
            offered.name == gpu && count.parse().is_ok_and(|count: u32| (1..=offered.max).contains(&count))
        });
        let account_offered = |name: &String| offer.accounts.iter().any(|account| account.name.as_str() == name);
        let interface_offered = |name: &String| offer.interfaces.iter().any(|interface| interface.as_str() == name);
        Self {
            account: RwSignal::new(
                linked("account")
                    .filter(account_offered)
                    .unwrap_or_else(|| chosen.account.to_string()),
            ),
            time: RwSignal::new(
                linked("time").map_or_else(|| time(chosen.time), |text| Minutes::parse(&text).map_or(text, time)),
            ),
            cores: RwSignal::new(linked("cores").unwrap_or_else(|| chosen.cores.get().to_string())),
            memory: RwSignal::new(linked("memory").map_or_else(
                || memory(chosen.memory),
                |text| Memory::parse(&text).map_or(text, memory),
            )),
            gpu: RwSignal::new(if gpu_offered { gpu.to_owned() } else { NO_GPU.to_owned() }),
            gpu_count: RwSignal::new(if gpu_offered { count.to_owned() } else { "1".to_owned() }),
            interface: RwSignal::new(
                linked("interface")
                    .filter(interface_offered)
                    .unwrap_or_else(|| chosen.interface.as_str().to_owned()),
            ),
        }
    }

    /// What a link asks for that cannot be had; the form shows the proposal instead and says so.
    pub(super) fn refused_link(link: &RawOptions, offer: &OptionsView) -> Vec<FieldError> {
        parse(link, offer).err().unwrap_or_default()
    }

    /// The request, as the fields have it.
    pub(super) fn raw(self) -> RawOptions {
        let gpu = self.gpu.get();
        let gpu = if gpu == NO_GPU {
            gpu
        } else {
            format!("{gpu}:{}", self.gpu_count.get())
        };
        RawOptions::default()
            .with("account", self.account.get())
            .with("time", with_default_unit(&self.time.read(), "h"))
            .with("cores", self.cores.get())
            .with("memory", with_default_unit(&self.memory.read(), "GB"))
            .with("gpu", gpu)
            .with("interface", self.interface.get())
    }

    /// The request, checked. A field that was emptied is missing: it does not silently take a default.
    pub(super) fn parse(self, offer: &OptionsView) -> Result<UserOptions, Vec<FieldError>> {
        let raw = self.raw();
        let missing = ["time", "cores", "memory"]
            .into_iter()
            .filter(|field| raw.get(field).is_none())
            .map(|field| FieldError {
                field: field.to_owned(),
                problem: Problem::Missing,
            })
            .collect::<Vec<_>>();
        let errors = match parse(&raw, offer) {
            Ok(options) if missing.is_empty() => return Ok(options),
            Ok(_) => Vec::new(),
            Err(errors) => errors,
        };
        // In the order of the fields.
        let all = NAMES
            .iter()
            .flat_map(|name| missing.iter().chain(&errors).filter(move |error| error.field == *name));
        Err(all.cloned().collect())
    }

    /// The time, if it is one.
    pub(super) fn minutes(self) -> Option<u32> {
        Minutes::parse(&with_default_unit(&self.time.read(), "h"))
            .ok()
            .map(Minutes::get)
    }

    /// The cores, if it is a number of them.
    pub(super) fn cores(self) -> Option<u64> {
        Cores::parse(&self.cores.read()).ok().map(|cores| cores.get().into())
    }

    /// The longest time with the chosen compute account, in minutes.
    pub(super) fn time_max(self, offer: &OptionsView) -> u64 {
        let account = self.account.read();
        offer
            .accounts
            .iter()
            .find(|offered| offered.name.as_str() == *account)
            .and_then(|offered| offered.time_max)
            .map_or(offer.time.max, |max| max.min(offer.time.max))
    }
}

/// MiB as the form shows them: GB, or MB where that would round.
pub(super) fn gb_field(mib: u64, locale: Locale) -> String {
    if (mib * 100).is_multiple_of(1024) {
        format::gb(mib, comma(locale))
    } else {
        format!("{mib} {}", if locale == Locale::Fr { "Mo" } else { "MB" })
    }
}

fn comma(locale: Locale) -> char {
    match locale {
        Locale::En => '.',
        Locale::Fr => ',',
    }
}
