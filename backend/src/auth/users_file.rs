//! Accounts in a file: names, argon2 hashes, and whether the account is active.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argon2::password_hash::{Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::names::UserName;

use super::decoy::LONGEST;
use super::password_checks::PasswordChecks;
use super::{Authenticator, Conversation, Denied, LoginAttempt};
use crate::{keys, parse_error, permissions};

/// The file: `[users.NAME]` with `password = "$argon2id$…"`, and `inactive = true` or a text that says
/// since when.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Users {
    #[serde(default)]
    users: BTreeMap<String, User>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    password: String,
    #[serde(default)]
    inactive: Inactive,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Inactive {
    Flag(bool),
    Since(String),
}

impl Default for Inactive {
    fn default() -> Self {
        Self::Flag(false)
    }
}

/// Checks passwords against a file, which is read for every sign-in: an account that was added or made
/// inactive counts at once.
pub struct UsersFile {
    accounts: Arc<Accounts>,
    checks: Arc<PasswordChecks>,
}

struct Accounts {
    path: PathBuf,
    /// What the password of an unknown name is checked against, so that it takes as long.
    decoy: String,
}

impl UsersFile {
    /// With a file that has to be readable now, by nobody else. Says what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, String> {
        permissions::check_accounts(path).map_err(|e| e.to_string())?;
        read(path)?;
        let accounts = Arc::new(Accounts {
            path: path.to_owned(),
            decoy: nobodys_hash()?,
        });
        let verifier = Arc::clone(&accounts);
        let checks = PasswordChecks::new(move |attempt, blocks| verifier.verify(attempt, blocks));
        Ok(Self { accounts, checks })
    }
}

impl Authenticator for UsersFile {
    fn begin(&self, attempt: LoginAttempt) -> Conversation {
        let (conversation, asker) = Conversation::new();
        self.checks.add(attempt, asker);
        conversation
    }

    fn is_active(&self, user: &UserName, _: Option<IpAddr>) -> Conversation {
        let (conversation, asker) = Conversation::new();
        let users = read(&self.accounts.path).map_err(Denied::Unavailable);
        let closed = Denied::Inactive {
            since: None,
            said: String::new(),
        };
        let active = |users: Users| match users.users.get(user.as_str()) {
            Some(found) => active(Some(found), user.clone()),
            None => Err(closed),
        };
        asker.end(users.and_then(active));
        conversation
    }

    fn credential(&self, user: &UserName) -> Option<SecretString> {
        let users = read(&self.accounts.path).ok()?.users;
        users.get(user.as_str()).map(|user| user.password.as_str().into())
    }
}

impl Accounts {
    /// Reads the file here, on a worker: under load, reading it for every request would take the cores from the queue.
    fn verify(&self, attempt: &LoginAttempt, blocks: &mut Vec<Block>) -> Result<UserName, Denied> {
        let users = read(&self.path).map_err(Denied::Unavailable)?;
        let found = users.users.get(attempt.user.as_str());
        let expected = found.map_or(&self.decoy, |user| &user.password);
        let right = verify(expected, &attempt.password, blocks);
        active(found.filter(|_| right), attempt.user.clone())
    }
}

/// The name of an account that is there and active.
fn active(found: Option<&User>, user: UserName) -> Result<UserName, Denied> {
    let since = match &found.ok_or_else(Denied::wrong)?.inactive {
        Inactive::Flag(false) => return Ok(user),
        Inactive::Flag(true) => None,
        Inactive::Since(since) => Some(since.clone()),
    };
    let said = String::new();
    Err(Denied::Inactive { since, said })
}

fn read(path: &Path) -> Result<Users, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {}", path.display(), parse_error::toml(&e, &text)))
}

/// Whether the password has this hash (`PasswordVerifier`, with memory of our own).
fn verify(hash: &str, password: &SecretString, blocks: &mut Vec<Block>) -> bool {
    let mut computed = || {
        let hash = PasswordHash::new(hash).ok()?;
        let (expected, mut salt) = (hash.hash?, [0; 64]);
        let salt = hash.salt?.decode_b64(&mut salt).ok()?;
        let params = Params::try_from(&hash).ok()?;
        blocks.resize(params.block_count(), Block::new());
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from).ok()?;
        let mut computed = vec![0; expected.len()];
        Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password.expose_secret().as_bytes(), salt, &mut computed, &mut *blocks)
            .ok()?;
        // `Output` compares in the same time, whatever the difference.
        Some(Output::new(&computed).ok()? == expected)
    };
    computed() == Some(true)
}

/// A hash of no password: as much work to check as any other, and none to make.
fn nobodys_hash() -> Result<String, String> {
    let (salt, hash): ([u8; 16], [u8; 32]) = (
        keys::random().map_err(|e| e.to_string())?,
        keys::random().map_err(|e| e.to_string())?,
    );
    let whole = || {
        let salt = SaltString::encode_b64(&salt)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: (&Params::default()).try_into()?,
            salt: Some(salt.as_salt()),
            hash: Some(Output::new(&hash)?),
        };
        Ok(hash.to_string())
    };
    whole().map_err(|e: argon2::password_hash::Error| e.to_string())
}

/// An argon2id hash with OWASP's parameters (19 MiB, two passes).
fn hash(password: &SecretString) -> Result<String, String> {
    let salt: [u8; 16] = keys::random().map_err(|e| e.to_string())?;
    let salt = SaltString::encode_b64(&salt).map_err(|e| e.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
    argon2
        .hash_password(password.expose_secret().as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|e| e.to_string())
}

/// Adds an account to the file, or gives it a new password; makes the file, mode 0600, if there is none.
pub fn add_user(path: &Path, user: &UserName, password: &SecretString) -> Result<(), String> {
    let length = password.expose_secret().len();
    if length > LONGEST {
        return Err(format!(
            "the password has {length} bytes; the longest that signs in has {LONGEST}"
        ));
    }
    let before = if path.exists() {
        std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?
    } else {
        String::new()
    };
    let mut users: toml::Table = before
        .parse()
        .map_err(|e| format!("{}: {}", path.display(), parse_error::toml(&e, &before)))?;
    let all = users
        .entry("users")
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let all = all
        .as_table_mut()
        .ok_or_else(|| format!("{}: `users` is not a table", path.display()))?;
    let entry = all
        .entry(user.as_str())
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let entry = entry
        .as_table_mut()
        .ok_or_else(|| format!("{}: `users.{user}` is not a table", path.display()))?;
    entry.insert("password".into(), hash(password)?.into());
    let mut text = String::from("# Accounts of Slipway; `slipway user add FILE NAME` adds one.\n");
    let _ = write!(text, "{}", toml::to_string(&users).map_err(|e| e.to_string())?);
    // Written beside and renamed: a sign-in never reads half a file.
    let new = path.with_extension("new");
    let _ = std::fs::remove_file(&new);
    match std::fs::metadata(path) {
        Ok(before) => keys::write_like(&new, text.as_bytes(), &before),
        Err(_) => keys::write_private(&new, text.as_bytes()),
    }
    .map_err(|e| e.to_string())?;
    std::fs::rename(&new, path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Step;
    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        (folder, path)
    }

    fn attempt(user: &UserName, password: &str) -> LoginAttempt {
        LoginAttempt {
            user: user.clone(),
            password: password.into(),
            address: [192, 0, 2, 1].into(),
        }
    }

    async fn answer(users: &UsersFile, user: &UserName, password: &str) -> Result<UserName, Denied> {
        match users.begin(attempt(user, password)).next(None).await {
            Step::Over(result) => result,
            step => panic!("nothing is asked here: {step:?}"),
        }
    }

    #[tokio::test]
    async fn an_added_account_signs_in_with_its_password_only() {
        let (_folder, path) = file();
        let (ada, bob) = (UserName::new("ada").unwrap(), UserName::new("bob").unwrap());
        add_user(&path, &ada, &"correct horse".into()).unwrap();
        add_user(&path, &bob, &"battery staple".into()).unwrap();
        let users = UsersFile::open(&path).unwrap();
        assert_eq!(answer(&users, &ada, "correct horse").await, Ok(ada.clone()));
        assert_eq!(answer(&users, &ada, "battery staple").await, Err(Denied::wrong()));
        let eve = UserName::new("eve").unwrap();
        assert_eq!(answer(&users, &eve, "x").await, Err(Denied::wrong()));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_name_that_is_not_there_takes_as_much_work_as_one_that_is() {
        let (_folder, path) = file();
        let (ada, eve) = (UserName::new("ada").unwrap(), UserName::new("eve").unwrap());
        add_user(&path, &ada, &"correct horse".into()).unwrap();
        let users = UsersFile::open(&path).unwrap();
        let hash = &read(&path).unwrap().users["ada"].password;
        let work = |hash: &str| Params::try_from(&PasswordHash::new(hash).unwrap()).unwrap();
        let (known, decoy) = (work(hash), work(&users.accounts.decoy));
        assert_eq!((known.m_cost(), known.t_cost()), (decoy.m_cost(), decoy.t_cost()));
        let length = |hash: &str| PasswordHash::new(hash).unwrap().hash.unwrap().len();
        assert_eq!(length(hash), length(&users.accounts.decoy));
        // An attempt that were answered without a check would have its answer although no worker runs.
        users.checks.stop();
        for user in [&ada, &eve] {
            let conversation = users.begin(attempt(user, "wrong"));
            let answer = tokio::time::timeout(Duration::from_millis(100), conversation.next(None)).await;
            assert!(answer.is_err(), "{user}'s password is not checked: {answer:?}");
        }
    }

    #[tokio::test]
    async fn an_inactive_account_is_told_so_only_with_the_right_password() {
        let (_folder, path) = file();
        let ada = UserName::new("ada").unwrap();
        add_user(&path, &ada, &"correct horse".into()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            text.replace("[users.ada]", "[users.ada]\ninactive = \"2026-04-01\""),
        )
        .unwrap();
        let users = UsersFile::open(&path).unwrap();
        let inactive = Denied::Inactive {
            since: Some("2026-04-01".into()),
            said: String::new(),
        };
        assert_eq!(answer(&users, &ada, "correct horse").await, Err(inactive));
        assert_eq!(answer(&users, &ada, "wrong").await, Err(Denied::wrong()));
    }

    #[test]
    fn a_file_with_an_unknown_key_is_refused() {
        let (_folder, path) = file();
        keys::write_private(&path, b"[users.ada]\npasswort = \"x\"\n").unwrap();
        assert!(UsersFile::open(&path).err().unwrap().contains("passwort"));
    }
}
