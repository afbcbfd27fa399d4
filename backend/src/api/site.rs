//! `/hub/api/` and `/hub/api/site`

use axum::Json;
use axum::extract::State;
use shared::api::{AnnouncementView, SiteView, VersionView};

use crate::app::{App, AppState};
use crate::config::Interface;

/// `GET /hub/api/`: the version, as JupyterHub's clients ask for it first.
pub async fn show_version() -> Json<VersionView> {
    Json(VersionView {
        version: env!("CARGO_PKG_VERSION").into(),
    })
}

/// `GET /hub/api/site`
pub async fn show_site(State(app): State<AppState>) -> Json<SiteView> {
    Json(view(&app))
}

/// What everybody may know.
pub(crate) fn view(app: &App) -> SiteView {
    let (site, now) = (&app.config.site, app.clock.now());
    SiteView {
        name: site.name.clone(),
        cluster: site.cluster.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        slurm_silent_since: app.slurm.silent_since(),
        maintenance_until: app.offers.maintenance_until(),
        links: site.links.clone(),
        hubs: site.hubs.clone(),
        stop_at_logout: app.config.sign_in.stop_at_logout,
        interfaces: app.config.interfaces.iter().map(Interface::view).collect(),
        gpus: app
            .config
            .gpus
            .iter()
            .filter_map(|(name, gpu)| Some((name.clone(), gpu.label.clone()?)))
            .collect(),
        help: site.help.clone(),
        note: app.config.options.note.clone(),
        landing: app.config.options.landing,
        announcements: site
            .announcements
            .iter()
            .filter(|told| told.is_due(now))
            .map(|told| AnnouncementView {
                text: told.text.clone(),
                link: told.link.clone(),
                since: told.from,
            })
            .collect(),
    }
}
