//! Which limits hold, of all those that Slurm knows, and which compute accounts there are.

use super::*;

type Change = fn(&mut Partition);

fn partition(name: &str) -> Partition {
    Partition {
        name: name.into(),
        up: true,
        ..Partition::default()
    }
}

fn association(account: &str) -> Association {
    Association {
        account: account.into(),
        ..Association::default()
    }
}

fn qos(name: &str, limits: JobLimits) -> Qos {
    Qos {
        name: name.into(),
        limits,
        ..Qos::default()
    }
}

fn time(minutes: u64) -> JobLimits {
    JobLimits {
        time: Some(minutes),
        ..JobLimits::default()
    }
}

fn gpus_of(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn unlimited(partition: &str) -> Reach {
    Reach::unlimited(SlurmName::new(partition).unwrap())
}

/// What jobs with these associations, of one account, may have.
fn reaches(partitions: &[Partition], qos: &[Qos], associations: &[Association]) -> Vec<Reach> {
    let config = Config::example();
    let rules = Rules::new(&config.job, partitions.to_vec(), qos.to_vec());
    let found = Terms::new(&config, &rules, associations);
    assert!(found.terms.len() <= 1, "one account has one set of terms");
    found.terms.into_iter().flatten().collect()
}

/// What they may have in a partition with a QOS of its own, `own`, as a job with the QOS `job`.
fn reach(partition: Partition, own: Qos, job: Qos, limits: JobLimits) -> Reach {
    let partition = Partition {
        own_qos: Some(own.name.clone()),
        ..partition
    };
    let association = Association {
        qos: vec![job.name.clone()],
        limits,
        ..association("def-ada")
    };
    reaches(&[partition], &[own, job], &[association]).remove(0)
}

/// The names of the partitions that are reached, each with its time.
fn times(reaches: &[Reach]) -> Vec<(&str, Option<u64>)> {
    reaches
        .iter()
        .map(|reach| (reach.partition.as_str(), reach.time))
        .collect()
}

#[test]
fn a_partitions_own_qos_goes_before_the_jobs_and_that_before_the_association() {
    for (own, job, association, over, holds) in [
        (Some(1), Some(2), Some(3), false, Some(1)),
        (Some(3), Some(2), Some(1), false, Some(3)),
        (None, Some(3), Some(1), false, Some(3)),
        (None, None, Some(1), false, Some(1)),
        (None, None, None, false, None),
        (Some(1), Some(2), Some(3), true, Some(2)),
        (Some(3), None, Some(1), true, Some(3)),
        (None, None, Some(3), true, Some(3)),
    ] {
        let limits = |amount: Option<u64>| JobLimits {
            time: amount,
            cores: amount,
            memory: amount,
            gpus: amount,
            gpus_of: amount.map(|amount| ("h100".to_owned(), amount)).into_iter().collect(),
        };
        // The partition's own QOS cannot say of itself that it gives way.
        let own_qos = Qos {
            over_partition: !over,
            least: limits(own),
            ..qos("own", limits(own))
        };
        let job_qos = Qos {
            over_partition: over,
            least: limits(job),
            ..qos("job", limits(job))
        };
        let least = if over { job.or(own) } else { own.or(job) }.unwrap_or(0);
        let JobLimits {
            time,
            cores,
            memory,
            gpus,
            gpus_of,
        } = limits(holds);
        let expected = Reach {
            time,
            cores,
            memory,
            gpus,
            gpus_of,
            least_cores: least,
            least_gpus: least,
            ..unlimited("cpu")
        };
        let found = reach(partition("cpu"), own_qos, job_qos, limits(association));
        assert_eq!(found, expected, "{own:?} {job:?} {association:?} {over}");
    }
}

#[test]
fn each_limit_is_taken_from_the_first_that_has_it() {
    let own = JobLimits {
        cores: Some(8),
        gpus_of: gpus_of(&[("h100", 2)]),
        ..JobLimits::default()
    };
    let job = JobLimits {
        cores: Some(16),
        memory: Some(4000),
        gpus_of: gpus_of(&[("a100", 1), ("h100", 4)]),
        ..JobLimits::default()
    };
    let association = JobLimits {
        memory: Some(2000),
        gpus: Some(3),
        gpus_of: gpus_of(&[("a100", 8), ("v100", 5)]),
        ..time(60)
    };
    assert_eq!(
        reach(partition("cpu"), qos("own", own), qos("job", job), association),
        Reach {
            time: Some(60),
            cores: Some(8),
            memory: Some(4000),
            gpus: Some(3),
            gpus_of: gpus_of(&[("a100", 1), ("h100", 2), ("v100", 5)]),
            ..unlimited("cpu")
        }
    );
}

#[test]
fn a_partition_lets_nobody_have_more_than_its_own_amounts() {
    let partition = Partition {
        time_max: Some(60),
        cores_max: Some(8),
        memory_max: Some(4000),
        memory_per_core_max: Some(1000),
        ..partition("cpu")
    };
    let limits = |time, cores, memory| JobLimits {
        time,
        cores,
        memory,
        ..JobLimits::default()
    };
    for (said, expected) in [
        (limits(None, None, None), [60, 8, 4000]),
        (limits(Some(90), Some(9), Some(5000)), [60, 8, 4000]),
        (limits(Some(30), Some(7), Some(3000)), [30, 7, 3000]),
    ] {
        let [time, cores, memory] = expected.map(Some);
        let expected = Reach {
            time,
            cores,
            memory,
            memory_per_core: Some(1000),
            ..unlimited("cpu")
        };
        let by_association = Association {
            limits: said,
            ..association("def-ada")
        };
        assert_eq!(
            reaches(std::slice::from_ref(&partition), &[], &[by_association]),
            [expected]
        );
    }
}

#[test]
fn a_qos_may_give_more_time_than_the_partition_but_not_more_of_anything_else() {
    let much = JobLimits {
        cores: Some(90),
        memory: Some(90),
        ..time(90)
    };
    let nothing = JobLimits::default;
    for (own, job, [own_over, job_over], association, expected) in [
        (nothing(), much.clone(), [false, false], nothing(), 60),
        (nothing(), much.clone(), [false, true], nothing(), 90),
        (nothing(), much.clone(), [true, false], nothing(), 90),
        (much.clone(), nothing(), [true, false], nothing(), 90),
        (nothing(), nothing(), [false, true], much.clone(), 90),
        (nothing(), nothing(), [false, true], nothing(), 60),
        (nothing(), time(30), [false, true], much, 30),
    ] {
        let partition = Partition {
            time_max: Some(60),
            cores_max: Some(8),
            memory_max: Some(80),
            ..partition("cpu")
        };
        let with = |name, limits, over| Qos {
            over_partition_time: over,
            ..qos(name, limits)
        };
        let what = format!("{own:?} {own_over} {job:?} {job_over} {association:?}");
        let found = reach(
            partition,
            with("own", own, own_over),
            with("job", job, job_over),
            association,
        );
        assert_eq!(
            (found.time, found.cores, found.memory),
            (Some(expected), Some(8), Some(80)),
            "{what}"
        );
    }
}

#[test]
fn a_partition_takes_the_accounts_and_classes_of_service_that_it_allows_and_does_not_deny() {
    let table: [(Change, bool); 12] = [
        (|_| {}, true),
        (|partition| partition.accounts = words(&["def-bob", "def-ada"]), true),
        (|partition| partition.accounts = words(&["def-bob"]), false),
        (|partition| partition.denied_accounts = words(&["def-bob"]), true),
        (|partition| partition.denied_accounts = words(&["def-ada"]), false),
        (|partition| partition.qos = words(&["high", "normal"]), true),
        (|partition| partition.qos = words(&["high"]), false),
        (|partition| partition.denied_qos = words(&["high"]), true),
        (|partition| partition.denied_qos = words(&["normal"]), false),
        (
            |partition| {
                // Which Slurm takes for its limits only: a job still has its own.
                partition.own_qos = Some("high".into());
                partition.qos = words(&["high"]);
            },
            false,
        ),
        (|partition| partition.least_nodes = 1, true),
        (|partition| partition.least_nodes = 2, false),
    ];
    let classes = [qos("normal", time(10)), qos("high", time(20))];
    let normal = Association {
        qos: words(&["normal"]),
        ..association("def-ada")
    };
    for (n, (change, taken)) in table.into_iter().enumerate() {
        let mut changed = partition("cpu");
        change(&mut changed);
        let found = reaches(
            &[changed.clone(), partition("gpu")],
            &classes,
            std::slice::from_ref(&normal),
        );
        let reached = found.iter().any(|reach| reach.partition.as_str() == "cpu");
        assert_eq!(reached, taken, "{n}: {changed:?}");
        assert_eq!(found.last().unwrap().partition.as_str(), "gpu");
    }
    let choosy = Partition {
        qos: words(&["normal"]),
        ..partition("cpu")
    };
    assert_eq!(
        reaches(&[choosy], &classes, &[association("def-ada")]),
        [],
        "without any QOS"
    );
}

#[test]
fn what_holds_in_one_partition_only_goes_before_what_holds_anywhere() {
    let partitions = [partition("cpu"), partition("gpu"), partition("long")];
    let classes = [qos("short", time(10)), qos("long", time(90))];
    let anywhere = Association {
        qos: words(&["short"]),
        ..association("def-ada")
    };
    let only = Association {
        partition: Some("gpu".into()),
        qos: words(&["long"]),
        ..association("def-ada")
    };
    let expected = [("cpu", Some(10)), ("gpu", Some(90)), ("long", Some(10))];
    for both in [[anywhere.clone(), only.clone()], [only.clone(), anywhere.clone()]] {
        assert_eq!(times(&reaches(&partitions, &classes, &both)), expected);
    }
    assert_eq!(
        times(&reaches(&partitions, &classes, std::slice::from_ref(&only))),
        [("gpu", Some(90))]
    );
    let closed = Association { closed: true, ..only };
    assert_eq!(
        times(&reaches(&partitions, &classes, &[anywhere, closed])),
        [("cpu", Some(10)), ("long", Some(10))],
        "Slurm refuses a job there: it looks no further"
    );
}

#[test]
fn a_job_has_the_configured_qos_or_else_the_one_that_slurm_takes() {
    let classes = [qos("a", time(1)), qos("b", time(2)), qos("normal", time(3))];
    let (offered, refused) = (Some, None);
    for (configured, may, default, expected) in [
        (None, &["a", "b"][..], Some("b"), offered(Some(2))),
        (None, &["a", "normal"], Some("a"), offered(Some(1))),
        (None, &["a", "normal"], None, offered(Some(3))),
        (None, &["b"], None, offered(Some(2))),
        (None, &["a", "b"], None, offered(None)),
        (None, &[], None, offered(None)),
        (Some("b"), &["a", "b"], Some("a"), offered(Some(2))),
        (Some("b"), &[], Some("a"), offered(Some(2))),
        (Some("b"), &["a", "normal"], Some("a"), refused),
    ] {
        let mut config = Config::example();
        config.job.qos = configured.map(str::to_owned);
        let association = Association {
            qos: words(may),
            default_qos: default.map(str::to_owned),
            ..association("def-ada")
        };
        let rules = Rules::new(&config.job, vec![partition("cpu")], classes.to_vec());
        let found = Terms::new(&config, &rules, &[association]);
        let time = found.terms.first().map(|reaches| reaches[0].time);
        assert_eq!(time, expected, "{configured:?} of {may:?}, default {default:?}");
        assert_eq!(found.accounts.len(), usize::from(expected.is_some()));
    }
}

#[test]
fn partitions_that_are_down_are_left_out_unless_all_are() {
    let down = |name| Partition {
        up: false,
        ..partition(name)
    };
    for (partitions, expected) in [
        ([down("cpu"), partition("gpu")], &["gpu"][..]),
        ([partition("cpu"), partition("gpu")], &["cpu", "gpu"]),
        ([down("cpu"), down("gpu")], &["cpu", "gpu"]),
    ] {
        let found = reaches(&partitions, &[], &[association("def-ada")]);
        let names: Vec<_> = found.iter().map(|reach| reach.partition.as_str()).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn jobs_are_in_the_partitions_that_the_site_sets() {
    let mut config = Config::example();
    config.job.partition = Some("gpu, debug".into());
    let partitions = ["cpu", "debug", "gpu"].map(partition).to_vec();
    let found = |partitions| {
        let rules = Rules::new(&config.job, partitions, Vec::new());
        Terms::new(&config, &rules, &[association("def-ada")]).terms.remove(0)
    };
    assert_eq!(times(&found(partitions.clone())), [("debug", None), ("gpu", None)]);
    // While those are down, one can wait for them, whatever else is up.
    let down = partitions.into_iter().map(|partition| Partition {
        up: partition.name == "cpu",
        ..partition
    });
    assert_eq!(times(&found(down.collect())), [("debug", None), ("gpu", None)]);
}

/// Compute accounts, each with Slurm's accounts behind it: for GPUs or not, and the index of its terms.
fn known(terms: &Terms) -> Vec<(&str, &str, Option<bool>, usize)> {
    let charges = terms.accounts.iter().flat_map(|account| {
        let charges = account.charges.iter();
        charges.map(|charge| (account.name.as_str(), charge.account.as_str(), charge.gpu, charge.terms))
    });
    charges.collect()
}

fn terms(associations: &[Association]) -> Terms {
    let config = Config::example();
    let rules = Rules::new(&config.job, vec![partition("cpu")], Vec::new());
    Terms::new(&config, &rules, associations)
}

#[test]
fn accounts_for_jobs_with_and_without_gpus_are_one_for_people_each_on_its_own_terms() {
    let short = Association {
        limits: time(60),
        ..association("rrg-x_gpu")
    };
    let found = terms(&[
        association("rrg-x_cpu"),
        short,
        association("rpp-y"),
        association("rrg-z_cpu"),
    ]);
    assert_eq!(
        known(&found),
        [
            ("rpp-y", "rpp-y", None, 0),
            ("rrg-x", "rrg-x_cpu", Some(false), 0),
            ("rrg-x", "rrg-x_gpu", Some(true), 1),
            ("rrg-z", "rrg-z_cpu", Some(false), 0),
        ]
    );
    let [same, short] = &found.terms[..] else {
        panic!("two kinds of terms: {:?}", found.terms);
    };
    assert_eq!(
        (times(same), times(short)),
        (vec![("cpu", None)], vec![("cpu", Some(60))])
    );
}

#[test]
fn the_default_account_comes_first_and_the_others_by_name() {
    let order = |associations: &[Association]| -> Vec<String> {
        let found = terms(associations);
        found.accounts.iter().map(|account| account.name.to_string()).collect()
    };
    let default = |account| Association {
        is_default: true,
        ..association(account)
    };
    assert_eq!(
        order(&[
            association("a"),
            association("b"),
            default("c_gpu"),
            association("c_cpu")
        ]),
        ["c", "a", "b"]
    );
    assert_eq!(order(&[association("b"), association("a")]), ["a", "b"]);
    let closed = Association {
        closed: true,
        ..default("c")
    };
    assert_eq!(order(&[association("b"), closed, association("a")]), ["a", "b"]);
}

#[test]
fn an_account_that_can_submit_nowhere_is_not_offered() {
    let closed = Association {
        closed: true,
        ..association("def-ada")
    };
    let elsewhere = Association {
        partition: Some("gone".into()),
        ..association("def-bob")
    };
    let found = terms(&[closed, elsewhere]);
    assert_eq!((known(&found), found.terms.len()), (vec![], 0));
}
