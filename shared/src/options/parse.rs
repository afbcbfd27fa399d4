//! The one function between what somebody sent and a request.

use super::{FieldError, Fit, Gpus, NONE, OptionsView, Problem, Range, UserOptions, Wish};
use crate::names::{AccountName, InterfaceName, SlurmName};
use crate::raw::{RawOptions, RawValue};
use crate::units::{Cores, Memory, Minutes};

/// The options' names, in the order in which the form asks for them.
pub const NAMES: [&str; 10] = [
    "profile",
    "account",
    "time",
    "cores",
    "memory",
    "gpu",
    "reservation",
    "partition",
    "features",
    "interface",
];

/// What can be submitted: options, and what Slurm has to be told besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnRequest {
    /// What was chosen.
    pub options: UserOptions,
    /// Slurm's account behind the compute account.
    pub charge: AccountName,
    /// The partitions in which it fits.
    pub partitions: Vec<SlurmName>,
    /// When the reservation begins, if that is still to come: the job waits for it.
    pub begins_at: Option<i64>,
}

/// Raw options to a request, or everything that is wrong with them. An absent option takes what its profile or else
/// [`OptionsView::chosen`] proposes; an unknown one is refused by name, never dropped. `now` is Slurm's time.
/// The page calls it for the person's sake, the server for its own; the server's answer counts.
pub fn parse(raw: &RawOptions, offer: &OptionsView, now: i64) -> Result<SpawnRequest, Vec<FieldError>> {
    let mut form = Form {
        raw: raw.clone(),
        errors: Vec::new(),
    };
    for name in raw.0.keys().filter(|name| !NAMES.contains(&name.as_str())) {
        form.refuse(name, Problem::Unknown);
    }
    form.take_profile(offer);
    let account = form.account(offer);
    let time = form.amount(
        "time",
        offer.chosen.time,
        offer.time,
        |n| number(n).and_then(|n| Minutes::new(n).ok()),
        |t| Minutes::parse(t).ok(),
    );
    let cores = form.amount(
        "cores",
        offer.chosen.cores,
        offer.cores,
        |n| number(n).and_then(|n| Cores::new(n).ok()),
        |t| Cores::parse(t).ok(),
    );
    let memory = form.amount(
        "memory",
        offer.chosen.memory,
        offer.memory,
        |n| number(n).and_then(|n| Memory::new(n.into()).ok()),
        |t| Memory::parse(t).ok(),
    );
    let gpu = form.gpu(offer);
    let reservations: Vec<_> = offer.reservations.iter().map(|found| &found.name).collect();
    let reservation = form.name("reservation", offer.chosen.reservation.as_ref(), &reservations);
    let partitions: Vec<_> = offer.partitions.iter().collect();
    let partition = form.name("partition", offer.chosen.partition.as_ref(), &partitions);
    let features = form.features(offer);
    let interface = form.interface(offer);
    let (Some(account), Some(gpu), Some(reservation), Some(partition), Some(features)) =
        (account, gpu, reservation, partition, features)
    else {
        return Err(form.in_order());
    };
    let found = offer.account(account.as_str());
    let wish = Wish {
        account: found,
        gpu: gpu.as_ref(),
        reservation: reservation.as_ref().and_then(|name| offer.reservation(name.as_str())),
        partition: partition.as_ref(),
        features: &features,
        time: time.map(|time| time.get().into()),
        cores: cores.map(|cores| cores.get().into()),
        memory: memory.map(Memory::get),
    };
    let fit = Fit::new(offer, wish, now);
    let partitions = fit.partitions();
    if let Some(error) = fit.error
        && form.errors.iter().all(|other| other.field != error.field)
    {
        form.errors.push(error);
    }
    let begins_at = wish.reservation.map(|found| found.starts_at).filter(|at| *at > now);
    let charge = found.and_then(|account| account.charge(gpu.is_some()));
    let charge = charge.map(|charge| charge.account.clone());
    let (Some(charge), Some(time), Some(cores), Some(memory), Some(interface)) =
        (charge, time, cores, memory, interface)
    else {
        return Err(form.in_order());
    };
    let options = UserOptions {
        account,
        time,
        cores,
        memory,
        gpu,
        reservation,
        partition,
        features,
        interface,
    };
    form.keep_locked(offer, &options);
    if form.errors.is_empty() {
        Ok(SpawnRequest {
            options,
            charge,
            partitions,
            begins_at,
        })
    } else {
        Err(form.in_order())
    }
}

/// What is being parsed, and what was found wrong so far. A parser that answers `None` has said why.
struct Form {
    raw: RawOptions,
    errors: Vec<FieldError>,
}

impl Form {
    fn refuse(&mut self, field: &str, problem: Problem) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            problem,
        });
    }

    fn no<T>(&mut self, field: &str, problem: Problem) -> Option<T> {
        self.refuse(field, problem);
        None
    }

    /// In the order of the fields; names that are none first.
    fn in_order(mut self) -> Vec<FieldError> {
        // By insertion: the sort of the standard library is a whole kilobyte of the page.
        let place = |error: &FieldError| NAMES.iter().position(|name| *name == error.field);
        let mut ordered: Vec<FieldError> = Vec::with_capacity(self.errors.len());
        for error in self.errors.drain(..) {
            let before = ordered.iter().take_while(|other| place(other) <= place(&error)).count();
            ordered.insert(before, error);
        }
        ordered
    }

    /// The profile's values where nothing else was said.
    fn take_profile(&mut self, offer: &OptionsView) {
        let name = match self.raw.get("profile") {
            None => return,
            Some(RawValue::Text(name)) => name.trim().to_owned(),
            Some(_) => return self.refuse("profile", Problem::Malformed),
        };
        let profile = offer.profiles.iter().find(|profile| profile.name.as_str() == name);
        let Some(profile) = profile else {
            if name != NONE {
                self.refuse("profile", Problem::NotOffered);
            }
            return;
        };
        for (name, value) in &profile.options.0 {
            if self.raw.get(name).is_none() && !offer.locked.contains_key(name) {
                self.raw.0.insert(name.clone(), value.clone());
            }
        }
    }

    fn account(&mut self, offer: &OptionsView) -> Option<AccountName> {
        let name = match self.raw.get("account") {
            None => return Some(offer.chosen.account.clone()),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no("account", Problem::Malformed),
        };
        match offer.account(name) {
            Some(account) => Some(account.name.clone()),
            None => self.no("account", Problem::NotOffered),
        }
    }

    fn amount<T: Copy + Into<Amount>>(
        &mut self,
        field: &str,
        proposed: T,
        range: Range,
        from_number: impl Fn(f64) -> Option<T>,
        from_text: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let amount = match self.raw.get(field) {
            None => Some(proposed),
            Some(RawValue::Number(number)) => from_number(*number),
            Some(RawValue::Text(text)) => from_text(text),
            Some(_) => None,
        };
        let Some(amount) = amount else {
            return self.no(field, Problem::Malformed);
        };
        let Amount(plain) = amount.into();
        if plain < range.min {
            return self.no(field, Problem::TooSmall { min: range.min });
        }
        if plain > range.max {
            return self.no(field, Problem::TooLarge { max: range.max });
        }
        Some(amount)
    }

    /// `Some(None)` is no GPU.
    #[expect(clippy::option_option, reason = "outside: did it parse; inside: is there one")]
    fn gpu(&mut self, offer: &OptionsView) -> Option<Option<Gpus>> {
        let text = match self.raw.get("gpu") {
            None => return Some(offer.chosen.gpu.clone()),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no("gpu", Problem::Malformed),
        };
        if text == NONE {
            return Some(None);
        }
        let Ok(gpus) = Gpus::try_from(text.to_owned()) else {
            return self.no("gpu", Problem::Malformed);
        };
        match offer.gpu(&gpus.name) {
            None => self.no("gpu", Problem::NotOffered),
            Some(gpu) if gpus.count > gpu.max => self.no("gpu", Problem::TooLarge { max: gpu.max.into() }),
            Some(_) => Some(Some(gpus)),
        }
    }

    /// One of these names, or none of them: `Some(None)`.
    #[expect(clippy::option_option, reason = "outside: did it parse; inside: is there one")]
    fn name(&mut self, field: &str, chosen: Option<&SlurmName>, offered: &[&SlurmName]) -> Option<Option<SlurmName>> {
        let text = match self.raw.get(field) {
            None => return Some(chosen.cloned()),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no(field, Problem::Malformed),
        };
        if text == NONE {
            return Some(None);
        }
        match offered.iter().find(|name| name.as_str() == text) {
            Some(name) => Some(Some((*name).clone())),
            None => self.no(field, Problem::NotOffered),
        }
    }

    fn features(&mut self, offer: &OptionsView) -> Option<Vec<SlurmName>> {
        let words: Vec<&str> = match self.raw.get("features") {
            None => return Some(offer.chosen.features.clone()),
            Some(RawValue::Text(text)) if text.trim() == NONE => return Some(Vec::new()),
            Some(RawValue::Text(text)) => text.split([',', '&']).map(str::trim).collect(),
            Some(RawValue::List(words)) => words.iter().map(String::as_str).collect(),
            Some(_) => return self.no("features", Problem::Malformed),
        };
        // In the order of the offer, each once, so that the same wish is the same job.
        let known = |word: &&str| offer.features.iter().any(|feature| feature.as_str() == *word);
        if words.iter().all(known) {
            let wanted = |feature: &&SlurmName| words.contains(&feature.as_str());
            Some(offer.features.iter().filter(wanted).cloned().collect())
        } else {
            self.no("features", Problem::NotOffered)
        }
    }

    fn interface(&mut self, offer: &OptionsView) -> Option<InterfaceName> {
        let name = match self.raw.get("interface") {
            None => return Some(offer.chosen.interface.clone()),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no("interface", Problem::Malformed),
        };
        match offer.interfaces.iter().find(|interface| interface.as_str() == name) {
            Some(interface) => Some(interface.clone()),
            None => self.no("interface", Problem::NotOffered),
        }
    }

    /// What is locked was not sent, or was sent as it is.
    fn keep_locked(&mut self, offer: &OptionsView, options: &UserOptions) {
        let (sent, fixed) = (options.to_raw(), offer.chosen.to_raw());
        for name in offer.locked.keys() {
            if sent.get(name) != fixed.get(name) {
                self.refuse(name, Problem::Locked);
            }
        }
    }
}

/// An amount's bare number, to compare it with a [`Range`].
struct Amount(u64);

impl From<Minutes> for Amount {
    fn from(minutes: Minutes) -> Self {
        Self(minutes.get().into())
    }
}

impl From<Cores> for Amount {
    fn from(cores: Cores) -> Self {
        Self(cores.get().into())
    }
}

impl From<Memory> for Amount {
    fn from(memory: Memory) -> Self {
        Self(memory.get())
    }
}

/// A JSON number that is whole and in range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie within the target's range"
)]
fn number(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}
