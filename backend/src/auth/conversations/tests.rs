use super::*;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

const HERE: [u8; 4] = [192, 0, 2, 1];

/// Asks for two codes after the password "right"; counts how often it was begun.
#[derive(Default)]
struct AsksTwice(Arc<AtomicUsize>);

impl Authenticator for AsksTwice {
    fn begin(&self, attempt: LoginAttempt) -> Conversation {
        self.0.fetch_add(1, Ordering::SeqCst);
        let (conversation, mut asker) = Conversation::new();
        tokio::task::spawn_blocking(move || {
            let LoginAttempt { user, password, .. } = attempt;
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

    fn is_active(&self, _: &UserName, _: Option<IpAddr>) -> Conversation {
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
    begin_at(replica, password, HERE).await
}

async fn begin_at(replica: &Conversations, password: &str, address: [u8; 4]) -> ChallengeView {
    let ada = UserName::new("ada").unwrap();
    asks(replica.begin(Some(&ada), password.to_owned(), address.into()).await)
}

fn asks(turn: Turn) -> ChallengeView {
    match turn {
        Turn::Asks(challenge) => challenge.view,
        Turn::Over(result) => panic!("it is over: {result:?}"),
    }
}

async fn answer(replica: &Conversations, challenge: &ChallengeView, answer: &str) -> Turn {
    replica
        .go_on(&challenge.state, Some(answer.into()), HERE.into())
        .await
        .unwrap()
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
    assert!(
        Site::new()
            .replica()
            .go_on(&challenge.state, None, HERE.into())
            .await
            .is_none()
    );
    assert!(replica.go_on("nonsense", None, HERE.into()).await.is_none());
    site.clock.advance(Duration::from_secs(LIFE.unsigned_abs()));
    assert!(
        replica
            .go_on(&challenge.state, Some("1".into()), HERE.into())
            .await
            .is_none()
    );
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
    assert_eq!(replica.lock().len(), OF_ONE_PAIR);
    begin_at(&replica, "right", [198, 51, 100, 1]).await;
    assert_eq!(replica.lock().len(), OF_ONE_PAIR + 1, "an address displaced another's");
    replica.cancel(&last.state);
    assert_eq!(replica.lock().len(), OF_ONE_PAIR);
}
