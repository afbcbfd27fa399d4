//! The envelope of every answer: `meta`, `errors`, `warnings`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::errors::Place;
use crate::cluster::Inner;
use crate::error::SlurmError;
use crate::submission::schema::{ParseError, Warning};

/// Which daemon's part of the API answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    Slurmctld,
    Slurmdbd,
}

/// An answer in the making.
pub(super) struct Answer {
    status: StatusCode,
    fields: Map<String, Value>,
    errors: Vec<Value>,
    warnings: Vec<Value>,
}

impl Answer {
    /// A good answer with these fields.
    pub(super) fn ok(fields: Value) -> Self {
        let fields = if let Value::Object(fields) = fields {
            fields
        } else {
            Map::new()
        };
        Self {
            status: StatusCode::OK,
            fields,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// One of Slurm's errors at this place, with the fields that such an answer has there.
    pub(super) fn error(place: &Place, status: StatusCode, error: &SlurmError) -> Self {
        Self::error_at(place, status, error, &place.description, place.source)
    }

    /// An error that its place does not describe.
    pub(super) fn error_at(place: &Place, status: StatusCode, error: &SlurmError, what: &str, source: &str) -> Self {
        let item = json!({
            "description": what,
            "error_number": error.number,
            "error": error.text,
            "source": source,
        });
        let mut answer = Self::ok(place.empty());
        answer.status = status;
        answer.errors.push(item);
        answer
    }

    /// What the data parser did not take.
    pub(super) fn unparsable(place: &Place, error: &ParseError) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::error_at(place, status, &error.error, &error.description, &error.source)
    }

    pub(super) fn without_errors(mut self) -> Self {
        self.errors.clear();
        self
    }

    pub(super) fn warn(mut self, warnings: impl IntoIterator<Item = Warning>) -> Self {
        let shown = |warning: Warning| json!({"description": warning.description, "source": warning.source});
        self.warnings.extend(warnings.into_iter().map(shown));
        self
    }

    /// The whole answer.
    pub(super) fn from(mut self, inner: &Inner, plugin: Plugin) -> Response {
        let (kind, name, person) = match plugin {
            Plugin::Slurmctld => ("openapi/slurmctld", "Slurm OpenAPI slurmctld", "root"),
            Plugin::Slurmdbd => ("openapi/slurmdbd", "Slurm OpenAPI slurmdbd", ""),
        };
        let meta = json!({
            "plugin": {
                "type": kind,
                "name": name,
                "data_parser": "data_parser/v0.0.42",
                "accounting_storage": "accounting_storage/slurmdbd",
            },
            "client": {"source": "[localhost]:52840(fd:11)", "user": person, "group": person},
            "command": [],
            "slurm": {
                "version": {"major": "24", "micro": "5", "minor": "11"},
                "release": "24.11.5",
                "cluster": inner.config.name,
            },
        });
        self.fields.insert("meta".into(), meta);
        self.fields.insert("errors".into(), self.errors.into());
        self.fields.insert("warnings".into(), self.warnings.into());
        (self.status, Json(Value::Object(self.fields))).into_response()
    }
}
