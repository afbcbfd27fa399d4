//! PAM: the machine's own rules say who somebody is, and may ask for more than a password.

use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use nonstick::conv::Exchange;
use nonstick::items::{Items, ItemsMut};
use nonstick::{AuthnFlags, ErrorCode, PamShared, Transaction, TransactionBuilder};
use secrecy::{ExposeSecret, SecretString};
use shared::names::UserName;
use shared::sign_in::ChallengeKind;

use super::pam_threads::Threads;
use super::{Asker, Authenticator, Conversation, Denied, LoginAttempt};
use crate::config::Config;

/// Modules are C, and some are generous with the stack.
const STACK: usize = 1024 * 1024;
/// Linux-PAM's `PAM_MAX_RESP_SIZE`, with the zero at the end: modules rely on it, and some hashes take long for more.
const LONGEST: usize = 511;

/// A service of PAM.
pub struct Pam {
    service: String,
    config: Arc<Config>,
    sign_ins: Arc<Threads>,
    /// Of their own: people who wait for an approval hold up nobody who is signed in.
    checks: Arc<Threads>,
}

impl Pam {
    /// For the service of this name, a file of `/etc/pam.d`.
    pub fn new(service: &str, config: Arc<Config>) -> Self {
        Self {
            service: service.to_owned(),
            config,
            sign_ins: Arc::default(),
            checks: Arc::default(),
        }
    }
}

impl Authenticator for Pam {
    fn begin(&self, attempt: LoginAttempt) -> Conversation {
        let client = Client {
            user: attempt.user,
            address: Some(attempt.address),
        };
        self.run(&self.sign_ins, client, Some(attempt.password), check)
    }

    fn is_active(&self, user: &UserName, address: Option<IpAddr>) -> Conversation {
        let user = user.clone();
        self.run(&self.checks, Client { user, address }, None, account)
    }
}

/// Whom PAM is asked about.
struct Client {
    user: UserName,
    /// Where the request comes from; none for a check that no request caused.
    address: Option<IpAddr>,
}

/// What is found out about somebody of a service.
type Work = fn(&str, &Client, &Rc<Talk>) -> Result<OsString, Denied>;

impl Pam {
    fn run(&self, threads: &Arc<Threads>, client: Client, password: Option<SecretString>, work: Work) -> Conversation {
        let (conversation, asker) = Conversation::new();
        let thread = match Threads::acquire(threads, &client.user, client.address) {
            Ok(thread) => thread,
            Err(denied) => {
                asker.end(Err(denied));
                return conversation;
            }
        };
        let (service, config) = (self.service.clone(), Arc::clone(&self.config));
        let run = move || {
            let talk = Rc::new(Talk {
                asker: RefCell::new(asker),
                password: Cell::new(password),
            });
            let result = work(&service, &client, &talk).and_then(|name| known_as(&config, &client.user, &name));
            let result = result.and_then(|name| refuse_system_account(&config, name));
            // Whoever begins anew once they have heard the end finds this thread free.
            drop(thread);
            // The transaction is over, and with it the other owner.
            if let Ok(talk) = Rc::try_unwrap(talk) {
                talk.asker.into_inner().end(result);
            }
        };
        // Without a thread the asker goes, and the conversation says that the source gave up.
        let spawned = std::thread::Builder::new()
            .name("pam".into())
            .stack_size(STACK)
            .spawn(run);
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for PAM");
        }
        conversation
    }
}

/// A transaction that knows who signs in and from where: `PAM_RHOST` is what `pam_access`, `pam_faillock`, Duo and the
/// audit log go by.
fn transaction(service: &str, client: &Client, talk: &Rc<Talk>) -> Result<impl Transaction + use<>, Denied> {
    let builder = TransactionBuilder::new_with_service(service).username(client.user.as_str());
    let mut transaction = builder.build(Share(Rc::clone(talk))).map_err(unavailable)?;
    if let Some(address) = client.address {
        let address = OsString::from(address.to_canonical().to_string());
        let set = transaction.items_mut().set_remote_host(Some(&address));
        set.map_err(unavailable)?;
    }
    Ok(transaction)
}

fn account(service: &str, client: &Client, talk: &Rc<Talk>) -> Result<OsString, Denied> {
    let mut transaction = transaction(service, client, talk)?;
    let active = transaction.account_management(AuthnFlags::DISALLOW_NULL_AUTHTOK);
    active.map_err(|error| not_active(error, talk.said()))?;
    Ok(client.user.as_str().into())
}

/// Answers the name that PAM knows the person by.
fn check(service: &str, client: &Client, talk: &Rc<Talk>) -> Result<OsString, Denied> {
    let mut transaction = transaction(service, client, talk)?;
    // An account without a password would take any.
    let authenticated = transaction.authenticate(AuthnFlags::DISALLOW_NULL_AUTHTOK);
    authenticated.map_err(|error| not_authenticated(error, talk.said()))?;
    let active = transaction.account_management(AuthnFlags::DISALLOW_NULL_AUTHTOK);
    active.map_err(|error| not_active(error, talk.said()))?;
    let known_as = transaction.items().user().map_err(unavailable)?;
    Ok(known_as.unwrap_or_default())
}

/// A module may know somebody by another name than they typed.
fn known_as(config: &Config, user: &UserName, name: &OsStr) -> Result<UserName, Denied> {
    let name = name.to_string_lossy();
    let known_as = config.sign_in.name(&name);
    known_as.map_err(|error| Denied::Unavailable(format!("PAM knows {user} as {name:?}: the name {error}")))
}

/// Refuses who has a uid below `identity.min_uid` on this machine. Of whom it knows no uid, Slurm tells it before their job
/// begins.
fn refuse_system_account(config: &Config, user: UserName) -> Result<UserName, Denied> {
    let min_uid = config.identity.min_uid;
    match nix::unistd::User::from_name(user.as_str()) {
        Ok(Some(account)) if account.uid.as_raw() < min_uid => Err(Denied::SystemAccount(format!(
            "{user} has the uid {}, which is below identity.min_uid ({min_uid})",
            account.uid
        ))),
        Ok(_) => Ok(user),
        Err(error) => Err(Denied::Unavailable(format!("the uid of {user}: {error}"))),
    }
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

    fn say(&self, text: &OsStr) {
        self.asker.borrow_mut().say(&text.to_string_lossy());
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
                    talk.say(said.question());
                    said.set_answer(Ok(()));
                }
                Exchange::Error(said) => {
                    talk.say(said.question());
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
    if text.contains('\0') || text.len() > LONGEST {
        return Err(ErrorCode::ConversationError);
    }
    Ok(text.into())
}
