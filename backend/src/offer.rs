//! What a person may choose now, from what Slurm says of the cluster and of them, and from what the site decides.
//!
//! Answers of Slurm are kept, and renewed behind the back of whoever asks: a failed look-up is never "nothing".

mod answers;
mod nodes;
mod person;
mod policy;
mod terms;

use std::sync::Arc;

use shared::names::UserName;
use shared::options::{Ages, FieldError, OptionsView, Source, UserOptions, parse};

use self::answers::{Aged, Answers};
use self::nodes::Nodes;
use self::person::Person;
use self::terms::Rules;
use crate::clock::Clock;
use crate::config::{Config, Event};
use crate::slurm::{Association, Client, Job, Reservation, SlurmError};

/// Seconds for which what is free counts as new …
const NODES_SECONDS: i64 = 10;
/// … a person's other jobs …
const JOBS_SECONDS: i64 = 15;
/// … what changes by an administrator's hand …
const RULES_SECONDS: i64 = 60;
/// … and what somebody was granted.
const ACCOUNTS_SECONDS: i64 = 120;

/// Why there is nothing to choose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Slurm has no association for this person that can submit anywhere.
    #[error("no association in Slurm")]
    NoAssociation,
    /// No partition has a node.
    #[error("no partition that jobs can be in has a node: see job.partition, and sinfo")]
    NoNodes,
    /// Slurm did not answer, and has not answered this before.
    #[error(transparent)]
    Slurm(#[from] SlurmError),
}

/// Looks up what people may choose.
pub struct Offers {
    config: Arc<Config>,
    slurm: Arc<Client>,
    nodes: Arc<Answers<(), Nodes>>,
    rules: Arc<Answers<(), Rules>>,
    associations: Arc<Answers<UserName, Vec<Association>>>,
    reservations: Arc<Answers<UserName, Vec<Reservation>>>,
    /// Everybody's reservations, as far as the service user may see them.
    calendar: Arc<Answers<(), Vec<Reservation>>>,
    jobs: Arc<Answers<UserName, Vec<Job>>>,
    clock: Clock,
}

impl Offers {
    /// Nothing known yet.
    pub fn new(config: Arc<Config>, slurm: Arc<Client>, clock: Clock) -> Self {
        Self {
            config,
            slurm,
            nodes: Answers::new(NODES_SECONDS),
            rules: Answers::new(RULES_SECONDS),
            associations: Answers::new(ACCOUNTS_SECONDS),
            reservations: Answers::new(RULES_SECONDS),
            calendar: Answers::new(RULES_SECONDS),
            jobs: Answers::new(JOBS_SECONDS),
            clock,
        }
    }

    /// What this person may choose; `last` is what they chose the last time.
    pub async fn offer(&self, user: &UserName, last: Option<UserOptions>) -> Result<OptionsView, OfferError> {
        self.renew_calendar();
        let (nodes, rules, associations, reservations, jobs) = tokio::join!(
            self.nodes(),
            self.rules(),
            self.associations(user),
            self.reservations(user),
            self.jobs(user)
        );
        let (nodes, rules, associations) = (nodes?, rules?, associations?);
        // Without these two there is less to choose or to say, and the form's own age says so.
        let (reservations, jobs) = (reservations.ok(), jobs.ok());
        let age = |at: i64| (self.clock.now() - at).max(0);
        let person = Person {
            config: &self.config,
            user,
            nodes: &nodes.1,
            rules: &rules.1,
            associations: &associations.1,
            reservations: reservations.as_ref().map_or(&[], |(_, found)| found),
            jobs: jobs.as_ref().map_or(&[], |(_, found)| found),
            now: self.slurm.now(),
        };
        let ages = Ages {
            cluster: age(nodes.0.min(rules.0)),
            accounts: age(associations.0),
            reservations: reservations.as_ref().map(|(at, _)| age(*at)),
            other_jobs: jobs.as_ref().map(|(at, _)| age(*at)),
        };
        let mut offer = person.offer(ages)?;
        policy::apply(&self.config, user, &mut offer, &accounts(&associations.1));
        if let Some(last) = last {
            propose_again(&mut offer, &last);
        }
        Ok(offer)
    }

    /// The events that are on for this person, as far as it is known already which compute accounts they have.
    pub fn events(&self, user: &UserName) -> Vec<&Event> {
        let known = self.associations.known(user);
        let accounts = known.as_deref().map(|known| accounts(known)).unwrap_or_default();
        let now = self.slurm.now();
        let mine = |event: &&Event| {
            let accounts = accounts.iter().copied();
            event.is_on(now) && event.audience().includes(user, accounts, &self.config.groups)
        };
        self.config.events.iter().filter(mine).collect()
    }

    /// Slurm's names of the accounts that somebody may charge, as far as Slurm says.
    pub async fn accounts(&self, user: &UserName) -> Vec<String> {
        let found = self.associations(user).await;
        let names = found.map(|(_, found)| found.iter().map(|association| association.account.clone()).collect());
        names.unwrap_or_default()
    }

    /// What is known of a person's other jobs is wrong now: Slurm is asked before the next answer.
    pub fn forget_jobs(&self, user: &UserName) {
        self.jobs.forget(user);
    }

    /// Until when a maintenance has all of the nodes, as far as Slurm has said.
    pub fn maintenance_until(&self) -> Option<i64> {
        self.renew_calendar();
        let (nodes, calendar) = (self.nodes.known(&())?, self.calendar.known(&())?);
        let now = self.slurm.now();
        let is_on = |found: &&Reservation| found.maintenance && found.starts_at <= now && now < found.ends_at;
        let mut whole = calendar.iter().filter(is_on).filter(|found| nodes.are_in(&found.nodes));
        whole.next().map(|found| found.ends_at)
    }

    /// What jobs can have, from Slurm, asked at the start too, so that the first page need not wait for it.
    pub async fn prepare(&self) {
        self.renew_calendar();
        let (nodes, rules) = tokio::join!(self.nodes(), self.rules());
        if let Err(error) = nodes.map(drop).and(rules.map(drop)) {
            tracing::debug!(%error, "the cluster's limits are not known yet");
        }
    }

    async fn nodes(&self) -> Result<Aged<Nodes>, SlurmError> {
        let look_up = || {
            let (slurm, config) = (Arc::clone(&self.slurm), Arc::clone(&self.config));
            // Nobody waits for the calendar: what is known of it will do.
            let calendar = Arc::clone(&self.calendar);
            async move {
                let nodes = slurm.service().nodes().await?;
                let calendar = calendar.known(&()).unwrap_or_default();
                let partitions: Vec<_> = config.job.partitions().collect();
                Ok(Nodes::new(nodes, &partitions, &calendar, slurm.now()))
            }
        };
        self.nodes.get((), self.clock.now(), look_up).await
    }

    /// Renews, in the background, what is known of everybody's reservations.
    fn renew_calendar(&self) {
        let look_up = || {
            let slurm = Arc::clone(&self.slurm);
            async move { slurm.service().reservations().await }
        };
        self.calendar.renew((), self.clock.now(), look_up);
    }

    async fn rules(&self) -> Result<Aged<Rules>, SlurmError> {
        let look_up = || {
            let (slurm, config) = (Arc::clone(&self.slurm), Arc::clone(&self.config));
            async move {
                let service = slurm.service();
                let (partitions, qos) = tokio::try_join!(service.partitions(), service.qos())?;
                Ok(Rules::new(&config.job, partitions, qos))
            }
        };
        self.rules.get((), self.clock.now(), look_up).await
    }

    async fn associations(&self, user: &UserName) -> Result<Aged<Vec<Association>>, SlurmError> {
        let look_up = || {
            let (slurm, name) = (Arc::clone(&self.slurm), user.clone());
            async move { slurm.person(&name).associations().await }
        };
        self.associations.get(user.clone(), self.clock.now(), look_up).await
    }

    async fn reservations(&self, user: &UserName) -> Result<Aged<Vec<Reservation>>, SlurmError> {
        let look_up = || {
            let (slurm, name) = (Arc::clone(&self.slurm), user.clone());
            async move { slurm.person(&name).reservations().await }
        };
        self.reservations.get(user.clone(), self.clock.now(), look_up).await
    }

    async fn jobs(&self, user: &UserName) -> Result<Aged<Vec<Job>>, SlurmError> {
        let look_up = || {
            let (slurm, name) = (Arc::clone(&self.slurm), user.clone());
            async move { slurm.person(&name).live_jobs().await }
        };
        self.jobs.get(user.clone(), self.clock.now(), look_up).await
    }
}

/// The names of Slurm's accounts.
fn accounts(associations: &[Association]) -> Vec<&str> {
    associations
        .iter()
        .map(|association| association.account.as_str())
        .collect()
}

/// The last choices, as far as they can still be had, in place of the defaults.
fn propose_again(offer: &mut OptionsView, last: &UserOptions) {
    let mut raw = last.to_raw();
    raw.0.retain(|name, _| !offer.locked.contains_key(name));
    let mut refused: Vec<FieldError> = Vec::new();
    // What cannot be had is left out, until the rest goes together with the defaults.
    while !raw.0.is_empty() {
        match parse(&raw, offer, offer.now) {
            Ok(request) => {
                offer.chosen = request.options;
                offer.chosen_from = Source::Last;
                break;
            }
            Err(errors) => {
                let before = raw.0.len();
                raw.0.retain(|name, _| errors.iter().all(|error| error.field != *name));
                if raw.0.len() == before {
                    break;
                }
                refused.extend(errors);
            }
        }
    }
    offer.last_refused = refused;
}
