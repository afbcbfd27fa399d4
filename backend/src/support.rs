//! What support needs to know of one server, in one block of text: what a person copies from the page, and what
//! `slipway explain` prints for whoever helps them.

use std::fmt::Write;

use shared::names::UserName;
use shared::options::UserOptions;
use shared::raw::RawValue;
use shared::reason::{Why, Words};
use shared::server::{PastServer, Phase};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::app::App;
use crate::english;
use crate::slurm::{Job, JobState};
use crate::spawner::Server;

/// Lines of `name: value`; what is not known has none.
struct Block(String);

impl Block {
    fn new(app: &App) -> Self {
        let mut block = Self(String::new());
        let config = &app.config;
        let versions = format!("{}, {}", env!("CARGO_PKG_VERSION"), config.server.public_url);
        block.line("Slipway", Some(versions));
        block.line("Cluster", Some(config.site.cluster.clone()));
        block.line("Written", moment(app.slurm.now()));
        block
    }

    fn line(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            // A value of somebody else's is no line of ours.
            let value = value.to_string().replace(char::is_control, " ");
            let _ = writeln!(self.0, "{:<11}{value}", format!("{name}:"));
        }
    }

    fn options(&mut self, options: &UserOptions) {
        let raw = options.to_raw();
        let said = raw.0.iter().filter_map(|(name, value)| match value {
            RawValue::Text(text) => Some(format!("{name}={text}")),
            _ => None,
        });
        self.line("Options", Some(said.collect::<Vec<_>>().join(" ")));
    }

    fn job(&mut self, job: &Job) {
        let state = match &job.state {
            JobState::Pending => "PENDING",
            JobState::Running => "RUNNING",
            JobState::Suspended => "SUSPENDED",
            JobState::Ended(word) => word,
        };
        let mut said = format!("{state}, reason {}", job.reason);
        if let Some(code) = job.exit_code {
            let _ = write!(said, ", exit code {code}");
        }
        if job.restarts > 0 {
            let _ = write!(said, ", started anew {} times", job.restarts);
        }
        if let Some(by) = &job.cancelled_by {
            let _ = write!(said, ", cancelled by {by}");
        }
        self.line("Slurm", Some(said));
        self.line("Partition", Some(&job.partition).filter(|name| !name.is_empty()));
        self.line("Node", job.node.as_ref());
        self.line("Submitted", moment(job.submitted_at));
        self.line("Started", job.started_at.and_then(moment));
        let is_over = matches!(job.state, JobState::Ended(_));
        self.line(if is_over { "Ended" } else { "Ends" }, job.ends_at.and_then(moment));
        self.line("Output", Some(&job.output).filter(|path| !path.is_empty()));
    }
}

/// What the page says of it.
fn explained(why: &Why) -> String {
    let words = serde_json::from_str::<Words>(Words::ENGLISH);
    let said = words.map(|words| words.explain(why)).unwrap_or_default();
    format!("{} {}", said.what, said.what_to_do)
}

/// A moment with its zone; by Slurm's clock, as everything else.
fn moment(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// Of a server that there is, or that this Slipway has seen end.
pub fn of_server(app: &App, server: &Server) -> String {
    let state = app.spawner.peek(server);
    let known = server.watch().borrow().clone();
    let mut block = Block::new(app);
    block.line("User", Some(&server.user));
    block.line("Request", known.request.as_ref());
    block.line("Job", server.job_id());
    block.options(&server.options);
    block.line("Asked", moment(known.asked_at));
    block.line("State", Some(english::sentence(&state)));
    if state.phase == Phase::Queued {
        block.line("Expected", state.expected_start_at.and_then(moment));
        block.line("Given up", state.give_up_at.and_then(moment));
    }
    block.line("Held by", known.held_by.as_ref());
    let end = state.end.as_ref().and_then(|end| end.why.as_ref());
    block.line("Why", state.why.as_ref().or(end).map(explained));
    if let Some(job) = &known.job {
        block.job(job);
    }
    block.line("Silent", known.silent_since.and_then(moment));
    block.0
}

/// Of a server of before.
pub fn of_past(app: &App, user: &UserName, past: &PastServer) -> String {
    let mut block = Block::new(app);
    block.line("User", Some(user));
    block.line("Job", past.job_id);
    if let Some(options) = &past.options {
        block.options(options);
    }
    block.line("Asked", moment(past.asked_at));
    block.line("State", Some(english::ended(&past.end)));
    block.line("Why", past.end.why.as_ref().map(explained));
    block.line("Started", past.started_at.and_then(moment));
    block.line("Ended", past.ended_at.and_then(moment));
    block.line("Output", past.end.log.as_ref());
    block.0
}

/// Of a job that is none of Slipway's.
fn of_job(app: &App, job: &Job) -> String {
    let mut block = Block::new(app);
    block.line("User", Some(&job.user));
    block.line("Job", Some(job.id));
    block.line("Name", Some(&job.name));
    block.job(job);
    block.0
}

/// What there is to say of a job, by its number, or of a person's server, by their name.
pub async fn explain(app: &App, what: &str) -> Result<String, String> {
    let user = match what.parse::<u64>() {
        Err(_) => {
            UserName::from_typed(what).map_err(|e| format!("neither the number of a job nor a name: the name {e}"))?
        }
        Ok(id) => {
            let job = match app.slurm.service().job(id).await {
                Err(_) => app.slurm.service().past_job(id).await,
                job => job,
            };
            let job = job.map_err(|e| format!("job {id}: {e}"))?;
            let user = UserName::new(&job.user).map_err(|e| format!("job {id} is of {:?}: the name {e}", job.user))?;
            let server = app.spawner.find(&user).await;
            return Ok(match server.filter(|server| server.job_id() == Some(id)) {
                Some(server) => of_server(app, &server),
                None => of_job(app, &job),
            });
        }
    };
    if let Some(server) = app.spawner.find(&user).await {
        return Ok(of_server(app, &server));
    }
    let history = app.spawner.history(&user).await;
    let last = history.first().map(|past| of_past(app, &user, past));
    last.ok_or_else(|| format!("{user} has no server, and nobody remembers one of before"))
}
