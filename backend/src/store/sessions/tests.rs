//! Rows of sessions and their ends, as two processes on one store see them.

use super::*;

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    (folder, store)
}

fn row(id: &str, user: &str) -> SessionRow {
    SessionRow {
        id: id.into(),
        user: UserName::new(user).unwrap(),
        provider: "users_file".into(),
        provider_subject: None,
        provider_sid: None,
        created_at: 100,
        authenticated_at: 100,
        last_used_at: 100,
        ends_at: 1_000,
        address: Some("192.0.2.1".into()),
        user_agent: Some("Firefox".into()),
        credential: Some("one".into()),
    }
}

fn own(row: SessionRow) -> SessionWrite {
    SessionWrite { row, is_own: true }
}

#[tokio::test]
async fn the_latest_use_counts_and_a_process_that_saw_only_the_cookie_overwrites_nothing() {
    let (_folder, store) = store().await;
    let ada = row("a", "ada");
    store.write_sessions(&[own(ada.clone())], 100).await.unwrap();
    let seen = SessionRow {
        last_used_at: 300,
        address: None,
        user_agent: None,
        credential: None,
        ..ada.clone()
    };
    let used_before = SessionRow {
        last_used_at: 200,
        ..seen.clone()
    };
    for row in [seen, used_before] {
        let write = SessionWrite { row, is_own: false };
        store.write_sessions(&[write], 310).await.unwrap();
    }
    let expected = SessionRow {
        last_used_at: 300,
        ..ada.clone()
    };
    assert_eq!(
        store.sessions_of(&ada.user, 320).await.unwrap(),
        std::slice::from_ref(&expected)
    );
    assert_eq!(store.sessions_written_since(310, 320).await.unwrap(), [expected]);
    assert!(store.sessions_written_since(311, 320).await.unwrap().is_empty());
    assert!(store.sessions_of(&ada.user, 1_000).await.unwrap().is_empty(), "expired");
}

#[tokio::test]
async fn who_signs_in_again_replaces_what_is_known_of_the_session() {
    let (_folder, store) = store().await;
    let first = row("a", "ada");
    let again = SessionRow {
        authenticated_at: 200,
        last_used_at: 200,
        ends_at: 2_000,
        address: Some("192.0.2.2".into()),
        credential: Some("two".into()),
        ..first.clone()
    };
    for row in [&first, &again, &first] {
        store.write_sessions(&[own(row.clone())], 200).await.unwrap();
    }
    assert_eq!(store.sessions_of(&first.user, 300).await.unwrap(), [again]);
}

#[tokio::test]
async fn ends_are_read_once_by_each_process_in_their_order() {
    let (folder, store) = store().await;
    for row in [row("a", "ada"), row("b", "ada"), row("c", "bob")] {
        store.write_sessions(&[own(row)], 100).await.unwrap();
    }
    store.end_session("a", 1_000, EndReason::SignedOut, 200).await.unwrap();
    let beside = Store::open_existing(&folder.path().join("slipway.db")).await.unwrap();
    let (cursor, ends) = beside.session_ends(EndCursor::default()).await.unwrap();
    assert_eq!((ends.sessions, ends.users), (vec![("a".to_owned(), 1_000)], vec![]));

    let ada = UserName::new("ada").unwrap();
    let ended = store.end_sessions_of(&ada, 50, EndReason::Administrator, 200).await;
    assert_eq!(ended.unwrap(), 1, "a has ended before");
    let (cursor, ends) = beside.session_ends(cursor).await.unwrap();
    assert_eq!(ends.sessions, [("b".to_owned(), 1_000)]);
    // Everything that has a row began before.
    assert_eq!(ends.users, [UserRevocation::new(ada.clone(), 100)]);
    let (_, ends) = beside.session_ends(cursor).await.unwrap();
    assert!(ends.sessions.is_empty() && ends.users.is_empty());
    assert!(beside.sessions_of(&ada, 200).await.unwrap().is_empty());
    assert_eq!(
        beside
            .sessions_of(&UserName::new("bob").unwrap(), 200)
            .await
            .unwrap()
            .len(),
        1
    );

    store.forget_expired_sessions(100 + LONGEST_LIFETIME).await.unwrap();
    let (_, ends) = store.session_ends(EndCursor::default()).await.unwrap();
    assert!(ends.sessions.is_empty() && ends.users.is_empty());
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_made_by_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slipway.db");
    assert!(Store::open_existing(&path).await.is_err());
    assert!(!path.exists());
}
