//! `/hub/health`

/// `GET /hub/health`: this process serves, whatever Slurm does.
pub async fn show_health() -> &'static str {
    "ok"
}
