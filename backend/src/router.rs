//! The URL table of the server, below the site's base path. JupyterHub's paths wherever it has the thing.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post, put};
use http::Request;
use tower::Service;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::api::rate_limit::limit_changes;
use crate::api::{events, health, login, login_form, options, progress, server, sessions, site, user};
use crate::app::AppState;
use crate::edge::{ICON, Source, around, edge, is_proxied};
use crate::error::Error;
use crate::transfer::{DeadlineBody, MinRate, PacedBody};
use crate::{assets, hand_off, pages, proxy};

/// No request of the API is larger; bodies to people's servers are not limited here.
const BODY_LIMIT: usize = 64 * 1024;

/// A fifth smaller than the fastest, for a quarter of a millisecond a document.
const LEVEL: CompressionLevel = CompressionLevel::Precise(6);

/// The whole site: people's own servers straight away, everything else by its URL.
#[derive(Clone)]
pub struct Site {
    app: AppState,
    router: Router,
}

impl Site {
    /// All of it.
    pub fn new(app: AppState) -> Self {
        Self {
            router: router(Arc::clone(&app)),
            app,
        }
    }
}

impl<B> Service<Request<B>> for Site
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !is_proxied(&self.app, request.uri().path()) {
            return Box::pin(self.router.call(request));
        }
        let rate = MinRate::of(&self.app.config.server);
        let paced = |body: B| {
            if body.is_end_stream() {
                Body::new(body)
            } else {
                Body::new(PacedBody::new(Body::new(body), rate))
            }
        };
        let (app, request) = (Arc::clone(&self.app), request.map(paced));
        Box::pin(async move {
            let answer = async |request| {
                let answered = proxy::forward(&app, request).await;
                answered.unwrap_or_else(|error| (error.into_response(), Source::Slipway))
            };
            Ok(around(&app, request, answer).await)
        })
    }
}

/// Every URL but those of people's own servers.
fn router(app: AppState) -> Router {
    let api = Router::new()
        .route("/site", get(site::show_site))
        .route("/login", post(login::sign_in))
        .route("/login/answer", post(login::answer))
        .route("/login/cancel", post(login::cancel))
        .route("/logout", post(login::sign_out))
        .route("/user", get(user::show_self))
        .route("/users/{name}", get(user::show_user))
        .route(
            "/users/{name}/server",
            post(server::start_server).merge(delete(server::stop_server)),
        )
        .route("/users/{name}/server/keep-waiting", post(server::keep_waiting))
        .route(
            "/users/{name}/server/next",
            put(server::set_next).merge(delete(server::set_next)),
        )
        .route("/users/{name}/server/support", get(server::show_support))
        .route(
            "/users/{name}/sessions",
            get(sessions::list_sessions).merge(delete(sessions::end_all_sessions)),
        )
        .route("/users/{name}/sessions/{id}", delete(sessions::end_session))
        .route("/users/{name}/history", get(server::show_history))
        .route("/users/{name}/jobs/{id}", delete(server::cancel_job))
        .route("/users/{name}/server/progress", get(progress::follow_start))
        .route("/options", get(options::show_options))
        .route("/options/schema", get(options::show_schema))
        .route("/events/{name}", get(events::show_board))
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(async || Error::NotFound);
    let hub = Router::new()
        .nest("/api", api)
        .route("/api/", get(site::show_version))
        .route("/health", get(health::show_health))
        .route("/login", get(pages::show_login).post(login_form::sign_in_by_form))
        .route("/login/answer", post(login_form::answer_by_form))
        .route("/hand-off", get(hand_off::give))
        .fallback(pages::show_page)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), limit_body_time))
        // Nothing that is secret stands beside what another site could have put there (BREACH): what somebody who is
        // signed in gets repeats nothing of the request, and forms are answered to our own pages only.
        .layer(CompressionLayer::new().quality(LEVEL));
    let base = app.routes.base().to_owned();
    let home = app.routes.hub("home");
    let to_home = move || async move { Redirect::to(&home) };
    let site = Router::new()
        .nest("/hub", hub)
        .route("/hub/", get(to_home.clone()))
        .route("/", get(to_home.clone()))
        .fallback(async || Error::NotFound);
    let site = match base.trim_end_matches('/') {
        "" => site,
        // axum nests "/" at the base path without its slash alone.
        base => Router::new()
            .nest(base, site)
            .route(&format!("{base}/"), get(to_home))
            .fallback(async || Error::NotFound),
    };
    site.route(ICON, get(assets::show_icon))
        .layer(middleware::from_fn_with_state(app.clone(), limit_changes))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), edge))
        .with_state(app)
}

/// The body of a request for Slipway itself has to arrive whole within a time, whatever reads it.
async fn limit_body_time(State(app): State<AppState>, request: Request<Body>, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let time = Duration::from_secs(app.config.server.body_timeout_seconds);
    let (head, body) = request.into_parts();
    let body = DeadlineBody::new(body, time);
    let missed = body.missed();
    let response = next.run(Request::from_parts(head, Body::new(body))).await;
    if missed.load(Ordering::Relaxed) {
        return Error::body_timeout().into_response();
    }
    response
}
