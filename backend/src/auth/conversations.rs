//! Sign-ins under way. A browser holds the state of its own, sealed: another replica, or this one after a restart,
//! goes on by saying again what was said so far. Where the conversation itself is still held, it just goes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::names::UserName;
use shared::sign_in::{ChallengeKind, ChallengeView};

use super::seal::Seal;
use super::{Authenticator, Conversation, Denied, Step, decoy};
use crate::clock::Clock;
use crate::keys::{self, Secret};

/// How long a person may take for all of it, in seconds.
const LIFE: i64 = 300;
/// Conversations of one name at a time: whoever begins another has given up the oldest.
const OF_ONE_NAME: usize = 2;
/// Conversations held; of more, the oldest have to be said again.
const HELD: usize = 1_000;
/// Of these, such as wait for an answer: each may hold a thread of the source, PAM's for one, which has more than
/// these.
const ASKING: usize = 128;
/// Nobody is asked more often.
const MOST_QUESTIONS: usize = 20;

/// What came of one step.
pub enum Turn {
    /// Something is asked.
    Asks(ChallengeView),
    /// It is over; the name is the one that the source knows the person by.
    Over(Result<UserName, Denied>),
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
    user: UserName,
    ends_at: i64,
    conversation: Arc<Conversation>,
}

/// All of them.
pub struct Conversations {
    authenticator: Box<dyn Authenticator>,
    seal: Seal,
    held: Mutex<HashMap<String, Held>>,
    clock: Clock,
}

impl Conversations {
    /// With a source of accounts, and the keys of sign-ins, the present one first.
    pub fn new(authenticator: Box<dyn Authenticator>, secrets: &[Secret], clock: Clock) -> Result<Self, String> {
        Ok(Self {
            authenticator,
            seal: Seal::new(secrets, "slipway sign-in conversation 1")?,
            held: Mutex::default(),
            clock,
        })
    }

    /// Whether somebody who signed in before still may: the account may have been closed since.
    pub async fn is_active(&self, user: &UserName) -> Result<(), Denied> {
        match self.authenticator.is_active(user).settled().await {
            Step::Over(result) => result.map(drop),
            Step::Working(_) | Step::Asks(_) => {
                let cause = "the source of accounts did not say whether the account is active";
                Err(Denied::Unavailable(cause.into()))
            }
        }
    }

    /// Begins with a password and the name of whoever may sign in; without one the answer is the same as for a
    /// wrong password, at the same cost.
    pub async fn begin(&self, user: Option<&UserName>, password: String) -> Turn {
        let (user, password) = match decoy::to_ask(user, password) {
            Ok(asked) => asked,
            Err(denied) => return Turn::Over(Err(denied)),
        };
        let conversation = Arc::new(self.authenticator.begin(&user, password.clone()));
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
        self.turn(state, &conversation, step)
    }

    /// Goes on with an answer, or waits where there is nothing to answer. Nothing where the state is none, or
    /// too old.
    pub async fn go_on(&self, state: &str, answer: Option<SecretString>) -> Option<Turn> {
        let mut state = self.open(state)?;
        let conversation = self.held(&state.id).unwrap_or_else(|| {
            let password = SecretString::from(state.password.clone());
            Arc::new(self.authenticator.begin(&state.user, password))
        });
        catch_up(&conversation, &state.answers).await;
        if let Some(answer) = answer {
            // After a repetition it takes a moment until the question is there again.
            conversation.settled().await;
            conversation.answer(state.answers.len(), answer.clone());
            state.answers.push(answer.expose_secret().to_owned());
        }
        let step = conversation.next(state.heard.as_deref()).await;
        Some(self.turn(state, &conversation, step))
    }

    /// The name that a state began with, if it is one.
    pub fn name(&self, state: &str) -> Option<UserName> {
        self.open(state).map(|state| state.user)
    }

    /// Somebody gave up.
    pub fn cancel(&self, state: &str) {
        let held = self.open(state).and_then(|state| self.lock().remove(&state.id));
        if let Some(held) = held {
            held.conversation.cancel();
        }
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

    fn turn(&self, mut state: State, conversation: &Arc<Conversation>, step: Step) -> Turn {
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
        self.hold(state, conversation);
        Turn::Asks(ChallengeView {
            kind,
            message,
            choices,
            state: sealed,
        })
    }

    fn hold(&self, state: State, conversation: &Arc<Conversation>) {
        self.forget_old();
        let mut all = self.lock();
        let held = Held {
            user: state.user,
            ends_at: state.ends_at,
            conversation: Arc::clone(conversation),
        };
        let user = held.user.clone();
        all.insert(state.id, held);
        keep_latest(&mut all, OF_ONE_NAME, |held| held.user == user);
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
    found.sort_by_key(|(_, held)| held.ends_at);
    let surplus = found.len().saturating_sub(most);
    let oldest: Vec<_> = found[..surplus].iter().map(|(id, _)| (*id).clone()).collect();
    for id in oldest {
        all.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Asks for two codes after the password "right"; counts how often it was begun.
    #[derive(Default)]
    struct AsksTwice(Arc<AtomicUsize>);

    impl Authenticator for AsksTwice {
        fn begin(&self, user: &UserName, password: SecretString) -> Conversation {
            self.0.fetch_add(1, Ordering::SeqCst);
            let (conversation, mut asker) = Conversation::new();
            let user = user.clone();
            tokio::task::spawn_blocking(move || {
                let mut right = password.expose_secret() == "right";
                for expected in ["1", "2"] {
                    match asker.ask_blocking(ChallengeKind::Code, expected, Vec::new()) {
                        Some(answer) => right &= answer.expose_secret() == expected,
                        None => return,
                    }
                }
                asker.end(if right { Ok(user) } else { Err(Denied::wrong()) });
            });
            conversation
        }

        fn is_active(&self, _: &UserName) -> Conversation {
            panic!("nobody asks this here")
        }
    }

    struct Site {
        secret: Secret,
        clock: Clock,
        begun: Arc<AtomicUsize>,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self {
                secret: Secret::read_or_create(&folder.path().join("key")).unwrap(),
                clock: Clock::fixed(1_000),
                begun: Arc::default(),
            }
        }

        fn replica(&self) -> Conversations {
            let source = Box::new(AsksTwice(Arc::clone(&self.begun)));
            Conversations::new(source, std::slice::from_ref(&self.secret), self.clock.clone()).unwrap()
        }
    }

    async fn begin(replica: &Conversations, password: &str) -> ChallengeView {
        let ada = UserName::new("ada").unwrap();
        asks(replica.begin(Some(&ada), password.to_owned()).await)
    }

    fn asks(turn: Turn) -> ChallengeView {
        match turn {
            Turn::Asks(challenge) => challenge,
            Turn::Over(result) => panic!("it is over: {result:?}"),
        }
    }

    async fn answer(replica: &Conversations, challenge: &ChallengeView, answer: &str) -> Turn {
        replica.go_on(&challenge.state, Some(answer.into())).await.unwrap()
    }

    #[tokio::test]
    async fn a_conversation_goes_on_where_it_is_held() {
        let site = Site::new();
        let replica = site.replica();
        let first = begin(&replica, "right").await;
        let second = asks(answer(&replica, &first, "1").await);
        let over = answer(&replica, &second, "2").await;
        assert!(matches!(over, Turn::Over(Ok(name)) if name.as_str() == "ada"));
        assert_eq!(site.begun.load(Ordering::SeqCst), 1, "it was begun anew");
        assert!(replica.lock().is_empty());
    }

    #[tokio::test]
    async fn another_replica_takes_each_step() {
        let site = Site::new();
        let first = begin(&site.replica(), "right").await;
        let second = asks(answer(&site.replica(), &first, "1").await);
        assert_eq!(second.message, "2");
        assert!(matches!(answer(&site.replica(), &second, "2").await, Turn::Over(Ok(_))));
        let wrong = answer(&site.replica(), &second, "3").await;
        assert!(matches!(wrong, Turn::Over(Err(Denied::Wrong { .. }))));
    }

    #[tokio::test]
    async fn a_replica_that_has_missed_a_step_catches_up() {
        let site = Site::new();
        let replica = site.replica();
        let first = begin(&replica, "right").await;
        let second = asks(answer(&site.replica(), &first, "1").await);
        assert!(matches!(answer(&replica, &second, "2").await, Turn::Over(Ok(_))));
        assert_eq!(site.begun.load(Ordering::SeqCst), 2, "it was begun anew");
    }

    #[tokio::test]
    async fn a_state_says_nothing_to_others_and_ends() {
        let site = Site::new();
        let replica = site.replica();
        let challenge = begin(&replica, "right").await;
        assert!(Site::new().replica().go_on(&challenge.state, None).await.is_none());
        assert!(replica.go_on("nonsense", None).await.is_none());
        site.clock.advance(Duration::from_secs(LIFE.unsigned_abs()));
        assert!(replica.go_on(&challenge.state, Some("1".into())).await.is_none());
    }

    #[tokio::test]
    async fn whoever_takes_too_long_is_forgotten() {
        let site = Site::new();
        let replica = site.replica();
        begin(&replica, "right").await;
        site.clock.advance(Duration::from_secs(LIFE.unsigned_abs() - 1));
        replica.forget_old();
        assert_eq!(replica.lock().len(), 1);
        site.clock.advance(Duration::from_secs(1));
        replica.forget_old();
        assert!(replica.lock().is_empty());
    }

    #[tokio::test]
    async fn whoever_still_waits_for_a_conversation_that_was_cancelled_hears_so() {
        let site = Site::new();
        let replica = site.replica();
        let challenge = begin(&replica, "right").await;
        let held = replica
            .lock()
            .values()
            .map(|held| Arc::clone(&held.conversation))
            .next()
            .unwrap();
        replica.cancel(&challenge.state);
        assert_eq!(held.next(None).await, Step::Over(Err(Denied::Cancelled)));
    }

    #[tokio::test]
    async fn of_one_name_only_the_latest_are_held_and_whoever_cancels_is_forgotten() {
        let site = Site::new();
        let replica = site.replica();
        let mut last = begin(&replica, "right").await;
        for _ in 0..5 {
            site.clock.advance(Duration::from_secs(1));
            last = begin(&replica, "right").await;
        }
        assert_eq!(replica.lock().len(), OF_ONE_NAME);
        replica.cancel(&last.state);
        assert_eq!(replica.lock().len(), OF_ONE_NAME - 1);
    }
}
