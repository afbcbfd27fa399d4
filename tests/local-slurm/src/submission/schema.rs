//! The fields of a job description in API v0.0.42 (`job_desc_msg`), and how Slurm's data parser takes them.

use serde_json::{Map, Value, json};

use crate::error::{NOT_A_LIST, NOT_AN_OBJECT, NOT_CONVERTIBLE, SlurmError};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    /// `{"set", "infinite", "number"}`, or a plain integer.
    Number,
    Flag,
    TextList,
    /// Anything: local-slurm does not use it.
    Other,
}

/// What the parser says of a body.
#[derive(Clone, Debug)]
pub(crate) struct ParseError {
    pub(crate) error: SlurmError,
    pub(crate) description: String,
    pub(crate) source: String,
}

/// `{"description", "source"}`
#[derive(Clone, Debug)]
pub(crate) struct Warning {
    pub(crate) description: String,
    pub(crate) source: String,
}

const TEXT: &[&str] = &[
    "account",
    "account_gather_frequency",
    "admin_comment",
    "allocation_node_list",
    "array",
    "batch_features",
    "burst_buffer",
    "clusters",
    "cluster_constraint",
    "comment",
    "container",
    "container_id",
    "cpu_binding",
    "cpu_frequency",
    "cpus_per_tres",
    "dependency",
    "extra",
    "constraints",
    "group_id",
    "licenses",
    "mail_user",
    "mcs_label",
    "memory_binding",
    "memory_per_tres",
    "name",
    "network",
    "partition",
    "prefer",
    "qos",
    "reservation",
    "script",
    "distribution",
    "tres_bind",
    "tres_freq",
    "tres_per_job",
    "tres_per_node",
    "tres_per_socket",
    "tres_per_task",
    "user_id",
    "kill_warning_signal",
    "current_working_directory",
    "nodes",
    "selinux_context",
    "standard_error",
    "standard_input",
    "standard_output",
    "wckey",
    "x11_magic_cookie",
    "x11_target_host",
];
const INTEGER: &[&str] = &[
    "allocation_node_port",
    "core_specification",
    "thread_specification",
    "delay_boot",
    "hetjob_group",
    "job_id",
    "nice",
    "tasks",
    "oom_kill_step",
    "reserve_ports",
    "site_factor",
    "cpus_per_task",
    "minimum_cpus",
    "maximum_cpus",
    "minimum_nodes",
    "maximum_nodes",
    "minimum_boards_per_node",
    "minimum_sockets_per_board",
    "sockets_per_node",
    "threads_per_core",
    "tasks_per_node",
    "tasks_per_socket",
    "tasks_per_core",
    "tasks_per_board",
    "ntasks_per_tres",
    "minimum_cpus_per_node",
    "temporary_disk_per_node",
    "wait_for_switch",
    "x11_target_port",
    "deadline",
    "end_time",
];
const NUMBER: &[&str] = &[
    "begin_time",
    "memory_per_cpu",
    "memory_per_node",
    "distribution_plane_size",
    "kill_warning_delay",
    "segment_size",
    "priority",
    "time_limit",
    "time_minimum",
    "required_switches",
];
const FLAG: &[&str] = &[
    "contiguous",
    "immediate",
    "kill_on_node_fail",
    "overcommit",
    "hold",
    "reboot",
    "requeue",
    "wait_all_nodes",
];
const TEXT_LIST: &[&str] = &["argv", "environment", "spank_environment"];
const OTHER: &[&str] = &[
    "flags",
    "cpu_binding_flags",
    "crontab",
    "rlimits",
    "excluded_nodes",
    "required_nodes",
    "mail_type",
    "memory_binding_type",
    "open_mode",
    "power_flags",
    "profile",
    "shared",
    "kill_warning_flags",
    "x11",
];

fn kind(field: &str) -> Option<Kind> {
    let lists = [
        (TEXT, Kind::Text),
        (INTEGER, Kind::Integer),
        (NUMBER, Kind::Number),
        (FLAG, Kind::Flag),
        (TEXT_LIST, Kind::TextList),
        (OTHER, Kind::Other),
    ];
    lists
        .into_iter()
        .find(|(names, _)| names.contains(&field))
        .map(|(_, kind)| kind)
}

/// The type's name in the parser's messages.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "64 bit floating point number",
        Value::Number(_) => "64 bit integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "dictionary",
    }
}

/// "Ignoring unknown field …", as Slurm warns.
pub(crate) fn unknown_field(name: &str, value: &Value, parser: &str, path: &str) -> Warning {
    Warning {
        description: format!(
            "Ignoring unknown field \"{name}\" of type {} in DATA_PARSER_{parser}",
            type_name(value)
        ),
        source: format!("{path}{name}/"),
    }
}

/// The object in a body.
pub(crate) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, ParseError> {
    value.as_object().ok_or_else(|| ParseError {
        error: NOT_AN_OBJECT,
        description: format!("Rejecting {} when dictionary expected", type_name(value)),
        source: path.into(),
    })
}

/// Checks every field of a job description; `path` is where it stands in the body (`#/job/`).
/// Answers with the fields in one form each (a [`Kind::Number`] is an integer, "infinite", or absent).
pub(crate) fn check(fields: &Map<String, Value>, path: &str) -> Result<(Map<String, Value>, Vec<Warning>), ParseError> {
    let mut known = Map::new();
    let mut warnings = Vec::new();
    for (name, value) in fields {
        let source = format!("{path}{name}/");
        let Some(kind) = kind(name) else {
            warnings.push(unknown_field(name, value, "JOB_DESC_MSG", path));
            continue;
        };
        if !value.is_null()
            && let Some(value) = convert(kind, value, &source)?
        {
            known.insert(name.clone(), value);
        }
    }
    Ok((known, warnings))
}

fn convert(kind: Kind, value: &Value, source: &str) -> Result<Option<Value>, ParseError> {
    let wrong = |wanted: &str| ParseError {
        error: NOT_CONVERTIBLE,
        description: format!("Expected {wanted} but got {value}"),
        source: source.into(),
    };
    Ok(Some(match (kind, value) {
        (Kind::Other, _) | (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => value.clone(),
        (Kind::Text, _) => return Err(wrong("string")),
        (Kind::Flag, _) => return Err(wrong("boolean")),
        (Kind::Integer, _) => json!(integer(value).ok_or_else(|| wrong("integer"))?),
        (Kind::TextList, Value::Array(items)) if items.iter().all(Value::is_string) => value.clone(),
        (Kind::TextList, _) => {
            let description = format!("expected a list of strings but got {}", type_name(value));
            return Err(ParseError {
                error: NOT_A_LIST,
                description,
                source: source.into(),
            });
        }
        (Kind::Number, Value::Object(number)) => {
            let is = |name: &str| number.get(name).and_then(Value::as_bool);
            if is("infinite") == Some(true) {
                return Ok(Some(json!("infinite")));
            }
            match number.get("number") {
                Some(number) if is("set") != Some(false) => json!(integer(number).ok_or_else(|| wrong("integer"))?),
                _ => return Ok(None),
            }
        }
        (Kind::Number, _) => json!(integer(value).ok_or_else(|| wrong("integer"))?),
    }))
}

/// An integer, or digits in a string, which the data parser converts.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_as_the_data_parser_takes_them() {
        let body = json!({"name": "a", "tasks": 2, "time_limit": {"set": true, "infinite": false, "number": 5},
            "memory_per_node": 100, "priority": {"set": false, "number": 1}, "nonsense": 1, "hold": null});
        let (known, warnings) = check(object(&body, "#/job/").unwrap(), "#/job/").unwrap();
        assert_eq!(
            Value::Object(known),
            json!({"name": "a", "tasks": 2, "time_limit": 5, "memory_per_node": 100})
        );
        assert_eq!(warnings[0].source, "#/job/nonsense/");
    }

    #[test]
    fn a_wrong_type_is_refused_with_its_place() {
        for (field, value, number) in [
            ("time_limit", json!("bogus"), 9202),
            ("name", json!(1), 9202),
            ("hold", json!("yes"), 9202),
            ("environment", json!({"A": "b"}), 9208),
        ] {
            let body = json!({ field: value });
            let refused = check(object(&body, "#/job/").unwrap(), "#/job/").unwrap_err();
            assert_eq!(
                (refused.error.number, refused.source),
                (number, format!("#/job/{field}/"))
            );
        }
        assert_eq!(
            object(&json!("x"), "#/").unwrap_err().description,
            "Rejecting string when dictionary expected"
        );
    }
}
