//! Where a job could be: which partitions on which terms, and which nodes in them. One account of it serves the
//! parser, the limits that the form names, and the sentence about what is free.

use std::ops::RangeInclusive;

use super::{
    AccountView, Charge, FieldError, Free, Gpus, NodeClass, OptionsView, Problem, Reach, ReservationView, UserOptions,
};
use crate::names::SlurmName;

/// What is known of a request. What is not said yet limits nothing.
#[derive(Clone, Copy, Default)]
pub struct Wish<'a> {
    /// The compute account.
    pub account: Option<&'a AccountView>,
    /// GPUs, if any.
    pub gpu: Option<&'a Gpus>,
    /// The reservation, if any.
    pub reservation: Option<&'a ReservationView>,
    /// The partition, if one was chosen.
    pub partition: Option<&'a SlurmName>,
    /// Features that the node must have.
    pub features: &'a [SlurmName],
    /// Minutes.
    pub time: Option<u64>,
    /// Cores.
    pub cores: Option<u64>,
    /// MiB.
    pub memory: Option<u64>,
}

impl<'a> Wish<'a> {
    /// What was asked for once, as far as there is such a thing now.
    pub fn of(options: &'a UserOptions, offer: &'a OptionsView) -> Self {
        let reservation = options.reservation.as_ref();
        Self {
            account: offer.account(options.account.as_str()),
            gpu: options.gpu.as_ref(),
            reservation: reservation.and_then(|name| offer.reservation(name.as_str())),
            partition: options.partition.as_ref(),
            features: &options.features,
            time: Some(options.time.get().into()),
            cores: Some(options.cores.get().into()),
            memory: Some(options.memory.get()),
        }
    }

    /// What it asks for: minutes, cores, MiB and GPUs.
    pub fn amounts(&self) -> [u64; 4] {
        [
            self.time.unwrap_or_default(),
            self.cores.unwrap_or_default(),
            self.memory.unwrap_or_default(),
            self.gpu.map_or(0, |gpu| gpu.count.into()),
        ]
    }
}

/// Nodes of one kind, in one partition.
#[derive(Clone, Copy)]
struct Place<'a> {
    reach: &'a Reach,
    class: &'a NodeClass,
    /// Minutes that a job can have here.
    time: u64,
}

/// What can be had together with the rest of a wish.
pub struct Fit<'a> {
    places: Vec<Place<'a>>,
    /// The places as they were before the time was looked at.
    whatever_time: Vec<Place<'a>>,
    /// The longest time, whatever cores and memory.
    pub time_max: u64,
    /// The most cores with that time.
    pub cores_max: u64,
    /// The most memory with these cores.
    pub memory_max: u64,
    /// What has to give, if nothing fits. Errors are looked for in the order in which people think.
    pub error: Option<FieldError>,
}

impl AccountView {
    /// Slurm's account for a job with or without GPUs.
    pub fn charge(&self, with_gpu: bool) -> Option<&Charge> {
        self.charges
            .iter()
            .find(|charge| charge.gpu.is_none_or(|gpu| gpu == with_gpu))
    }
}

impl<'a> Fit<'a> {
    /// Looks where this could be had.
    pub fn new(offer: &'a OptionsView, wish: Wish<'a>, now: i64) -> Self {
        let mut fit = Self {
            places: Vec::new(),
            whatever_time: Vec::new(),
            time_max: offer.time.max,
            cores_max: offer.cores.max,
            memory_max: offer.memory.max,
            error: None,
        };
        let Some(account) = wish.account else {
            return fit;
        };
        let Some(charge) = account.charge(wish.gpu.is_some()) else {
            fit.refuse("gpu", Problem::NotTogether);
            return fit;
        };
        if let Some(reservation) = wish.reservation
            && !(reservation.accounts.is_empty() || reservation.accounts.contains(&charge.account))
        {
            fit.refuse("reservation", Problem::NotTogether);
            return fit;
        }
        fit.places = places(offer, charge, wish, now);
        if fit.places.is_empty() {
            fit.refuse(
                match (wish.partition, wish.reservation, wish.gpu) {
                    (Some(_), ..) => "partition",
                    (None, Some(_), _) => "reservation",
                    (None, None, Some(_)) => "gpu",
                    (None, None, None) => "account",
                },
                Problem::NotTogether,
            );
            return fit;
        }
        fit.narrow(offer, wish);
        fit
    }

    /// The partitions in which it could be.
    pub fn partitions(&self) -> Vec<SlurmName> {
        let mut names: Vec<_> = self.places.iter().map(|place| place.reach.partition.clone()).collect();
        names.dedup();
        names
    }

    fn narrow(&mut self, offer: &OptionsView, wish: Wish<'a>) {
        let wanted = wish.gpu.map_or(0, |gpu| gpu.count.into());
        let gpus = |place: &Place<'_>| place.reach.least_gpus..=wish.gpu.map_or(0, |gpu| place.gpus(&gpu.name));
        let problem = match self.around(wanted, &gpus) {
            (Some(max), _) => Problem::TooLarge { max },
            (None, Some(min)) => Problem::TooSmall { min },
            (None, None) => Problem::NotTogether,
        };
        self.keep("gpu", problem, |place| gpus(place).contains(&wanted));
        let has = |place: &Place<'_>| {
            wish.features
                .iter()
                .all(|feature| place.class.features.contains(feature))
        };
        self.keep("features", Problem::NotTogether, has);

        self.time_max = self.most(|place| place.time).min(offer.time.max);
        self.whatever_time.clone_from(&self.places);
        let max = self.time_max;
        self.keep("time", Problem::TooLarge { max }, |place| {
            wish.time.is_none_or(|time| time <= place.time)
        });

        self.cores_max = self.most(Place::cores).min(offer.cores.max);
        let cores = |place: &Place<'_>| place.reach.least_cores..=place.cores();
        let problem = match self.around(wish.cores.unwrap_or(0), &cores) {
            (None, Some(min)) => Problem::TooSmall { min },
            (max, _) => Problem::NoSuchNode {
                max: max.unwrap_or(0).min(self.cores_max),
            },
        };
        self.keep("cores", problem, |place| {
            wish.cores.is_none_or(|wanted| cores(place).contains(&wanted))
        });

        self.memory_max = self.most(|place| place.memory(wish.cores)).min(offer.memory.max);
        let max = self.memory_max;
        self.keep("memory", Problem::NoSuchNode { max }, |place| {
            wish.memory.is_none_or(|memory| memory <= place.memory(wish.cores))
        });
    }

    fn most(&self, of: impl Fn(&Place<'a>) -> u64) -> u64 {
        self.places.iter().map(of).max().unwrap_or(0)
    }

    /// What to ask for instead of an amount that no place has: the most below it, the least above it.
    fn around(&self, amount: u64, range: &dyn Fn(&Place<'_>) -> RangeInclusive<u64>) -> (Option<u64>, Option<u64>) {
        let ranges = || self.places.iter().map(range).filter(|range| !range.is_empty());
        let below = ranges()
            .map(|range| *range.end())
            .filter(|max| (1..amount).contains(max));
        let above = ranges().map(|range| *range.start()).filter(|min| *min > amount);
        (below.max(), above.min())
    }

    /// Leaves the places that will do. Where none does, that is the error, and the next look is at all of them.
    fn keep(&mut self, field: &str, problem: Problem, will_do: impl Fn(&Place<'_>) -> bool) {
        if self.places.iter().any(&will_do) {
            self.places.retain(will_do);
        } else {
            self.refuse(field, problem);
        }
    }

    fn refuse(&mut self, field: &str, problem: Problem) {
        self.error.get_or_insert(FieldError {
            field: field.to_owned(),
            problem,
        });
    }
}

impl Place<'_> {
    /// For how many minutes its nodes can be had from now on; nothing: as long as the limits allow.
    fn minutes_left(&self, now: i64) -> Option<u64> {
        let until = self.class.until?;
        Some(u64::try_from((until - now) / 60).unwrap_or(0))
    }

    fn gpus(&self, name: &str) -> u64 {
        let here = self.class.gpus.get(name).copied().unwrap_or(0).into();
        let limits = [self.reach.gpus, self.reach.gpus_of.get(name).copied()];
        limits.into_iter().flatten().fold(here, u64::min)
    }

    fn cores(&self) -> u64 {
        self.class.cores.min(self.reach.cores.unwrap_or(u64::MAX))
    }

    fn memory(&self, cores: Option<u64>) -> u64 {
        let per_core = self.reach.memory_per_core.zip(cores);
        let by_cores = per_core.map(|(memory, cores)| memory.saturating_mul(cores));
        let limits = [self.reach.memory, by_cores];
        limits.into_iter().flatten().fold(self.class.memory, u64::min)
    }
}

/// Every kind of node in every partition that the job may be in.
fn places<'a>(offer: &'a OptionsView, charge: &Charge, wish: Wish<'a>, now: i64) -> Vec<Place<'a>> {
    let terms = offer.terms.get(charge.terms).map_or(&[][..], Vec::as_slice);
    let nodes = wish.reservation.map_or(&offer.nodes, |reservation| &reservation.nodes);
    let left = wish
        .reservation
        .map_or(u64::MAX, |reservation| reservation.minutes(now));
    let mut places = Vec::new();
    for reach in terms {
        let Some(by_route) = route(offer, wish, &reach.partition) else {
            continue;
        };
        let time = by_route.min(left).min(reach.time.unwrap_or(u64::MAX));
        let here = nodes.iter().filter(|class| class.partitions.contains(&reach.partition));
        places.extend(here.map(|class| Place { reach, class, time }));
    }
    places
}

/// For how many minutes a job can be in this partition, as far as its way there goes; nothing if no way leads there.
fn route(offer: &OptionsView, wish: Wish<'_>, partition: &SlurmName) -> Option<u64> {
    let required = wish.reservation.and_then(|reservation| reservation.partition.as_ref());
    if required.is_some_and(|required| required != partition) {
        return None;
    }
    if let Some(chosen) = wish.partition {
        return (chosen == partition).then_some(u64::MAX);
    }
    let Some(routes) = &offer.routes else {
        return Some(u64::MAX);
    };
    let leads_here = routes
        .iter()
        .filter(|route| route.gpu.is_none_or(|gpu| gpu == wish.gpu.is_some()) && route.partitions.contains(partition));
    leads_here.map(|route| route.time_max.unwrap_or(u64::MAX)).max()
}

impl ReservationView {
    /// For how many minutes a job in it can run: until it ends, from now or from its beginning.
    pub fn minutes(&self, now: i64) -> u64 {
        u64::try_from((self.ends_at - now.max(self.starts_at)) / 60).unwrap_or(0)
    }
}

/// Whether there is room for a request, as far as can be known: others may be ahead of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// It depends on what the site does with a job, which Slipway does not know.
    Unknown,
    /// A node has all of it free.
    Now,
    /// The reservation begins then.
    At(i64),
    /// Not for this, but for this much: options and their amounts.
    For(Vec<(&'static str, u64)>),
    /// Not for so long: from `at` on the nodes are kept for a maintenance or a reservation. For `time` minutes, now.
    Before {
        /// Seconds since 1970.
        at: i64,
        /// Minutes.
        time: u64,
    },
    /// Nothing that would do is free.
    None,
}

impl Room {
    /// The options that would have to be less, and the amounts that there is room for.
    pub fn less(&self) -> Vec<(&'static str, u64)> {
        match self {
            Self::For(less) => less.clone(),
            Self::Before { time, .. } => vec![("time", *time)],
            Self::Unknown | Self::Now | Self::At(_) | Self::None => Vec::new(),
        }
    }
}

/// Whether there is room for this now, and if not, for what smaller request.
pub fn room(offer: &OptionsView, wish: Wish<'_>, now: i64) -> Room {
    let fit = Fit::new(offer, wish, now);
    let (Some(cores), Some(memory), None) = (wish.cores, wish.memory, &fit.error) else {
        return Room::Unknown;
    };
    match wish.reservation {
        Some(reservation) if reservation.starts_at > now => return Room::At(reservation.starts_at),
        None if wish.partition.is_none() && offer.routes.is_none() => return Room::Unknown,
        _ => {}
    }
    let gpus = |free: &Free| wish.gpu.map_or(0, |gpu| free.gpus.get(&gpu.name).copied().unwrap_or(0));
    let wanted = wish.gpu.map_or(0, |gpu| gpu.count);
    let fits = |free: &Free| free.cores >= cores && free.memory >= memory && gpus(free) >= wanted;
    // Nodes that a maintenance or a reservation comes to before the job would be over count as taken.
    let (in_time, too_short): (Vec<&Place<'_>>, Vec<_>) = fit.places.iter().partition(|place| {
        place
            .minutes_left(now)
            .is_none_or(|left| wish.time.unwrap_or(0) <= left)
    });
    let all: Vec<Free> = in_time
        .iter()
        .flat_map(|place| place.class.free.iter().cloned())
        .collect();
    if all.iter().any(fits) {
        return Room::Now;
    }
    let shorter = too_short
        .iter()
        .filter(|place| place.class.free.iter().any(fits))
        .filter_map(|place| Some((place.minutes_left(now)?, place.class.until?)));
    if let Some((time, at)) = shorter.max().filter(|(time, _)| *time >= offer.time.min) {
        return Room::Before { at, time };
    }
    let most = |amount: &dyn Fn(&Free) -> u64, rest: &dyn Fn(&Free) -> bool| {
        all.iter()
            .filter(|free| rest(free))
            .map(amount)
            .max()
            .filter(|most| *most > 0)
    };
    // Less of one thing; the one that is asked for in the largest steps first.
    if let Some(most) = most(&|free| free.cores, &|free| {
        free.memory >= memory && gpus(free) >= wanted
    }) {
        return Room::For(vec![("cores", most)]);
    }
    let enough = |most: &u64| *most >= offer.memory.min;
    if let Some(most) = most(&|free| free.memory, &|free| free.cores >= cores && gpus(free) >= wanted).filter(enough) {
        return Room::For(vec![("memory", most)]);
    }
    if let Some(most) = most(&|free| gpus(free).into(), &|free| {
        free.cores >= cores && free.memory >= memory
    }) {
        return Room::For(vec![("gpu", most)]);
    }
    // A shorter job may reach other nodes.
    let shorter = fit
        .whatever_time
        .iter()
        .filter(|place| place.class.free.iter().any(fits));
    if let Some(time) = shorter.map(|place| place.time).max() {
        return Room::For(vec![("time", time)]);
    }
    let less = |free: &&Free| gpus(free) >= wanted && free.cores > 0 && free.memory >= offer.memory.min;
    match all.iter().filter(less).max_by_key(|free| (free.cores, free.memory)) {
        Some(free) => Room::For(vec![("cores", free.cores), ("memory", free.memory)]),
        None => Room::None,
    }
}
