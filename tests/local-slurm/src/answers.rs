//! What the API shows of jobs, nodes, partitions and associations, in v0.0.42's shapes.
//! Each begins as a recorded object (`answers/*.json`) and has its living fields replaced.

pub(crate) mod accounting;
pub(crate) mod job;
pub(crate) mod site;

use serde_json::{Map, Value, json};

use crate::job::Exit;

/// A recorded object, to be changed.
#[derive(Clone)]
struct Template(Map<String, Value>);

impl Template {
    #[expect(
        clippy::expect_used,
        reason = "the text is part of this program, and read by its tests"
    )]
    fn new(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("a recorded object"))
    }

    fn set(&mut self, field: &str, value: impl Into<Value>) {
        debug_assert!(self.0.contains_key(field), "{field} is not in the recorded object");
        self.0.insert(field.into(), value.into());
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A number that is set.
pub(crate) fn num(number: impl Into<Value>) -> Value {
    json!({"set": true, "infinite": false, "number": number.into()})
}

/// A number that is not set.
pub(crate) fn unset() -> Value {
    json!({"set": false, "infinite": false, "number": 0})
}

/// No limit.
pub(crate) fn infinite() -> Value {
    json!({"set": false, "infinite": true, "number": 0})
}

/// Minutes of a time limit.
fn minutes(minutes: u32) -> Value {
    if minutes == u32::MAX { infinite() } else { num(minutes) }
}

/// An `exit_code` object.
fn exit_code(exit: Exit) -> Value {
    let code = |status: &str, code: i32| json!({"status": [status], "return_code": num(code), "signal": {"id": unset(), "name": ""}});
    match exit {
        Exit::Success => code("SUCCESS", 0),
        Exit::Code(number) => code("ERROR", number),
        Exit::Signal(signal) => json!({
            "status": ["SIGNALED"],
            "return_code": unset(),
            "signal": {"id": num(signal), "name": signal_name(signal)},
        }),
    }
}

/// Slurm's name of a signal; its number where it has none.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        6 => "ABRT",
        9 => "KILL",
        11 => "SEGV",
        14 => "ALRM",
        15 => "TERM",
        _ => return signal.to_string(),
    };
    name.into()
}
