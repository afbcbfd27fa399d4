//! The most and the least that a compute account may have in a partition.

use super::*;

type Limit = fn(&mut Reach);

/// The offer, with this limit wherever `def-ada` may be.
fn limited(limit: Limit) -> OptionsView {
    let mut offer = offer();
    offer.terms[0].iter_mut().for_each(limit);
    offer
}

/// The offer of a site that lets Slurm choose between two partitions, each with its own limit.
fn chosen_by_slurm(cpu: Reach, gpu: Reach) -> OptionsView {
    let mut offer = offer();
    offer.routes = None;
    offer.terms[0] = vec![cpu, gpu];
    offer
}

fn unlimited(partition: &str) -> Reach {
    Reach::unlimited(slurm(partition))
}

fn ask(offer: &OptionsView, json: &str) -> Result<SpawnRequest, Vec<FieldError>> {
    parse(&serde_json::from_str(json).unwrap(), offer, NOW)
}

fn only<T>(field: &str, problem: Problem) -> Result<T, Vec<FieldError>> {
    Err(vec![FieldError {
        field: field.to_owned(),
        problem,
    }])
}

#[test]
fn exactly_a_limit_is_accepted_and_one_more_is_refused_with_what_would_do() {
    let table: [(Limit, &str, &str, &str, Problem); 10] = [
        (
            |reach| reach.time = Some(90),
            r#"{"time":90}"#,
            r#"{"time":91}"#,
            "time",
            Problem::TooLarge { max: 90 },
        ),
        (
            |reach| reach.cores = Some(6),
            r#"{"cores":6}"#,
            r#"{"cores":7}"#,
            "cores",
            Problem::NoSuchNode { max: 6 },
        ),
        (
            |reach| reach.memory = Some(10_000),
            r#"{"memory":10000}"#,
            r#"{"memory":10001}"#,
            "memory",
            Problem::NoSuchNode { max: 10_000 },
        ),
        (
            |reach| reach.memory_per_core = Some(1500),
            r#"{"cores":4,"memory":6000}"#,
            r#"{"cores":4,"memory":6001}"#,
            "memory",
            Problem::NoSuchNode { max: 6000 },
        ),
        (
            |reach| (reach.memory, reach.memory_per_core) = (Some(5000), Some(1500)),
            r#"{"cores":4,"memory":5000}"#,
            r#"{"cores":4,"memory":5001}"#,
            "memory",
            Problem::NoSuchNode { max: 5000 },
        ),
        (
            |reach| reach.gpus = Some(2),
            r#"{"gpu":"h100:2"}"#,
            r#"{"gpu":"h100:3"}"#,
            "gpu",
            Problem::TooLarge { max: 2 },
        ),
        (
            |reach| reach.gpus_of = BTreeMap::from([("h100".into(), 3), ("a100".into(), 1)]),
            r#"{"gpu":"h100:3"}"#,
            r#"{"gpu":"h100:4"}"#,
            "gpu",
            Problem::TooLarge { max: 3 },
        ),
        (
            |reach| {
                reach.gpus = Some(2);
                reach.gpus_of.insert("h100".into(), 3);
            },
            r#"{"gpu":"h100:2"}"#,
            r#"{"gpu":"h100:3"}"#,
            "gpu",
            Problem::TooLarge { max: 2 },
        ),
        (
            |reach| reach.least_cores = 4,
            r#"{"cores":4}"#,
            r#"{"cores":3}"#,
            "cores",
            Problem::TooSmall { min: 4 },
        ),
        (
            |reach| reach.least_gpus = 2,
            r#"{"gpu":"h100:2"}"#,
            r#"{"gpu":"h100:1"}"#,
            "gpu",
            Problem::TooSmall { min: 2 },
        ),
    ];
    for (limit, enough, beyond, field, problem) in table {
        let offer = limited(limit);
        assert!(ask(&offer, enough).is_ok(), "{enough}: {:?}", ask(&offer, enough));
        assert_eq!(ask(&offer, beyond), only(field, problem), "{beyond}");
    }
}

#[test]
fn the_limits_that_the_form_names_are_those_of_the_account_with_the_rest_of_the_wish() {
    let table: [(Limit, [u64; 3]); 6] = [
        (|_| {}, [480, 16, 32_000]),
        (|reach| reach.time = Some(90), [90, 16, 32_000]),
        (|reach| reach.cores = Some(6), [480, 6, 32_000]),
        (|reach| reach.memory = Some(10_000), [480, 16, 10_000]),
        (|reach| reach.memory_per_core = Some(1500), [480, 16, 6000]),
        (|reach| reach.time = None, [480, 16, 32_000]),
    ];
    let most = |offer: &OptionsView| {
        let wish = Wish {
            account: offer.account("def-ada"),
            cores: Some(4),
            ..Wish::default()
        };
        let fit = Fit::new(offer, wish, NOW);
        assert_eq!(fit.error, None);
        [fit.time_max, fit.cores_max, fit.memory_max]
    };
    for (n, (limit, expected)) in table.into_iter().enumerate() {
        assert_eq!(most(&limited(limit)), expected, "{n}");
    }
    let mut less = offer();
    (less.time.max, less.cores.max, less.memory.max) = (100, 5, 3000);
    assert_eq!(most(&less), [100, 5, 3000], "the site allows no more");
}

#[test]
fn a_limit_of_one_partition_sends_a_job_to_the_others() {
    let table: [(Limit, &str, &[&str]); 8] = [
        (|cpu| cpu.time = Some(60), r#"{"time":60}"#, &["cpu", "gpu"]),
        (|cpu| cpu.time = Some(60), r#"{"time":61}"#, &["gpu"]),
        (|cpu| cpu.cores = Some(4), r#"{"cores":5}"#, &["gpu"]),
        (|cpu| cpu.memory = Some(4000), r#"{"memory":4001}"#, &["gpu"]),
        (|cpu| cpu.memory_per_core = Some(1500), r#"{"memory":1501}"#, &["gpu"]),
        (|cpu| cpu.least_cores = 2, r#"{"cores":1}"#, &["gpu"]),
        (|cpu| cpu.least_cores = 2, r#"{"cores":2}"#, &["cpu", "gpu"]),
        (|cpu| cpu.least_gpus = 1, "{}", &["gpu"]),
    ];
    for (limit, json, expected) in table {
        let mut cpu = unlimited("cpu");
        limit(&mut cpu);
        let found = ask(&chosen_by_slurm(cpu, unlimited("gpu")), json).unwrap().partitions;
        assert_eq!(
            found.iter().map(SlurmName::as_str).collect::<Vec<_>>(),
            expected,
            "{json}"
        );
    }
}

#[test]
fn between_what_two_partitions_have_the_nearest_amount_is_named_less_before_more() {
    let few = Reach {
        cores: Some(4),
        ..unlimited("cpu")
    };
    let many = Reach {
        least_cores: 6,
        least_gpus: 2,
        ..unlimited("gpu")
    };
    let either = Reach {
        least_gpus: 0,
        ..many.clone()
    };
    for (gpu, json, field, problem) in [
        (&either, r#"{"cores":5}"#, "cores", Problem::NoSuchNode { max: 4 }),
        (&either, r#"{"cores":9}"#, "cores", Problem::NoSuchNode { max: 8 }),
        (
            &either,
            r#"{"cores":5,"gpu":"h100"}"#,
            "cores",
            Problem::TooSmall { min: 6 },
        ),
        (&many, r#"{"cores":5}"#, "cores", Problem::NoSuchNode { max: 4 }),
        (
            &many,
            r#"{"cores":6,"gpu":"h100"}"#,
            "gpu",
            Problem::TooSmall { min: 2 },
        ),
    ] {
        let offer = chosen_by_slurm(few.clone(), gpu.clone());
        assert_eq!(ask(&offer, json), only(field, problem), "{json}");
    }
}

#[test]
fn where_every_job_needs_a_gpu_one_without_is_refused() {
    let offer = limited(|reach| reach.least_gpus = 1);
    assert_eq!(ask(&offer, "{}"), only("gpu", Problem::NotTogether));
    assert!(ask(&offer, r#"{"gpu":"h100"}"#).is_ok());
}
