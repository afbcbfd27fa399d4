//! The hops before there is a job: slurmrestd, our token, the partition, the person's compute accounts.

use shared::options::{SpawnRequest, UserOptions, parse};
use shared::units::{Cores, Minutes};

use super::report::{Outcome, hop, say};
use super::{Check, advice};
use crate::offer::OfferError;
use crate::slurm::{Node, Partition, SlurmError};

/// Clocks that are further apart than this, in seconds, are named.
const SKEW_SECONDS: i64 = 10;

impl Check<'_> {
    /// The process that signs for us does.
    pub(super) async fn signer(&self) -> Result<(), String> {
        let Some(tried) = self.app.slurm.try_signer().await else {
            return Ok(());
        };
        let config = &self.app.config.slurm;
        let said = tried.map_err(|error| advice::slurm(&error, config));
        let at = config.signer.as_deref().unwrap_or_default();
        hop("signer", async { said.map(|()| (format!("{at} signs for us"), ())) }).await
    }

    /// slurmrestd answers, in a version that both sides know; and what Slurm has against our token, if anything.
    pub(super) async fn reach(&self) -> Result<(String, Option<SlurmError>), String> {
        let (slurm, config) = (&self.app.slurm, &self.app.config.slurm);
        let failed = |error: SlurmError| advice::slurm(&error, config);
        // Not by ping first, which calls slurmctld away when it is the token that slurmctld refuses.
        match slurm.service().clock().await {
            Ok(_) => {}
            Err(error @ SlurmError::TokenRefused(_)) => {
                return Ok((format!("{} answers", slurm.address()), Some(error)));
            }
            // Ping knows which of the two is away.
            Err(error) if error.is_outage() => return Err(failed(slurm.service().ping().await.err().unwrap_or(error))),
            Err(error) => return Err(failed(error)),
        }
        let version = slurm.service().ping().await.map_err(failed)?;
        Ok((format!("{} answers, API {version}", slurm.address()), None))
    }

    /// Slurm took our token for the service user.
    pub(super) fn token(&self, refused: Option<SlurmError>) -> Result<(String, ()), String> {
        let config = &self.app.config.slurm;
        match refused {
            Some(error) => Err(advice::slurm(&error, config)),
            None => Ok((format!("Slurm takes our token for {}", config.service_user), ())),
        }
    }

    /// Whether slurmctld's clock and ours are together, as far as whole seconds tell.
    pub(super) fn compare_clocks(&self) {
        let ahead = self.app.slurm.now() - self.app.clock.now();
        if ahead.abs() <= SKEW_SECONDS {
            return say(Outcome::Ok, "clocks", "slurmctld's and ours are together");
        }
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let text = format!(
            "slurmctld's is {} s {side} ours; tokens live {} s: do both machines have their time from NTP (chronyc \
             tracking)?",
            ahead.abs(),
            self.app.config.slurm.token_seconds
        );
        say(Outcome::Note, "clocks", &text);
    }

    /// The partition takes jobs and has nodes that are in service.
    pub(super) async fn partition(&self) -> Result<(String, ()), String> {
        let (config, service) = (&self.app.config, self.app.slurm.service());
        let failed = |error: SlurmError| advice::slurm(&error, &config.slurm);
        let nodes = service.nodes().await.map_err(failed)?;
        let partitions = service.partitions().await.map_err(failed)?;
        if nodes.is_empty() || partitions.is_empty() {
            return Err(format!(
                "{user} sees no nodes or no partitions; where slurm.conf has PrivateData it has to be an Operator: \
                 sacctmgr modify user {user} set AdminLevel=Operator",
                user = config.slurm.service_user
            ));
        }
        describe_partition(config.job.partition.as_deref(), &partitions, &nodes).map(|text| (text, ()))
    }

    /// The person's compute accounts, and the smallest options that Jupyter can be expected to start with.
    pub(super) async fn options(&self) -> Result<(String, SpawnRequest), String> {
        let (user, config) = (self.user, &self.app.config);
        if config.is_refused_as_numeric(user) {
            return Err(format!(
                "{user} reads as a number, which Slurm could take for the uid of another user: check with another name, \
                 or see identity.numeric_names"
            ));
        }
        if !config.may_sign_in(user) {
            return Err(format!(
                "{user} is in sign_in.blocked, or slurm.service_user: check with somebody who may have a job"
            ));
        }
        let offer = match self.app.offers.offer(user, None).await {
            Ok(offer) => offer,
            Err(OfferError::NoAssociation) => return Err(advice::no_association(user)),
            Err(OfferError::Slurm(error)) => return Err(advice::database(&error, &config.slurm)),
            Err(error @ OfferError::NoNodes) => return Err(error.to_string()),
        };
        let accounts: Vec<_> = offer.accounts.iter().map(|account| account.name.as_str()).collect();
        let text = format!(
            "Slurm takes our token for {user}, who may charge {}",
            accounts.join(", ")
        );
        let options = UserOptions {
            time: Minutes::new(1).map_err(|e| e.to_string())?,
            cores: Cores::new(1).map_err(|e| e.to_string())?,
            // Memory stays what the form proposes: with less, it would be the check that makes Jupyter fail.
            ..offer.chosen.clone()
        };
        let request = parse(&options.to_raw(), &offer, offer.now).map_err(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            format!(
                "the options that the form would propose cannot be had: {}",
                errors.join("; ")
            )
        })?;
        Ok((text, request))
    }
}

/// What there is in the partition that jobs go to; an error says what is wrong with it.
fn describe_partition(configured: Option<&str>, partitions: &[Partition], nodes: &[Node]) -> Result<String, String> {
    let found = match configured {
        Some(name) => partitions.iter().find(|partition| partition.name == name),
        None => partitions.iter().find(|partition| partition.is_default),
    };
    let Some(partition) = found else {
        return match configured {
            Some(name) => Err(format!(
                "there is no partition {name}, or our service user may not see it (AllowGroups, Hidden): job.partition \
                 is one of {}",
                names(partitions)
            )),
            // Not every version of the API tells which one that is.
            None => Ok("none is configured: jobs go to Slurm's default".to_owned()),
        };
    };
    let name = &partition.name;
    if !partition.up {
        return Err(format!(
            "{name} takes no jobs: scontrol update PartitionName={name} State=UP"
        ));
    }
    let inside: Vec<_> = nodes.iter().filter(|node| node.partitions.contains(name)).collect();
    match inside.iter().filter(|node| node.usable).count() {
        _ if inside.is_empty() => Err(format!("{name} has no nodes: see Nodes= of PartitionName={name}")),
        0 => Err(format!(
            "none of the {} nodes of {name} is in service: sinfo --list-reasons says why",
            inside.len()
        )),
        usable => Ok(format!(
            "{name} is up, {usable} of its {} nodes in service",
            inside.len()
        )),
    }
}

fn names(partitions: &[Partition]) -> String {
    let names: Vec<_> = partitions.iter().map(|partition| partition.name.as_str()).collect();
    names.join(", ")
}
