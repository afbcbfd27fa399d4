//! One sign-in under way: a source of accounts asks, a person answers, and at last it is known who it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use shared::names::UserName;
use shared::sign_in::ChallengeKind;
use tokio::sync::{mpsc, watch};

use super::Denied;

/// How long a request waits for what happens elsewhere: less than what proxies allow a request.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long after a message ("approve on your phone") the person is shown it.
const SHOW_AFTER: Duration = Duration::from_millis(500);

/// One attempt to sign in, as a source of accounts gets it.
#[derive(Clone, Debug)]
pub struct LoginAttempt {
    /// The name, as the site writes it.
    pub user: UserName,
    /// The password that was typed.
    pub password: SecretString,
    /// The client's address.
    pub address: IpAddr,
}

/// What is asked of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What for.
    pub kind: ChallengeKind,
    /// The source's own words.
    pub message: String,
    /// What there is to choose from.
    pub choices: Vec<String>,
}

/// Where a conversation has got to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes on without anybody; with what was said meanwhile.
    Working(String),
    /// Something is asked.
    Asks(Question),
    /// It is over. The name is the one that the source knows the person by.
    Over(Result<UserName, Denied>),
}

/// The person's end. When it is dropped, the source is told with its next question.
pub struct Conversation {
    step: Arc<watch::Sender<Step>>,
    answers: mpsc::UnboundedSender<SecretString>,
    given: AtomicUsize,
}

/// The source's end.
pub struct Asker {
    step: Arc<watch::Sender<Step>>,
    answers: mpsc::UnboundedReceiver<SecretString>,
    said: String,
}

impl Conversation {
    /// Both ends.
    pub fn new() -> (Self, Asker) {
        let (answers, received) = mpsc::unbounded_channel();
        let step = Arc::new(watch::Sender::new(Step::Working(String::new())));
        let conversation = Self {
            step: Arc::clone(&step),
            answers,
            given: AtomicUsize::new(0),
        };
        let asker = Asker {
            step,
            answers: received,
            said: String::new(),
        };
        (conversation, asker)
    }

    /// How many answers were given.
    pub fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    /// Answers what is asked; `turn` is the number of answers given before. A second answer to one question, of a
    /// double click, is dropped.
    pub fn answer(&self, turn: usize, answer: SecretString) {
        let mut takes = false;
        self.step.send_if_modified(|step| {
            takes = matches!(step, Step::Asks(_)) && self.given() == turn;
            if takes {
                self.given.fetch_add(1, Ordering::SeqCst);
                *step = Step::Working(String::new());
            }
            takes
        });
        if takes {
            // Nobody at the other end: it is over, and says so.
            let _ = self.answers.send(answer);
        }
    }

    /// Whether it waits for an answer.
    pub fn is_asking(&self) -> bool {
        matches!(*self.step.borrow(), Step::Asks(_))
    }

    /// The person gave up: whoever waits for more hears so, and what the source finds out no longer counts.
    pub fn cancel(&self) {
        self.step.send_replace(Step::Over(Err(Denied::Cancelled)));
    }

    /// Waits until something is asked or it is over; not longer than a request may take.
    pub async fn settled(&self) -> Step {
        let mut step = self.step.subscribe();
        let settled = step.wait_for(|step| !matches!(step, Step::Working(_)));
        let _ = tokio::time::timeout(PATIENCE, settled).await;
        self.step.borrow().clone()
    }

    /// The same, but returns soon when something is said meanwhile. `heard` is what the person was shown before.
    pub async fn next(&self, heard: Option<&str>) -> Step {
        let mut news = self.step.subscribe();
        let is_news = |step: &Step| matches!(step, Step::Working(said) if !said.is_empty() && heard != Some(said));
        let shown = async {
            let _ = news.wait_for(is_news).await;
            tokio::time::sleep(SHOW_AFTER).await;
        };
        tokio::select! {
            biased;
            _ = self.settled() => {}
            () = shown => {}
        }
        self.step.borrow().clone()
    }
}

impl Asker {
    /// Something for the person to read: shown with the next question, or while it waits.
    pub fn say(&mut self, text: &str) {
        if !self.said.is_empty() {
            self.said.push('\n');
        }
        self.said.push_str(text.trim());
        let _ = self.go_to(Step::Working(self.said.clone()));
    }

    /// What was said since the last question.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Asks, and blocks this thread until the answer is there; nothing when the person went away.
    pub fn ask_blocking(&mut self, kind: ChallengeKind, question: &str, choices: Vec<String>) -> Option<SecretString> {
        let said = std::mem::take(&mut self.said);
        let message = format!("{said}\n{question}").trim().to_owned();
        if self.go_to(Step::Asks(Question { kind, message, choices })) {
            self.answers.blocking_recv()
        } else {
            None
        }
    }

    /// Whether the person's end was dropped: the client hung up, or the conversation is no longer held.
    pub fn is_abandoned(&self) -> bool {
        self.answers.is_closed()
    }

    /// Says how it came out.
    pub fn end(self, result: Result<UserName, Denied>) {
        let _ = self.go_to(Step::Over(result));
    }

    /// Nothing follows what is over: the person may have given up meanwhile. Answers whether it went on.
    fn go_to(&self, next: Step) -> bool {
        self.step.send_if_modified(|step| {
            let goes_on = !matches!(step, Step::Over(_));
            if goes_on {
                *step = next;
            }
            goes_on
        })
    }
}

impl Drop for Asker {
    /// A source that went away without a word.
    fn drop(&mut self) {
        let cause = "the source of accounts gave up".into();
        let _ = self.go_to(Step::Over(Err(Denied::Unavailable(cause))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(message: &str) -> Step {
        Step::Asks(Question {
            kind: ChallengeKind::Code,
            message: message.into(),
            choices: Vec::new(),
        })
    }

    #[tokio::test]
    async fn what_is_said_comes_with_the_question_and_one_answer_goes_to_each_question() {
        let (conversation, mut asker) = Conversation::new();
        let source = tokio::task::spawn_blocking(move || {
            asker.say("Two things.");
            let first = asker.ask_blocking(ChallengeKind::Code, "First:", Vec::new());
            let second = asker.ask_blocking(ChallengeKind::Code, "Second:", Vec::new());
            asker.end(Err(Denied::wrong()));
            [first, second].map(|answer| secrecy::ExposeSecret::expose_secret(&answer.unwrap()).to_owned())
        });
        assert_eq!(conversation.next(None).await, code("Two things.\nFirst:"));
        conversation.answer(0, "1".into());
        conversation.answer(0, "a double click".into());
        assert_eq!(conversation.next(None).await, code("Second:"));
        conversation.answer(0, "late".into());
        conversation.answer(1, "2".into());
        assert_eq!(conversation.next(None).await, Step::Over(Err(Denied::wrong())));
        assert_eq!(source.await.unwrap(), ["1", "2"]);
    }

    #[tokio::test]
    async fn a_message_is_shown_once_while_something_happens_elsewhere() {
        let (conversation, mut asker) = Conversation::new();
        asker.say("Approve on your phone.");
        let soon = SHOW_AFTER * 4;
        let shown = tokio::time::timeout(soon, conversation.next(None)).await;
        assert_eq!(shown, Ok(Step::Working("Approve on your phone.".into())));
        let again = tokio::time::timeout(soon, conversation.next(Some("Approve on your phone."))).await;
        assert!(again.is_err(), "it was shown again at once");
        let ada = UserName::new("ada").unwrap();
        asker.end(Ok(ada.clone()));
        let over = conversation.next(Some("Approve on your phone.")).await;
        assert_eq!(over, Step::Over(Ok(ada)));
    }

    #[tokio::test]
    async fn whoever_gave_up_is_not_signed_in_by_what_the_source_finds_out_later() {
        let (conversation, mut asker) = Conversation::new();
        conversation.cancel();
        asker.say("Approved.");
        assert!(asker.ask_blocking(ChallengeKind::Code, "?", Vec::new()).is_none());
        asker.end(Ok(UserName::new("ada").unwrap()));
        assert_eq!(conversation.next(None).await, Step::Over(Err(Denied::Cancelled)));
    }

    #[tokio::test]
    async fn a_source_that_goes_away_and_a_person_who_goes_away_are_noticed() {
        let (conversation, asker) = Conversation::new();
        drop(asker);
        assert!(matches!(
            conversation.next(None).await,
            Step::Over(Err(Denied::Unavailable(_)))
        ));
        let (conversation, mut asker) = Conversation::new();
        assert!(!asker.is_abandoned());
        drop(conversation);
        assert!(asker.is_abandoned());
        let answer = tokio::task::spawn_blocking(move || asker.ask_blocking(ChallengeKind::Code, "?", Vec::new()));
        assert!(answer.await.unwrap().is_none());
    }
}
