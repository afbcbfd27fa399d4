//! Jobs that are none of Slipway's.

use backend::slurm::JobDescription;
use shared::names::AccountName;

use crate::Site;

/// A job of somebody's that only sleeps.
///
/// # Panics
/// When the account's name is none.
pub fn sleeping_job(site: &Site, user: &str, account: &str, partition: &str) -> JobDescription {
    JobDescription {
        // Of jobs of one name, Slurm runs one at a time.
        name: format!("simulation-{partition}"),
        account: AccountName::new(account).expect("a name"),
        partition: Some(partition.into()),
        qos: None,
        wckey: None,
        reservation: None,
        constraints: None,
        time: 10,
        cores: 1,
        memory: 100,
        tres_per_node: None,
        comment: String::new(),
        script: "#!/bin/bash\nexec sleep 600\n",
        environment: [("PATH".into(), "/usr/bin:/bin".into())].into(),
        directory: site.home(user),
        output: "/dev/null".into(),
    }
}
