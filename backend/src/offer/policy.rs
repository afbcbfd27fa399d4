//! What the site, or an event that is on, decides about an offer.

use std::collections::BTreeMap;

use shared::api::Bilingual;
use shared::names::UserName;
use shared::options::{Lock, OptionsView, Range, parse};
use shared::raw::RawOptions;
use shared::units::{Cores, Memory, Minutes};

use crate::config::{Config, Most};

/// What one of them decides.
struct Policy<'a> {
    event: Option<&'a Bilingual>,
    lock: &'a RawOptions,
    choices: &'a BTreeMap<String, Vec<String>>,
    most: Most,
}

/// The site first, then events in the order of the configuration: what is more particular goes before.
pub(super) fn apply(config: &Config, user: &UserName, offer: &mut OptionsView, accounts: &[&str]) {
    let own = &config.options;
    let site = Policy {
        event: None,
        lock: &own.lock,
        choices: &own.choices,
        most: own.most,
    };
    site.apply(offer);
    for event in &config.events {
        let instructs = event.instructors.contains(user);
        if !event.is_on(offer.now)
            || !(instructs
                || event
                    .audience()
                    .includes(user, accounts.iter().copied(), &config.groups))
        {
            continue;
        }
        offer.events.push(event.view(user));
        let policy = Policy {
            event: Some(&event.title),
            lock: &event.lock,
            choices: &event.choices,
            most: event.most,
        };
        policy.apply(offer);
        offer.skip_form |= event.skip_form;
    }
}

impl Policy<'_> {
    fn apply(&self, offer: &mut OptionsView) {
        for (name, left) in self.choices {
            shorten(offer, name, left);
        }
        cap(&mut offer.time, self.most.time);
        cap(&mut offer.cores, self.most.cores);
        cap(&mut offer.memory, self.most.memory);
        fall_back(offer);
        self.lock(offer);
    }

    /// Sets what is set. What this person cannot have is left to them, and to the log: nobody is kept from working
    /// by a reservation that has not been made yet.
    fn lock(&self, offer: &mut OptionsView) {
        let mut wanted = self.lock.clone();
        while !wanted.0.is_empty() {
            match parse(&wanted, offer, offer.now) {
                Ok(request) => {
                    offer.chosen = request.options;
                    break;
                }
                Err(errors) => {
                    let before = wanted.0.len();
                    for error in &errors {
                        tracing::warn!(user = %offer.user, %error, "an option that the configuration sets cannot be had");
                    }
                    wanted
                        .0
                        .retain(|name, _| errors.iter().all(|error| error.field != *name));
                    if wanted.0.len() == before {
                        return;
                    }
                }
            }
        }
        for name in wanted.0.into_keys() {
            let lock = Lock {
                event: self.event.cloned(),
            };
            offer.locked.insert(name, lock);
        }
    }
}

/// Leaves these choices. A list that has none of what this person may choose anyway is not meant for them.
fn shorten(offer: &mut OptionsView, name: &str, left: &[String]) {
    fn keep<T>(all: &mut Vec<T>, left: &[String], name: impl Fn(&T) -> &str) {
        let stays = |item: &T| left.iter().any(|left| left == name(item));
        if all.iter().any(stays) {
            all.retain(stays);
        }
    }
    match name {
        "profile" => keep(&mut offer.profiles, left, |profile| profile.name.as_str()),
        "account" => keep(&mut offer.accounts, left, |account| account.name.as_str()),
        "gpu" if left.iter().all(|left| left == shared::options::NONE) => offer.gpus.clear(),
        "gpu" => keep(&mut offer.gpus, left, |gpu| &gpu.name),
        "reservation" => keep(&mut offer.reservations, left, |reservation| reservation.name.as_str()),
        "partition" => keep(&mut offer.partitions, left, |partition| partition.as_str()),
        "features" => keep(&mut offer.features, left, |feature| feature.as_str()),
        _ => keep(&mut offer.interfaces, left, |interface| interface.as_str()),
    }
}

/// What is proposed has to be among what is left.
fn fall_back(offer: &mut OptionsView) {
    let chosen = &mut offer.chosen;
    if offer.accounts.iter().all(|account| account.name != chosen.account)
        && let Some(first) = offer.accounts.first()
    {
        chosen.account = first.name.clone();
    }
    if !offer.interfaces.contains(&chosen.interface)
        && let Some(first) = offer.interfaces.first()
    {
        chosen.interface = first.clone();
    }
    let number = |range: Range, now: u64| u32::try_from(now.clamp(range.min, range.max)).ok();
    if let Some(Ok(time)) = number(offer.time, chosen.time.get().into()).map(Minutes::new) {
        chosen.time = time;
    }
    if let Some(Ok(cores)) = number(offer.cores, chosen.cores.get().into()).map(Cores::new) {
        chosen.cores = cores;
    }
    if let Ok(memory) = Memory::new(chosen.memory.get().clamp(offer.memory.min, offer.memory.max)) {
        chosen.memory = memory;
    }
}

fn cap(range: &mut Range, most: Option<u64>) {
    if let Some(most) = most.filter(|most| *most < range.max) {
        range.max = most.max(1);
        range.min = range.min.min(range.max);
        range.default = range.default.min(range.max);
    }
}
