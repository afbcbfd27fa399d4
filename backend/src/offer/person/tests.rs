//! What one person sees of reservations, and of their own other jobs.

use super::*;
use crate::slurm::{Node, Partition};

const NOW: i64 = 1_800_000_000;
const WEEK: i64 = 7 * 24 * 3600;

/// What Slurm says to `ada`: a partition, a node, and what a test adds.
struct Said {
    accounts: &'static [&'static str],
    reservations: Vec<Reservation>,
    jobs: Vec<Job>,
}

impl Said {
    fn offer(&self, config: &Config) -> OptionsView {
        let node = Node {
            name: "c1".into(),
            usable: true,
            cores: 8,
            memory: 1000,
            partitions: vec!["cpu".into()],
            ..Node::default()
        };
        let partition = Partition {
            name: "cpu".into(),
            up: true,
            ..Partition::default()
        };
        let association = |account: &&str| Association {
            account: (*account).to_owned(),
            ..Association::default()
        };
        let person = Person {
            config,
            user: &UserName::new("ada").unwrap(),
            nodes: &Nodes::new(vec![node], &[], &[], 0),
            rules: &Rules::new(&config.job, vec![partition], Vec::new()),
            associations: &self.accounts.iter().map(association).collect::<Vec<_>>(),
            reservations: &self.reservations,
            jobs: &self.jobs,
            now: NOW,
        };
        person.offer(Ages::default()).unwrap()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// One that is on now, for everybody.
fn reservation(name: &str) -> Reservation {
    Reservation {
        name: name.into(),
        starts_at: NOW - 60,
        ends_at: NOW + 3600,
        nodes: vec!["c1".into()],
        ..Reservation::default()
    }
}

/// As somebody with two compute accounts sees them.
fn seen(reservations: Vec<Reservation>) -> Vec<ReservationView> {
    let said = Said {
        accounts: &["def-ada", "def-lab"],
        reservations,
        jobs: Vec::new(),
    };
    said.offer(&Config::example()).reservations
}

fn names(reservations: &[ReservationView]) -> Vec<&str> {
    reservations.iter().map(|found| found.name.as_str()).collect()
}

#[test]
fn a_list_takes_everybody_or_those_it_names_or_all_but_those_it_negates() {
    for (list, ada, bob) in [
        (&[][..], true, true),
        (&["ada"], true, false),
        (&["bob", "ada"], true, true),
        (&["-ada"], false, true),
        (&["-ada", "-bob"], false, false),
        (&["-bo"], true, true),
        (&["ada", "-bob"], true, false),
        (&["ada", "-ada"], false, false),
        (&["ad", "-bo"], false, false),
    ] {
        let list = words(list);
        assert_eq!((allows(&list, "ada"), allows(&list, "bob")), (ada, bob), "{list:?}");
    }
}

#[test]
fn a_reservation_is_seen_by_those_whom_its_users_and_its_accounts_both_allow() {
    let (any, seen_by_nobody) = (Some(&[][..]), None);
    for (users, accounts, charges) in [
        (&[][..], &[][..], any),
        (&["ada"], &[], any),
        (&["bob"], &[], seen_by_nobody),
        (&["-ada"], &[], seen_by_nobody),
        (&["-bob"], &[], any),
        (&[], &["def-lab", "def-bob"], Some(&["def-lab"])),
        (&[], &["def-bob"], seen_by_nobody),
        (&["ada"], &["def-ada"], Some(&["def-ada"])),
        (&["ada"], &["def-bob"], seen_by_nobody),
        (&["bob"], &["def-ada"], seen_by_nobody),
        (&["-ada"], &["def-ada"], seen_by_nobody),
        (&["-bob"], &["def-ada", "def-lab"], Some(&["def-ada", "def-lab"])),
        (&[], &["-def-lab"], Some(&["def-ada"])),
        (&["ada"], &["-def-bob"], Some(&["def-ada", "def-lab"])),
        (&["ada"], &["-def-ada", "-def-lab"], seen_by_nobody),
    ] {
        let found = seen(vec![Reservation {
            users: words(users),
            accounts: words(accounts),
            ..reservation("course")
        }]);
        let charged = found
            .first()
            .map(|found| found.accounts.iter().map(AccountName::as_str).collect());
        assert_eq!(charged, charges.map(<[&str]>::to_vec), "{users:?} {accounts:?}");
    }
}

#[test]
fn reservations_are_shown_from_a_week_before_they_begin_until_they_end() {
    let between = |name, starts_at, ends_at| Reservation {
        starts_at: NOW + starts_at,
        ends_at: NOW + ends_at,
        ..reservation(name)
    };
    let maintenance = Reservation {
        maintenance: true,
        ..reservation("maintenance")
    };
    let elsewhere = Reservation {
        nodes: vec!["gone".into()],
        ..reservation("elsewhere")
    };
    let found = seen(vec![
        between("soon", WEEK - 1, WEEK + 60),
        between("later", WEEK, WEEK + 60),
        between("over", -60, 0),
        between("ending", -60, 1),
        between("begun", -60, 60),
        maintenance,
        elsewhere,
    ]);
    assert_eq!(names(&found), ["begun", "ending", "soon"], "the first to begin first");
    assert_eq!(
        (found[2].starts_at, found[2].ends_at),
        (NOW + WEEK - 1, NOW + WEEK + 60)
    );
    assert_eq!((found[2].nodes[0].cores, found[2].nodes[0].nodes), (8, 1));
}

/// A job that waits.
fn job(id: u64, submit_line: &str) -> Job {
    Job {
        id,
        name: "bash".into(),
        user: "ada".into(),
        uid: None,
        state: JobState::Pending,
        reason: String::new(),
        submitted_at: NOW,
        started_at: None,
        ends_at: None,
        node: None,
        exit_code: None,
        signal: None,
        cancelled_by: None,
        comment: String::new(),
        restarts: 0,
        output: String::new(),
        partition: "cpu".into(),
        submit_line: submit_line.into(),
    }
}

fn others(config: &Config, jobs: Vec<Job>) -> Vec<OtherJob> {
    let said = Said {
        accounts: &["def-ada"],
        reservations: Vec::new(),
        jobs,
    };
    said.offer(config).other_jobs
}

#[test]
fn interactive_jobs_are_told_by_the_command_that_made_them_or_by_their_partition() {
    let mut config = Config::example();
    config.job.interactive.partitions = words(&["*_interac", "debug"]);
    let own = config.job.name.clone();
    let named = |name: &str, job| Job {
        name: name.into(),
        ..job
    };
    let within = |partition: &str, job| Job {
        partition: partition.into(),
        ..job
    };
    for (job, kind) in [
        (job(1, "salloc --time=1:0:0"), Some("salloc")),
        (job(1, "/usr/bin/srun --pty bash"), Some("srun")),
        (job(1, "srun"), Some("srun")),
        (job(1, "sbatch job.sh"), None),
        (job(1, "/opt/srun/bin/sbatch salloc"), None),
        (job(1, ""), None),
        (within("cpubase_interac", job(1, "sbatch job.sh")), Some("sbatch")),
        (within("debug", job(1, "")), Some("bash")),
        (within("debug2", job(1, "")), None),
        (within("cpu,debug", job(1, "")), Some("bash")),
        (named(&own, job(1, "salloc")), None),
        (within("debug", named(&own, job(1, ""))), None),
    ] {
        let found = others(&config, vec![job.clone()]);
        let kinds: Vec<_> = found.iter().map(|found| found.kind.as_str()).collect();
        assert_eq!(kinds, kind.into_iter().collect::<Vec<_>>(), "{job:?}");
    }
    let by_command_only = others(
        &Config::example(),
        vec![within("cpubase_interac", job(1, "sbatch job.sh"))],
    );
    assert_eq!(by_command_only, []);
}

#[test]
fn other_jobs_run_until_their_time_is_over_wait_for_nobody_knows_how_long_or_are_gone() {
    let with = |id, state| Job {
        state,
        ends_at: Some(NOW + 60),
        ..job(id, "salloc")
    };
    let view = |id, running, ends_at| OtherJob {
        id,
        kind: "salloc".into(),
        running,
        ends_at,
    };
    let jobs = vec![
        with(1, JobState::Pending),
        with(2, JobState::Running),
        with(3, JobState::Suspended),
        with(4, JobState::Ended("TIMEOUT".into())),
    ];
    assert_eq!(
        others(&Config::example(), jobs),
        [
            view(1, false, None),
            view(2, true, Some(NOW + 60)),
            view(3, true, Some(NOW + 60))
        ]
    );
}

#[test]
fn the_memory_of_a_slice_is_read_from_its_name() {
    for (name, memory) in [
        ("a100_1g.5gb", Some(5 * 1024)),
        ("nvidia_h100_80gb_hbm3_3g.40gb", Some(40 * 1024)),
        ("h100", None),
        ("h100_80gb", None),
        ("a100_1g.gb", None),
        ("a100_1g.5", None),
        ("gpu", None),
    ] {
        assert_eq!(slice_memory(name), memory, "{name}");
    }
}
