//! slurmrestd: every path of API v0.0.42 that is served here, on one page.

mod accounting;
mod answer;
mod control;
mod errors;
mod jobs;
pub(crate) mod listen;
mod query;
mod site;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::cluster::Inner;

/// What handlers share.
pub(crate) type App = Arc<Inner>;

/// All paths, without a trailing slash; [`listen`] removes one, as slurmrestd takes both.
pub(crate) fn router(app: App) -> Router {
    let slurm = Router::new()
        .route("/ping", get(site::ping))
        .route("/diag", get(site::diag))
        .route("/nodes", get(site::list_nodes))
        .route("/node/{name}", get(site::get_node))
        .route("/partitions", get(site::list_partitions))
        .route("/partition/{name}", get(site::get_partition))
        .route("/reservations", get(site::list_reservations))
        .route("/jobs", get(jobs::list_jobs).delete(jobs::cancel_jobs))
        .route("/jobs/state", get(jobs::list_states))
        .route("/job/submit", post(jobs::submit_job))
        .route(
            "/job/{id}",
            get(jobs::get_job).post(jobs::update_job).delete(jobs::cancel_job),
        );
    let slurmdb = Router::new()
        .route("/ping", get(accounting::ping))
        .route("/qos", get(accounting::list_qos))
        .route("/associations", get(accounting::list_associations))
        .route("/jobs", get(accounting::list_jobs))
        .route("/job/{id}", get(accounting::get_job));
    let local = Router::new()
        .route("/fault", post(control::set_fault))
        .route("/node", post(control::set_node_state))
        .route("/finish", post(control::finish_job));
    Router::new()
        .nest("/slurm/v0.0.42", slurm)
        .nest("/slurmdb/v0.0.42", slurmdb)
        .nest("/local", local)
        .fallback(|| async { (StatusCode::NOT_FOUND, errors::NO_SUCH_PATH) })
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, errors::NO_SUCH_METHOD) })
        .with_state(app)
}
