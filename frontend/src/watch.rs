//! Follows a person's server: by events while it starts, by asking where there are no events.

use leptos::prelude::*;
use shared::api::ErrorCode;
use shared::names::UserName;
use shared::options::UserOptions;
use shared::server::{Phase, ProgressEvent, ServerView, StateView};

use crate::api::{self, Events, Failure};
use crate::clock;
use crate::session::Session;
use crate::site::Site;
use crate::task::{memo, spawn};

/// How often the server is asked while something is changing and no events come, in seconds.
const ASK: i64 = 3;
/// How often it is asked otherwise.
const ASK_CALM: i64 = 15;
/// While it runs, an answer waits so long for its end.
const WAIT: u8 = 14;
/// For so many seconds answers are not waited for, once too many tabs wait already.
const CROWDED: i64 = 60;
/// So many times it is asked for the next one that was wanted.
const EXPECT: u8 = 5;
/// From when on the page says that what it shows is old, in seconds.
const OLD: i64 = 10;

/// What the page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is known yet.
    Unknown,
    /// The first question failed.
    Trouble,
    /// There is no server, and none is known that has ended.
    None,
    /// There is one in this phase.
    Server(Phase),
}

/// What is known of a person's server.
#[derive(Default)]
pub(crate) struct Known {
    /// The server has answered at least once.
    answered: bool,
    /// Slurm has not said yet whether there is a server.
    pub(crate) uncertain: bool,
    /// The last state.
    pub(crate) state: Option<StateView>,
    /// What was asked for.
    pub(crate) options: Option<UserOptions>,
    /// Where it is.
    base: Option<String>,
    /// Where it opens, where that was told.
    opens: Option<String>,
    /// Why the last question had no answer.
    pub(crate) failure: Option<Failure>,
    /// How far the server's clock is ahead of the browser's, in seconds.
    ahead: i64,
    /// When something was last heard, by the browser's clock.
    heard_at: i64,
    /// Its time is over and another one was wanted: so many questions more until that one has to be there.
    expecting_next: u8,
}

impl Known {
    fn stage(&self) -> Stage {
        match &self.state {
            Some(state) => Stage::Server(state.phase),
            None if self.uncertain => Stage::Unknown,
            None if self.answered => Stage::None,
            None if self.failure.is_some() => Stage::Trouble,
            None => Stage::Unknown,
        }
    }

    fn take(&mut self, state: StateView) {
        self.heard_at = clock::now();
        self.ahead = state.now - self.heard_at;
        self.failure = None;
        self.answered = true;
        self.expecting_next = match &self.state {
            _ if state.phase.is_live() || state.next_failed.is_some() => 0,
            Some(before) if before.next => EXPECT,
            _ => self.expecting_next.saturating_sub(1),
        };
        self.state = Some(state);
    }
}

/// Keeps what is known fresh for as long as the component lives that made it.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    known: RwSignal<Known>,
    site: Site,
    /// What the page is about.
    pub(crate) stage: Memo<Stage>,
    clock: ReadSignal<i64>,
    inner: StoredValue<Inner, LocalStorage>,
}

struct Inner {
    user: UserName,
    session: Session,
    asked_at: i64,
    /// So many questions have no answer yet.
    asking: u8,
    /// Until then it is asked without waiting: this session has as many waiting requests as it may have.
    crowded_until: i64,
    events: Option<Events>,
}

impl Watch {
    /// Follows this person's server.
    pub(crate) fn new(user: UserName) -> Self {
        let known = RwSignal::new(Known::default());
        let watch = Self {
            known,
            site: Site::get(),
            stage: memo(move || known.with(Known::stage)),
            clock: clock::ticking(1),
            inner: StoredValue::new_local(Inner {
                user,
                session: Session::get(),
                asked_at: 0,
                asking: 0,
                crowded_until: 0,
                events: None,
            }),
        };
        watch.ask();
        clock::every(1, move || watch.keep_fresh());
        on_cleanup(move || watch.close());
        watch
    }

    /// Something of what is known; follows changes.
    pub(crate) fn with<T>(self, part: impl FnOnce(&Known) -> T) -> T {
        self.known.with(part)
    }

    /// Something of the state; follows changes.
    pub(crate) fn state<T>(self, part: impl FnOnce(&StateView) -> Option<T>) -> Option<T> {
        self.known.with(|known| known.state.as_ref().and_then(part))
    }

    /// Something of what is known now.
    pub(crate) fn last<T>(self, part: impl FnOnce(&Known) -> T) -> T {
        self.known.with_untracked(part)
    }

    /// Where it opens; follows changes.
    pub(crate) fn url(self) -> Option<String> {
        self.known.with(|known| {
            let interface = known.options.as_ref().map(|options| &options.interface);
            let path = || interface.and_then(|name| self.site.path(name)).unwrap_or_default();
            let opens = || known.base.as_ref().map(|base| format!("{base}{}", path()));
            known.opens.clone().or_else(opens)
        })
    }

    /// Where another interface of it opens; follows changes.
    pub(crate) fn url_of(self, path: &str) -> Option<String> {
        self.known
            .with(|known| known.base.as_ref().map(|base| format!("{base}{path}")))
    }

    /// The time by the server's clock, in seconds since 1970; follows it each second.
    pub(crate) fn now(self) -> i64 {
        self.clock.get() + self.known.with(|known| known.ahead)
    }

    /// For how long nothing has been heard, where that is long enough to say so; in seconds.
    pub(crate) fn silence(self) -> Option<i64> {
        let now = self.clock.get();
        self.known.with(|known| {
            let silence = now - known.heard_at;
            (known.state.is_some() && known.failure.is_some() && silence > OLD).then_some(silence)
        })
    }

    /// Asks the server now.
    pub(crate) fn ask(self) {
        self.ask_and_wait(0);
    }

    fn ask_and_wait(self, wait: u8) {
        let Some(user) = self.inner.try_update_value(|inner| {
            inner.asked_at = clock::now();
            inner.asking = inner.asking.saturating_add(1);
            inner.user.clone()
        }) else {
            return;
        };
        spawn(async move {
            let answer = api::user_with_server(&user, wait).await;
            self.inner
                .try_update_value(|inner| inner.asking = inner.asking.saturating_sub(1));
            match answer {
                Ok(user) => self.learn(user.servers.into_values().next(), user.servers_unknown),
                Err(failure) if failure.code() == Some(ErrorCode::TooManyStreams) => {
                    self.inner
                        .try_update_value(|inner| inner.crowded_until = clock::now() + CROWDED);
                }
                Err(failure) => {
                    self.inner.try_with_value(|inner| inner.session.heed(&failure));
                    self.known.try_update(|known| known.failure = Some(failure));
                }
            }
        });
    }

    fn learn(self, server: Option<ServerView>, uncertain: bool) {
        let pending = server.as_ref().is_some_and(|server| server.state.phase.is_pending());
        self.known.try_update(|known| match server {
            Some(server) => {
                known.base = Some(server.url);
                known.options = server.user_options;
                known.take(server.state);
            }
            None => {
                *known = Known {
                    answered: true,
                    uncertain,
                    heard_at: clock::now(),
                    ..Known::default()
                }
            }
        });
        let unfollowed = self.inner.try_with_value(|inner| inner.events.is_none());
        if !pending {
            self.close();
        } else if unfollowed == Some(true) {
            self.follow();
        }
    }

    fn hear(self, event: ProgressEvent) {
        let last = !event.state.phase.is_pending();
        self.known.try_update(|known| {
            if event.url.is_some() {
                known.opens = event.url;
            }
            known.take(event.state);
        });
        if last {
            self.close();
            self.ask();
        }
    }

    /// Each second: events while a start is under way; a question where none come.
    fn keep_fresh(self) {
        let (phase, unsure) = self.known.with_untracked(|known| {
            let unsure = known.uncertain || known.failure.is_some() || known.expecting_next > 0;
            (known.state.as_ref().map(|state| state.phase), unsure)
        });
        let Some((asked_at, asking, crowded, connection)) = self.inner.try_with_value(|inner| {
            (
                inner.asked_at,
                inner.asking,
                clock::now() < inner.crowded_until,
                inner
                    .events
                    .as_ref()
                    .map(|events| (events.is_open(), events.is_closed())),
            )
        }) else {
            return;
        };
        let pending = phase.is_some_and(Phase::is_pending);
        // An open connection can be a dead one (after sleep): it too is checked now and then.
        let told = pending && connection.is_some_and(|(open, _)| open) && !unsure;
        let changing = pending || phase == Some(Phase::Stopping) || unsure;
        let runs = phase == Some(Phase::Ready);
        let waits = runs && !unsure && !crowded;
        let pause = match changing && !told {
            true => ASK,
            false if waits && asking == 0 => 0,
            false => ASK_CALM,
        };
        if clock::now() - asked_at < pause || document().hidden() && !changing {
            return;
        }
        if pending && connection.is_none_or(|(_, closed)| closed) {
            self.follow();
        }
        self.ask_and_wait(if waits { WAIT } else { 0 });
    }

    fn follow(self) {
        self.close();
        self.inner.try_update_value(|inner| {
            inner.events = api::progress(&inner.user, move |event| self.hear(event));
        });
    }

    fn close(self) {
        self.inner.try_update_value(|inner| inner.events.take());
    }
}
