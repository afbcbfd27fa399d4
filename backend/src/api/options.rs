//! `/hub/api/options`

use axum::Json;
use axum::extract::State;
use shared::names::UserName;
use shared::options::OptionsView;

use super::Person;
use crate::app::{App, AppState};
use crate::error::Error;
use crate::store::Kind;

/// `GET /hub/api/options`: what this person may choose now.
pub async fn show_options(State(app): State<AppState>, Person(sign_in): Person) -> Result<Json<OptionsView>, Error> {
    offer(&app, &sign_in.user).await.map(Json)
}

/// `GET /hub/api/options/schema`: what the document looks like, as JSON Schema.
pub async fn show_schema() -> Json<schemars::Schema> {
    Json(schemars::schema_for!(OptionsView))
}

pub(crate) async fn offer(app: &App, user: &UserName) -> Result<OptionsView, Error> {
    let last = app.store.kept(user, Kind::Choice).await.unwrap_or_else(|error| {
        tracing::warn!(%user, %error, "last choices are not known");
        None
    });
    Ok(app.offers.offer(user, last).await?)
}
