//! The sealed state of a sign-in that a browser keeps: whatever is sent in its place, only the very state that was
//! sealed is one, and nothing else begins, answers or cancels a sign-in.

#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot be prepared ends the run")]

use std::net::IpAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use backend::auth::{Authenticator, Conversation, Conversations, LoginAttempt, Turn};
use backend::clock::Clock;
use backend::keys::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use shared::names::UserName;
use shared::sign_in::ChallengeKind;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Asks for a code, and waits for it in a thread of its own; counts how often it was begun.
struct Asks;

static BEGUN: AtomicUsize = AtomicUsize::new(0);

impl Authenticator for Asks {
    fn begin(&self, attempt: LoginAttempt) -> Conversation {
        BEGUN.fetch_add(1, Ordering::SeqCst);
        let (conversation, mut asker) = Conversation::new();
        std::thread::spawn(move || {
            if asker.ask_blocking(ChallengeKind::Code, "Code:", Vec::new()).is_some() {
                asker.end(Ok(attempt.user));
            }
        });
        conversation
    }

    fn is_active(&self, user: &UserName, _: Option<IpAddr>) -> Conversation {
        let (conversation, asker) = Conversation::new();
        asker.end(Ok(user.clone()));
        conversation
    }
}

struct Site {
    runtime: tokio::runtime::Runtime,
    conversations: Conversations,
    /// The one sign-in under way.
    state: String,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let key = Secret {
        path: "key".into(),
        bytes: (0..48).collect::<Vec<u8>>().into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let conversations = Conversations::new(Box::new(Asks), &[key], Clock::fixed(1_800_000_000)).unwrap();
    let ada = UserName::new("ada").unwrap();
    let turn = runtime.block_on(conversations.begin(Some(&ada), "x".into(), HERE));
    let Turn::Asks(challenge) = turn else {
        panic!("nothing is asked")
    };
    Site {
        runtime,
        conversations,
        state: challenge.view.state,
    }
});

fuzz_target!(|data: &[u8]| {
    let Site {
        runtime,
        conversations,
        state,
    } = &*SITE;
    let text = String::from_utf8_lossy(data).replace("{state}", state);
    let bytes = URL_SAFE_NO_PAD.encode(data);
    for sent in [Some(text), Some(bytes), change(data, state)].into_iter().flatten() {
        if sent == *state {
            assert_eq!(conversations.flow(&sent).unwrap().user.as_str(), "ada");
            continue;
        }
        assert_eq!(conversations.flow(&sent), None, "{sent:?}");
        assert_eq!(conversations.cancel(&sent), None, "{sent:?}");
        let turn = runtime.block_on(conversations.go_on(&sent, Some("1".into()), HERE));
        assert!(turn.is_none(), "{sent:?}");
    }
    assert!(conversations.flow(state).unwrap().is_held, "it was ended");
    assert_eq!(BEGUN.load(Ordering::SeqCst), 1, "another one was begun");
});

/// The state with some bytes changed, put in or taken out below its encoding, as the input says.
fn change(data: &[u8], state: &str) -> Option<String> {
    let (&[high, low, how], with) = data.split_first_chunk()?;
    let mut bytes = URL_SAFE_NO_PAD.decode(state).unwrap();
    let at = usize::from(u16::from_be_bytes([high, low])) % bytes.len();
    match how % 3 {
        0 => bytes
            .iter_mut()
            .skip(at)
            .zip(with)
            .for_each(|(byte, with)| *byte ^= with),
        1 => drop(bytes.splice(at..at, with.iter().copied())),
        _ => bytes.truncate(at),
    }
    Some(URL_SAFE_NO_PAD.encode(bytes))
}
