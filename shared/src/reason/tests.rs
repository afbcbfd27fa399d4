//! Every word and every number, and both languages whole.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Every reason that 24.11 and 26.05 can give (`src/common/job_state_reason.c` of the one, the table of the other's
/// library), as Slurm writes it, and one that only the documentation writes (`QOSMaxBBMinutesPerJob`): the key of its
/// text, and whether the job waits in vain.
const REASONS: &[(&str, bool, &str)] = &[
    ("not_yet", false, "FedJobLock None"),
    ("priority", false, "Priority"),
    ("resources", false, "Resources"),
    ("busy", false, "MaxPoweredUpNodes MpiPortsBusy NvidiaImexChannels"),
    ("constraints", false, "Constraints"),
    ("no_such_node", true, "BadConstraints"),
    ("dependency", false, "Dependency"),
    ("dependency_never", true, "DependencyNeverSatisfied"),
    ("array", false, "JobArrayTaskLimit"),
    ("not_before", false, "BeginTime"),
    ("deadline", true, "DeadLine"),
    ("at_once", true, "SchedDefer"),
    ("held_by_you", false, "JobHeldUser"),
    ("held", false, "JobHeldAdmin JobHoldMaxRequeue"),
    ("preparing", false, "Cleaning Prolog"),
    ("licences", false, "Licenses"),
    ("storage", false, "BurstBufferResources BurstBufferStageIn"),
    ("no_storage", false, "BurstBufferOperation"),
    ("reservation", false, "Reservation"),
    ("no_reservation", true, "ReservationDeleted ReservationInvalid"),
    ("nodes_away", false, "FrontEndDown ReqNodeNotAvail"),
    ("failed", false, "JobLaunchFailure NodeDown SystemFailure"),
    ("partition_closed", false, "PartitionDown PartitionInactive"),
    ("time", true, "PartitionTimeLimit"),
    ("size", false, "PartitionNodeLimit"),
    ("memory", true, "MaxMemPerLimit"),
    ("partition_no", true, "PartitionConfig"),
    ("no_access", true, "AccountNotAllowed"),
    ("account", true, "InvalidAccount"),
    ("qos", true, "InvalidQOS QOSNotAllowed"),
    ("share", false, "QOSUsageThreshold"),
    ("policy", false, "AccountingPolicy"),
    ("end_error", false, "NonZeroExitCode"),
    ("end_stopped", false, "InactiveLimit RaisedSignal"),
    ("end_time", false, "TimeLimit"),
    ("end_memory", false, "OutOfMemory"),
    (
        "job_little",
        true,
        "QOSMinBB QOSMinBilling QOSMinCpuNotSatisfied QOSMinEnergy QOSMinGRES QOSMinLicense QOSMinMemory \
         QOSMinNode QOSMinUnknown",
    ),
    (
        "node_much",
        true,
        "AssocMaxBBPerNode AssocMaxBillingPerNode AssocMaxCpuPerNode AssocMaxEnergyPerNode AssocMaxGRESPerNode \
         AssocMaxMemPerNode AssocMaxUnknownPerNode QOSMaxBBPerNode QOSMaxBillingPerNode QOSMaxCpuPerNode \
         QOSMaxEnergyPerNode QOSMaxGRESPerNode QOSMaxMemoryPerNode QOSMaxUnknownPerNode",
    ),
    (
        "job_hours",
        true,
        "AssocMaxBBMinutesPerJob AssocMaxBillingMinutesPerJob AssocMaxCpuMinutesPerJobLimit \
         AssocMaxEnergyMinutesPerJob AssocMaxGRESMinutesPerJob AssocMaxLicenseMinutesPerJob \
         AssocMaxMemMinutesPerJob AssocMaxNodeMinutesPerJob AssocMaxUnknownMinutesPerJob \
         QOSMaxBillingMinutesPerJob QOSMaxCpuMinutesPerJobLimit QOSMaxEnergyMinutesPerJob QOSMaxGRESMinutesPerJob \
         QOSMaxLicenseMinutesPerJob QOSMaxMemoryMinutesPerJob QOSMaxNodeMinutesPerJob QOSMaxUnknownMinutesPerJob \
         QOSMaxBBMinutesPerJob",
    ),
    (
        "job_much",
        true,
        "AssocMaxBBPerJob AssocMaxBillingPerJob AssocMaxCpuPerJobLimit AssocMaxEnergyPerJob AssocMaxGRESPerJob \
         AssocMaxLicensePerJob AssocMaxMemPerJob AssocMaxNodePerJobLimit AssocMaxUnknownPerJob \
         AssocMaxWallDurationPerJobLimit QOSMaxBBPerJob QOSMaxBillingPerJob QOSMaxCpuPerJobLimit \
         QOSMaxEnergyPerJob QOSMaxGRESPerJob QOSMaxLicensePerJob QOSMaxMemoryPerJob QOSMaxNodePerJobLimit \
         QOSMaxUnknownPerJob QOSMaxWallDurationPerJobLimit",
    ),
    (
        "account_hours",
        false,
        "AssocGrpBBRunMinutes AssocGrpBillingRunMinutes AssocGrpCPURunMinutesLimit AssocGrpEnergyRunMinutes \
         AssocGrpGRESRunMinutes AssocGrpLicenseRunMinutes AssocGrpMemRunMinutes AssocGrpNodeRunMinutes \
         AssocGrpUnknownRunMinutes MaxBBRunMinsPerAccount MaxBillingRunMinsPerAccount MaxCpuRunMinsPerAccount \
         MaxEnergyRunMinsPerAccount MaxGRESRunMinsPerAccount MaxLicenseRunMinsPerAccount \
         MaxMemoryRunMinsPerAccount MaxNodeRunMinsPerAccount MaxUnknownRunMinsPerAccount",
    ),
    (
        "person_hours",
        false,
        "MaxBBRunMinsPerUser MaxBillingRunMinsPerUser MaxCpuRunMinsPerUser MaxEnergyRunMinsPerUser \
         MaxGRESRunMinsPerUser MaxLicenseRunMinsPerUser MaxMemoryRunMinsPerUser MaxNodeRunMinsPerUser \
         MaxUnknownRunMinsPerUser",
    ),
    (
        "class_hours",
        false,
        "QOSGrpBBRunMinutes QOSGrpBillingRunMinutes QOSGrpCPURunMinutesLimit QOSGrpEnergyRunMinutes \
         QOSGrpGRESRunMinutes QOSGrpLicenseRunMinutes QOSGrpMemoryRunMinutes QOSGrpNodeRunMinutes \
         QOSGrpUnknownRunMinutes",
    ),
    (
        "account_spent",
        false,
        "AssocGrpBBMinutes AssocGrpBillingMinutes AssocGrpCPUMinutesLimit AssocGrpEnergyMinutes \
         AssocGrpGRESMinutes AssocGrpLicenseMinutes AssocGrpMemMinutes AssocGrpNodeMinutes AssocGrpUnknownMinutes \
         AssocGrpWallLimit AssociationTimeLimit",
    ),
    (
        "class_spent",
        false,
        "QOSGrpBBMinutes QOSGrpBillingMinutes QOSGrpCPUMinutesLimit QOSGrpEnergyMinutes QOSGrpGRESMinutes \
         QOSGrpLicenseMinutes QOSGrpMemoryMinutes QOSGrpNodeMinutes QOSGrpUnknownMinutes QOSGrpWallLimit \
         QOSTimeLimit",
    ),
    (
        "person_jobs",
        false,
        "AssocMaxJobsLimit AssocMaxSubmitJobLimit QOSMaxJobsPerUserLimit QOSMaxSubmitJobPerUserLimit",
    ),
    (
        "account_jobs",
        false,
        "AssocGrpJobsLimit AssocGrpSubmitJobsLimit AssociationJobLimit MaxJobsPerAccount MaxSubmitJobsPerAccount",
    ),
    ("class_jobs", false, "QOSGrpJobsLimit QOSGrpSubmitJobsLimit QOSJobLimit"),
    (
        "person_now",
        false,
        "QOSMaxBBPerUser QOSMaxBillingPerUser QOSMaxCpuPerUserLimit QOSMaxEnergyPerUser QOSMaxGRESPerUser \
         QOSMaxLicensePerUser QOSMaxMemoryPerUser QOSMaxNodePerUserLimit QOSMaxUnknownPerUser",
    ),
    (
        "account_now",
        false,
        "AssocGrpBB AssocGrpBilling AssocGrpCpuLimit AssocGrpEnergy AssocGrpGRES AssocGrpLicense AssocGrpMemLimit \
         AssocGrpNodeLimit AssocGrpUnknown AssociationResourceLimit MaxBBPerAccount MaxBillingPerAccount \
         MaxCpuPerAccount MaxEnergyPerAccount MaxGRESPerAccount MaxLicensePerAccount MaxMemoryPerAccount \
         MaxNodePerAccount MaxUnknownPerAccount",
    ),
    (
        "class_now",
        false,
        "QOSGrpBB QOSGrpBilling QOSGrpCpuLimit QOSGrpEnergy QOSGrpGRES QOSGrpLicense QOSGrpMemLimit \
         QOSGrpNodeLimit QOSGrpUnknown QOSResourceLimit",
    ),
];

/// Errors as real clusters gave them.
const REFUSALS: &[(i64, &str, &str)] = &[
    (-1, "Unspecified error", "no_reason"),
    (2000, "Invalid partition name specified", "no_partition"),
    (2002, "Access/permission denied", "not_allowed"),
    (2005, "More processors requested than permitted", "size"),
    (2014, "Requested node configuration is not available", "no_such_node"),
    (2019, "I/O error writing script/environment to file", "fault"),
    (
        2045,
        "Invalid account or account/partition combination specified",
        "account",
    ),
    (
        2051,
        "Requested time limit is invalid (missing or exceeds some limit)",
        "time",
    ),
    (2052, "Access denied to requested reservation", "reservation_not_yours"),
    (
        2063,
        "Job cannot be submitted without the current working directory specified.",
        "fault",
    ),
    (
        2070,
        "Required partition not available (inactive or drain)",
        "partition_closed",
    ),
    (2127, "Environment is missing in job", "fault"),
    (
        6010,
        "Rejecting authentication of user nobody or group nobody",
        "person",
    ),
    (9202, "Unable to convert Data type", "fault"),
];

fn reasons() -> impl Iterator<Item = (&'static str, bool, &'static str)> {
    let words = |row: &(&'static str, bool, &'static str)| {
        let (key, hopeless, words) = *row;
        words.split(' ').map(move |word| (key, hopeless, word))
    };
    REASONS.iter().flat_map(words)
}

fn languages() -> [Words; 2] {
    [Words::ENGLISH, Words::FRENCH].map(|file| serde_json::from_str(file).unwrap())
}

fn english() -> Words {
    let [english, _] = languages();
    english
}

fn french() -> Words {
    let [_, french] = languages();
    french
}

#[test]
fn every_reason_of_both_releases_is_known_for_what_it_is() {
    let mut seen = BTreeSet::new();
    for (key, hopeless, word) in reasons() {
        let reason = Reason::from_slurm(word);
        assert_eq!((reason.key(), reason.hopeless()), (key, hopeless), "{word}");
        assert_eq!(reason.detail(), "", "{word}");
        assert!(seen.insert(word), "{word} twice");
    }
    assert_eq!(seen.len(), 217 + 1);
}

#[test]
fn a_limit_says_whose_it_is_and_on_what() {
    for (word, whose, resource) in [
        ("AssocGrpCpuLimit", Whose::Account, Resource::Cores),
        ("AssocMaxCpuMinutesPerJobLimit", Whose::Job, Resource::Cores),
        ("AssocMaxJobsLimit", Whose::Person, Resource::RunningJobs),
        ("AssocMaxSubmitJobLimit", Whose::Person, Resource::QueuedJobs),
        ("AssocMaxWallDurationPerJobLimit", Whose::Job, Resource::Time),
        ("MaxGRESRunMinsPerUser", Whose::Person, Resource::Gpus),
        ("MaxMemoryPerAccount", Whose::Account, Resource::Memory),
        ("QOSGrpMemoryRunMinutes", Whose::Class, Resource::Memory),
        ("QOSMaxBBPerNode", Whose::Node, Resource::Storage),
        ("QOSMaxNodePerUserLimit", Whose::Person, Resource::Nodes),
        ("QOSMinCpuNotSatisfied", Whose::Job, Resource::Cores),
        ("QOSMinLicense", Whose::Job, Resource::Licences),
    ] {
        let reason = Reason::from_slurm(word);
        assert_eq!(reason.limit(), Some(Limit { whose, resource }), "{word}");
        assert_eq!(reason.whose(), Some(whose), "{word}");
    }
    assert_eq!(Reason::from_slurm("Priority").limit(), None);
}

#[test]
fn nodes_and_what_else_stands_around_a_word_are_told_apart() {
    for (word, key, detail) in [
        ("", "not_yet", ""),
        (" (Resources) ", "resources", ""),
        ("ReqNodeNotAvail", "nodes_away", ""),
        (
            "ReqNodeNotAvail, UnavailableNodes:bc[1-4],bg7",
            "nodes_named",
            "bc[1-4],bg7",
        ),
        ("(ReqNodeNotAvail,_UnavailableNodes:bc[1-4])", "nodes_named", "bc[1-4]"),
        ("(ReqNodeNotAvail, UnavailableNodes:)", "nodes_away", ""),
        ("ReqNodeNotAvail(Unavailable:n1)", "nodes_named", "n1"),
        ("ReqNodeNotAvail, May be reserved for other job", "nodes_away", ""),
        ("ReqNodeNotAvail,_Reserved_for_maintenance", "maintenance", ""),
        (
            "(Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs)",
            "nodes_away",
            "",
        ),
        ("RaisedSignal:53(Real-time signal 19)", "end_stopped", ""),
    ] {
        let reason = Reason::from_slurm(word);
        assert_eq!((reason.key(), reason.detail()), (key, detail), "{word}");
    }
}

#[test]
fn unknown_words_come_back_as_they_are() {
    for word in [
        "NoSuchReason",
        "AssocGrp",
        "AssocGrpFooLimit",
        "QOSMaxCpuPer",
        "QOSMaxCpuPerFoo",
        "QOSMin",
        "Max",
        "Limit",
        "MaxCpuRunMinsPerNode",
        "AssocGrpJobsMinutes",
        "AssocGrpCpuPerJob",
        "Nodes",
        "(null)",
        "reine Wartezeit",
        "é",
        "(",
    ] {
        let reason = Reason::from_slurm(word);
        assert_eq!(
            (reason.key(), reason.detail(), reason.hopeless()),
            ("other", word, false)
        );
        assert_eq!(english().waits(&reason).what, format!("Slurm’s reason: {word}."));
    }
}

#[test]
fn a_hopeless_wait_is_said_to_be_one() {
    let reason = Reason::from_slurm("PartitionTimeLimit");
    assert!(
        english()
            .waits(&reason)
            .what
            .ends_with(" The job will not start like this.")
    );
    assert!(
        french()
            .waits(&reason)
            .what
            .ends_with(" La tâche ne démarrera pas ainsi.")
    );
}

#[test]
fn limits_are_said_with_the_name_of_the_resource_in_the_form_that_fits() {
    for (word, en, fr) in [
        (
            "AssocMaxEnergyPerJob",
            "The job goes over the limit on energy for one job. The job will not start like this.",
            "La tâche dépasse la limite d’énergie par tâche. La tâche ne démarrera pas ainsi.",
        ),
        (
            "AssocGrpGRESMinutes",
            "The compute account has used up its GPU-hours, or nearly.",
            "Le compte de calcul a épuisé ses heures-GPU, ou presque.",
        ),
        (
            "MaxUnknownRunMinsPerUser",
            "With this job, your running jobs would have too many hours of another resource ahead of them.",
            "Avec cette tâche, vos tâches en cours auraient encore trop d’heures d’une autre ressource devant elles.",
        ),
    ] {
        let reason = Reason::from_slurm(word);
        assert_eq!([english(), french()].map(|words| words.waits(&reason).what), [en, fr]);
    }
    let asked = french().waits(&Reason::from_slurm("QOSMaxCpuPerUserLimit")).what_to_do;
    assert_eq!(
        asked,
        "Mettez fin à une autre de vos tâches, ou demandez moins de cœurs."
    );
}

#[test]
fn errors_of_real_clusters_are_known() {
    for (code, message, key) in REFUSALS {
        let refusal = Refusal::from_code(*code).saying(message);
        assert_eq!(
            (refusal.key(), refusal.code(), refusal.said()),
            (*key, *code, ""),
            "{code}"
        );
    }
}

#[test]
fn unknown_errors_say_what_slurm_says() {
    let refusal = Refusal::from_code(2199);
    assert_eq!(
        english().refused(&refusal).what,
        "Slurm refused the job with error 2199."
    );
    let refusal = refusal.saying("Out of luck.");
    assert_eq!((refusal.key(), refusal.said()), ("refused", "Out of luck"));
    assert_eq!(english().refused(&refusal).what, "Slurm refused the job: Out of luck.");
    let refusal = Refusal::from_code(-1).saying("Ask for at least 4 cores with a GPU");
    assert_eq!(refusal.key(), "refused");
    assert_eq!(
        Refusal::from_code(2000)
            .saying("Invalid partition name specified")
            .key(),
        "no_partition"
    );
}

/// The files as they are.
fn files() -> [BTreeMap<String, Said>; 2] {
    [Words::ENGLISH, Words::FRENCH].map(|file| serde_json::from_str(file).unwrap())
}

#[test]
fn both_languages_have_the_same_texts_with_the_same_things_in_them() {
    let [en, fr] = files();
    assert!(en.keys().eq(fr.keys()));
    for (key, en) in &en {
        let fr = &fr[key];
        for (en, fr) in [(&en.what, &fr.what), (&en.what_to_do, &fr.what_to_do)] {
            assert_eq!(en.is_empty(), fr.is_empty(), "{key}");
            for thing in ["{0}", "{1}", "{2}", "{", "|"] {
                assert_eq!(en.matches(thing).count(), fr.matches(thing).count(), "{thing} in {key}");
            }
            for text in [en, fr] {
                assert!(!text.contains(['\'', '"']), "{key}: typographic marks only");
                assert!(!text.contains("  "), "{key}: two spaces");
            }
            // As the page's own French has it: no-break before a colon and inside quotation marks.
            for mark in [" :", " »", "« "] {
                assert!(!fr.contains(mark), "{mark} in {key}");
            }
            assert_eq!(
                fr.matches(':').count(),
                fr.matches("\u{a0}:").count(),
                "a colon in {key}"
            );
        }
    }
}

#[test]
fn every_text_is_said_somewhere_and_nothing_is_said_without_a_text() {
    let resources = [
        Resource::Cores,
        Resource::Memory,
        Resource::Gpus,
        Resource::Nodes,
        Resource::Time,
        Resource::Licences,
        Resource::Storage,
        Resource::Billing,
        Resource::Energy,
        Resource::Other,
        Resource::RunningJobs,
        Resource::QueuedJobs,
    ];
    let mut used: BTreeSet<&str> = resources.map(Resource::key).into();
    used.extend(["never", "other", "nodes_named", "maintenance", "refused"]);
    used.extend(reasons().map(|(key, _, _)| key));
    used.extend((-10..15_000).map(|code| Refusal::from_code(code).key()));
    for file in files() {
        assert_eq!(file.keys().map(String::as_str).collect::<BTreeSet<_>>(), used);
    }
}

#[test]
fn every_reason_and_every_error_has_whole_sentences() {
    let whole = |said: &Said, why: &str| {
        for text in [&said.what, &said.what_to_do] {
            assert!(text.ends_with('.') && !text.contains(['{', '}', '|']), "{why}: {text}");
            assert!(text.starts_with(|c: char| c.is_uppercase()), "{why}: {text}");
            // French elides, and never runs two small words together.
            for slip in [
                " de a", " de e", " de é", " de o", " de u", " d’ ", "  ", " de de ", " de d’", " à le ", "’ ",
            ] {
                assert!(!text.contains(slip), "{why}: {slip:?} in {text}");
            }
        }
    };
    for words in languages() {
        for (_, _, word) in reasons() {
            whole(&words.waits(&Reason::from_slurm(word)), word);
        }
        for code in -10..15_000 {
            whole(&words.refused(&Refusal::from_code(code)), &code.to_string());
        }
    }
}

#[test]
fn a_file_without_a_text_says_nothing_and_breaks_nothing() {
    let words: Words = serde_json::from_str("{}").unwrap();
    assert_eq!(words.waits(&Reason::from_slurm("Priority")), Said::default());
    assert_eq!(words.waits(&Reason::from_slurm("AssocGrpCpuLimit")), Said::default());
    assert_eq!(words.refused(&Refusal::from_code(2000)), Said::default());
}

#[test]
#[ignore = "prints every text, to be read through"]
fn catalogue() {
    let [en, fr] = languages();
    let mut shown = BTreeSet::new();
    let lines = |said: &Said| format!("{}\n    {}", said.what, said.what_to_do);
    for (_, _, word) in reasons() {
        let reason = Reason::from_slurm(word);
        if shown.insert((reason.key(), reason.limit().map(|limit| limit.resource.key()))) {
            println!(
                "{word} [{}]\n  {}\n  {}",
                reason.key(),
                lines(&en.waits(&reason)),
                lines(&fr.waits(&reason))
            );
        }
    }
    let mut shown = BTreeSet::new();
    for code in -10..15_000 {
        let refusal = Refusal::from_code(code);
        if shown.insert(refusal.key()) {
            println!(
                "{code} [{}]\n  {}\n  {}",
                refusal.key(),
                lines(&en.refused(&refusal)),
                lines(&fr.refused(&refusal))
            );
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_slurm_may_say_breaks_anything(
        word in "\\PC{0,40}|\\(?(Assoc|QOS|Max|ReqNodeNotAvail|Nodes)(Grp|Max|Min|[ ,_(:])?(Cpu|Mem|Jobs|Wall)?(Run)?(Minutes)?(Per)?(Job|User|Node)?(Limit)?\\)?",
        code: i64, message in "\\PC{0,40}",
    ) {
        let (reason, refusal) = (Reason::from_slurm(&word), Refusal::from_code(code).saying(&message));
        for words in languages() {
            prop_assert!(!words.waits(&reason).what.is_empty());
            prop_assert!(!words.refused(&refusal).what.is_empty());
        }
        if reason.key() == "other" {
            prop_assert_eq!(reason.detail(), word.trim());
        }
    }
}
