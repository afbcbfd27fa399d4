//! PAM: the machine's own rules say who somebody is, and may ask for more than a password.

use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};
use std::rc::Rc;
use std::sync::Arc;

use nonstick::conv::Exchange;
use nonstick::items::Items;
use nonstick::{AuthnFlags, ErrorCode, PamShared, Transaction, TransactionBuilder};
use secrecy::{ExposeSecret, SecretString};
use shared::names::UserName;
use shared::sign_in::ChallengeKind;
use tokio::sync::Semaphore;

use super::{Asker, Authenticator, Conversation, Denied};

/// Each sign-in under way has a thread of its own: a module that waits for somebody's phone holds nobody else up.
const THREADS: usize = 256;
/// Modules are C, and some are generous with the stack.
const STACK: usize = 1024 * 1024;

/// A service of PAM.
pub struct Pam {
    service: String,
    threads: Arc<Semaphore>,
}

impl Pam {
    /// For the service of this name, a file of `/etc/pam.d`.
    pub fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            threads: Arc::new(Semaphore::new(THREADS)),
        }
    }
}

impl Authenticator for Pam {
    fn begin(&self, user: &UserName, password: SecretString) -> Conversation {
        self.run(user, Some(password), check)
    }

    fn is_active(&self, user: &UserName) -> Conversation {
        self.run(user, None, account)
    }
}

/// What is found out about somebody of a service.
type Work = fn(&str, &UserName, &Rc<Talk>) -> Result<UserName, Denied>;

impl Pam {
    fn run(&self, user: &UserName, password: Option<SecretString>, work: Work) -> Conversation {
        let (conversation, asker) = Conversation::new();
        let (service, user) = (self.service.clone(), user.clone());
        let slot = Arc::clone(&self.threads).try_acquire_owned();
        let thread = std::thread::Builder::new().name("pam".into()).stack_size(STACK);
        let run = move || {
            let Ok(_slot) = slot else {
                let cause = format!("{THREADS} sign-ins through PAM are under way");
                return asker.end(Err(Denied::Unavailable(cause)));
            };
            let talk = Rc::new(Talk {
                asker: RefCell::new(asker),
                password: Cell::new(password),
            });
            let result = work(&service, &user, &talk);
            // The transaction is over, and with it the other owner.
            if let Ok(talk) = Rc::try_unwrap(talk) {
                talk.asker.into_inner().end(result);
            }
        };
        // Without a thread the asker goes, and the conversation says that the source gave up.
        if let Err(error) = thread.spawn(run) {
            tracing::warn!(%error, "no thread for PAM");
        }
        conversation
    }
}

fn account(service: &str, user: &UserName, talk: &Rc<Talk>) -> Result<UserName, Denied> {
    let begin = TransactionBuilder::new_with_service(service).username(user.as_str());
    let mut transaction = begin.build(Share(Rc::clone(talk))).map_err(unavailable)?;
    let active = transaction.account_management(AuthnFlags::empty());
    active.map_err(|error| not_active(error, talk.said()))?;
    Ok(user.clone())
}

fn check(service: &str, user: &UserName, talk: &Rc<Talk>) -> Result<UserName, Denied> {
    let begin = TransactionBuilder::new_with_service(service).username(user.as_str());
    let mut transaction = begin.build(Share(Rc::clone(talk))).map_err(unavailable)?;
    let authenticated = transaction.authenticate(AuthnFlags::empty());
    authenticated.map_err(|error| not_authenticated(error, talk.said()))?;
    let active = transaction.account_management(AuthnFlags::empty());
    active.map_err(|error| not_active(error, talk.said()))?;
    // A module may know somebody by another name than they typed.
    let known_as = transaction.items().user().map_err(unavailable)?;
    let known_as = known_as.unwrap_or_default().to_string_lossy().into_owned();
    UserName::from_typed(&known_as).map_err(|e| Denied::Unavailable(format!("PAM's name for {user} {e}")))
}

fn not_authenticated(error: ErrorCode, said: String) -> Denied {
    match error {
        ErrorCode::AuthenticationError
        | ErrorCode::UserUnknown
        | ErrorCode::MaxTries
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthTokError
        | ErrorCode::ConversationError => Denied::Wrong { said },
        error => not_active(error, said),
    }
}

fn not_active(error: ErrorCode, said: String) -> Denied {
    match error {
        ErrorCode::NewAuthTokRequired | ErrorCode::AuthTokExpired | ErrorCode::CredentialsExpired => {
            Denied::PasswordExpired { said }
        }
        ErrorCode::AccountExpired
        | ErrorCode::AuthenticationError
        | ErrorCode::PermissionDenied
        | ErrorCode::UserUnknown => Denied::Inactive { since: None, said },
        error => unavailable(error),
    }
}

fn unavailable(error: ErrorCode) -> Denied {
    Denied::Unavailable(format!("PAM: {error}"))
}

/// Answers PAM's questions: the first hidden one with the password, all others by asking the person.
struct Talk {
    asker: RefCell<Asker>,
    password: Cell<Option<SecretString>>,
}

impl Talk {
    fn said(&self) -> String {
        self.asker.borrow().said().to_owned()
    }

    fn ask(&self, kind: ChallengeKind, question: &OsStr, choices: &[&str]) -> nonstick::Result<OsString> {
        let choices = choices.iter().map(ToString::to_string).collect();
        let answer = self
            .asker
            .borrow_mut()
            .ask_blocking(kind, &question.to_string_lossy(), choices);
        text(&answer.ok_or(ErrorCode::ConversationError)?)
    }
}

/// PAM's share of a talk.
struct Share(Rc<Talk>);

impl nonstick::Conversation for Share {
    fn communicate(&self, messages: &[Exchange<'_>]) {
        let talk = &self.0;
        for message in messages {
            match message {
                Exchange::MaskedPrompt(asked) => asked.set_answer(match talk.password.take() {
                    Some(password) => text(&password),
                    None => talk.ask(ChallengeKind::Secret, asked.question(), &[]),
                }),
                Exchange::Prompt(asked) => asked.set_answer(talk.ask(ChallengeKind::Code, asked.question(), &[])),
                // Linux-PAM: "yes/no/maybe".
                Exchange::RadioPrompt(asked) => {
                    asked.set_answer(talk.ask(ChallengeKind::Choice, asked.question(), &["yes", "no"]));
                }
                Exchange::Info(said) => {
                    talk.asker.borrow_mut().say(&said.question().to_string_lossy());
                    said.set_answer(Ok(()));
                }
                Exchange::Error(said) => {
                    talk.asker.borrow_mut().say(&said.question().to_string_lossy());
                    said.set_answer(Ok(()));
                }
                other => other.set_error(ErrorCode::ConversationError),
            }
        }
    }
}

/// C's strings end with their first zero.
fn text(secret: &SecretString) -> nonstick::Result<OsString> {
    let text = secret.expose_secret();
    if text.contains('\0') {
        return Err(ErrorCode::ConversationError);
    }
    Ok(text.into())
}
