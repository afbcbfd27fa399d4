//! Sign-ins under way. A browser holds the state of its own, sealed: another replica, or this one after a restart,
//! goes on by saying again what was said so far. Where the conversation itself is still held, it just goes on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::names::UserName;
use shared::sign_in::{ChallengeKind, ChallengeView};

use super::seal::Seal;
use super::{Authenticator, Conversation, Denied, LoginAttempt, Step, decoy};
use crate::client_network::network_of;
use crate::clock::Clock;
use crate::keys::{self, Secret};

/// How long a person may take for all of it, in seconds.
const LIFE: i64 = 300;
/// Conversations of one name at one address at a time: whoever begins another has given up the oldest.
const OF_ONE_PAIR: usize = 2;
/// Conversations held; of more, the oldest have to be said again.
const HELD: usize = 1_000;
/// Of these, such as wait for an answer: each may hold a thread of the source, PAM's for one, which has more than
/// these.
const ASKING: usize = 128;
/// Nobody is asked more often.
const MOST_QUESTIONS: usize = 20;

/// What came of one step.
pub enum Turn {
    /// Something is asked, or it waits.
    Asks(Challenge),
    /// It is over; the name is the one that the source knows the person by.
    Over(Result<UserName, Denied>),
}

/// What is asked, and of which flow.
pub struct Challenge {
    /// What the browser is sent.
    pub view: ChallengeView,
    /// The flow.
    pub flow: Flow,
}

/// A sign-in under way, as its sealed state says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its id, which is the same at each step.
    pub id: String,
    /// The name that it began with.
    pub user: UserName,
    /// How many answers were given.
    pub answers: usize,
    /// When it ends, in seconds since 1970.
    pub ends_at: i64,
    /// Whether this replica holds its conversation. Otherwise the next step begins one anew.
    pub is_held: bool,
}

/// What a browser keeps of its sign-in.
#[derive(Serialize, Deserialize)]
struct State {
    id: String,
    user: UserName,
    password: String,
    answers: Vec<String>,
    /// What is shown while it waits.
    heard: Option<String>,
    ends_at: i64,
}

struct Held {
    /// The name, and the address that goes on with it: a stranger who knows a password does not displace the
    /// conversations of its owner.
    pair: (IpAddr, UserName),
    ends_at: i64,
    /// Grows with each step that is held: of two with the same end, the later one.
    step: u64,
    conversation: Arc<Conversation>,
}

impl State {
    fn flow(&self, is_held: bool) -> Flow {
        Flow {
            id: self.id.clone(),
            user: self.user.clone(),
            answers: self.answers.len(),
            ends_at: self.ends_at,
            is_held,
        }
    }
}

/// All of them.
pub struct Conversations {
    authenticator: Box<dyn Authenticator>,
    seal: Seal,
    held: Mutex<HashMap<String, Held>>,
    steps: AtomicU64,
    clock: Clock,
}

impl Conversations {
    /// With a source of accounts, and the keys of sign-ins, the present one first.
    pub fn new(authenticator: Box<dyn Authenticator>, secrets: &[Secret], clock: Clock) -> Result<Self, String> {
        Ok(Self {
            authenticator,
            seal: Seal::new(secrets, "slipway sign-in conversation 1")?,
            held: Mutex::default(),
            steps: AtomicU64::new(0),
            clock,
        })
    }

    /// Whether somebody who signed in before still may: the account may have been closed since. The address is that
    /// of the request that asks, if there is one.
    pub async fn is_active(&self, user: &UserName, address: Option<IpAddr>) -> Result<(), Denied> {
        match self.authenticator.is_active(user, address).settled().await {
            Step::Over(result) => result.map(drop),
            Step::Working(_) | Step::Asks(_) => {
                let cause = "the source of accounts did not say whether the account is active";
                Err(Denied::Unavailable(cause.into()))
            }
        }
    }

    /// What changes when a user's password changes, where the provider tells.
    pub fn credential(&self, user: &UserName) -> Option<SecretString> {
        self.authenticator.credential(user)
    }

    /// Begins with a password and the name of whoever may sign in; without one the answer is the same as for a
    /// wrong password, at the same cost.
    pub async fn begin(&self, user: Option<&UserName>, password: String, address: IpAddr) -> Turn {
        let (user, password) = match decoy::to_ask(user, password) {
            Ok(asked) => asked,
            Err(denied) => return Turn::Over(Err(denied)),
        };
        let conversation = Arc::new(self.authenticator.begin(LoginAttempt {
            user: user.clone(),
            password: password.clone(),
            address,
        }));
        let step = conversation.next(None).await;
        let id: [u8; 16] = keys::random().unwrap_or_default();
        let state = State {
            id: URL_SAFE_NO_PAD.encode(id),
            user,
            password: password.expose_secret().to_owned(),
            answers: Vec::new(),
            heard: None,
            ends_at: self.clock.now() + LIFE,
        };
        self.turn(state, address, &conversation, step)
    }

    /// Goes on with an answer, or waits where there is nothing to answer. Nothing where the state is none, or
    /// too old.
    pub async fn go_on(&self, state: &str, answer: Option<SecretString>, address: IpAddr) -> Option<Turn> {
        let mut state = self.open(state)?;
        let conversation = self.held(&state.id).unwrap_or_else(|| {
            Arc::new(self.authenticator.begin(LoginAttempt {
                user: state.user.clone(),
                password: SecretString::from(state.password.clone()),
                address,
            }))
        });
        catch_up(&conversation, &state.answers).await;
        if let Some(answer) = answer {
            // After a repetition it takes a moment until the question is there again.
            conversation.settled().await;
            conversation.answer(state.answers.len(), answer.clone());
            state.answers.push(answer.expose_secret().to_owned());
        }
        let step = conversation.next(state.heard.as_deref()).await;
        Some(self.turn(state, address, &conversation, step))
    }

    /// The flow of a state, if it is one.
    pub fn flow(&self, state: &str) -> Option<Flow> {
        let state = self.open(state)?;
        let is_held = self.held(&state.id).is_some();
        Some(state.flow(is_held))
    }

    /// Somebody gave up. Returns the flow, if the state is one.
    pub fn cancel(&self, state: &str) -> Option<Flow> {
        let flow = self.flow(state)?;
        let held = self.lock().remove(&flow.id);
        if let Some(held) = held {
            held.conversation.cancel();
        }
        Some(flow)
    }

    /// Lets those go that have taken too long.
    pub fn forget_old(&self) {
        let now = self.clock.now();
        self.lock().retain(|_, held| held.ends_at > now);
    }

    fn open(&self, state: &str) -> Option<State> {
        self.seal
            .open::<State>(state)
            .filter(|state| state.ends_at > self.clock.now() && state.answers.len() < MOST_QUESTIONS)
    }

    fn turn(&self, mut state: State, address: IpAddr, conversation: &Arc<Conversation>, step: Step) -> Turn {
        let (kind, message, choices) = match step {
            Step::Over(result) => {
                self.lock().remove(&state.id);
                let nobody = result.is_ok() && decoy::is_nobody(&state.user);
                return Turn::Over(if nobody { Err(Denied::wrong()) } else { result });
            }
            Step::Asks(question) => (question.kind, question.message, question.choices),
            Step::Working(said) => (ChallengeKind::Wait, said, Vec::new()),
        };
        state.heard = (kind == ChallengeKind::Wait).then(|| message.clone());
        let Some(sealed) = self.seal.seal(&state) else {
            return Turn::Over(Err(Denied::Unavailable("a state could not be sealed".into())));
        };
        let flow = state.flow(true);
        self.hold(state, address, conversation);
        let view = ChallengeView {
            kind,
            message,
            choices,
            state: sealed,
        };
        Turn::Asks(Challenge { view, flow })
    }

    fn hold(&self, state: State, address: IpAddr, conversation: &Arc<Conversation>) {
        self.forget_old();
        let mut all = self.lock();
        let held = Held {
            pair: (network_of(address), state.user),
            ends_at: state.ends_at,
            step: self.steps.fetch_add(1, Ordering::Relaxed),
            conversation: Arc::clone(conversation),
        };
        let pair = held.pair.clone();
        all.insert(state.id, held);
        keep_latest(&mut all, OF_ONE_PAIR, |held| held.pair == pair);
        keep_latest(&mut all, ASKING, |held| held.conversation.is_asking());
        keep_latest(&mut all, HELD, |_| true);
    }

    fn held(&self, id: &str) -> Option<Arc<Conversation>> {
        self.lock().get(id).map(|held| Arc::clone(&held.conversation))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says again what a new conversation has not heard, or what was said at another replica since.
async fn catch_up(conversation: &Conversation, answers: &[String]) {
    for (turn, answer) in answers.iter().enumerate().skip(conversation.given()) {
        conversation.settled().await;
        conversation.answer(turn, SecretString::from(answer.as_str()));
    }
}

fn keep_latest(all: &mut HashMap<String, Held>, most: usize, matching: impl Fn(&Held) -> bool) {
    let mut found: Vec<_> = all.iter().filter(|(_, held)| matching(held)).collect();
    found.sort_by_key(|(_, held)| (held.ends_at, held.step));
    let surplus = found.len().saturating_sub(most);
    let oldest: Vec<_> = found[..surplus].iter().map(|(id, _)| (*id).clone()).collect();
    for id in oldest {
        all.remove(&id);
    }
}

#[cfg(test)]
mod tests;
