//! `[[event]]`, `[[profile]]`, `[[interface]]` and who they are for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use shared::api::{Bilingual, InterfaceView};
use shared::names::{InterfaceName, ProfileName, UserName};
use shared::options::EventView;
use shared::raw::RawOptions;

use super::policy::{Most, check_choices, check_lock};
use super::{Wrong, amount};

/// People of the site by what they have in common, as `[groups]` names them.
pub type Groups = BTreeMap<String, BTreeSet<UserName>>;

/// Something dated that changes what some people may choose: a course, a workshop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its name in links.
    pub name: ProfileName,
    /// What it is called.
    pub title: Bilingual,
    /// When it begins.
    #[serde(deserialize_with = "amount::moment")]
    pub from: i64,
    /// When it ends.
    #[serde(deserialize_with = "amount::moment")]
    pub until: i64,
    /// For people who may charge one of these compute accounts …
    #[serde(default)]
    pub accounts: BTreeSet<String>,
    /// … or who are in one of these groups …
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// … or are named here. With none of the three it is for everybody.
    #[serde(default)]
    pub users: BTreeSet<UserName>,
    /// Who may see how the others are doing.
    #[serde(default)]
    pub instructors: BTreeSet<UserName>,
    /// See [`super::Options::lock`].
    #[serde(default)]
    pub lock: RawOptions,
    /// See [`super::Options::choices`].
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<String>>,
    /// See [`super::Options::most`].
    #[serde(default)]
    pub most: Most,
    /// Whoever logs in gets a server without being asked anything.
    #[serde(default)]
    pub skip_form: bool,
    /// The path below `/user/<name>/` that opens, in place of the interface's own.
    pub open: Option<String>,
}

/// Values that the site has a name for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name in links.
    pub name: ProfileName,
    /// Its name for people.
    pub label: Bilingual,
    /// What it is for.
    pub about: Option<Bilingual>,
    /// The values.
    pub options: RawOptions,
}

/// Something that a server can be opened with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its name in links. `lab`, `notebook` and `terminal` have words and a path of their own.
    pub name: InterfaceName,
    /// Its name for people.
    pub label: Option<Bilingual>,
    /// What it is for, in a sentence.
    pub about: Option<Bilingual>,
    /// The path below `/user/<name>/` that opens it.
    pub path: Option<String>,
    /// It is recommended.
    #[serde(default)]
    pub recommended: bool,
    /// Shell lines for its jobs, after those of `[job]`.
    #[serde(default)]
    pub setup: String,
    /// Modules for its jobs, loaded before these lines.
    #[serde(default)]
    pub modules: Vec<String>,
    /// More arguments for Jupyter.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// See [`Event::accounts`].
    #[serde(default)]
    pub accounts: BTreeSet<String>,
    /// See [`Event::groups`].
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// See [`Event::users`].
    #[serde(default)]
    pub users: BTreeSet<UserName>,
}

/// Whom something is for.
pub struct Audience<'a> {
    accounts: &'a BTreeSet<String>,
    groups: &'a BTreeSet<String>,
    users: &'a BTreeSet<UserName>,
}

impl Audience<'_> {
    /// Whether it is for this person, who may charge these compute accounts.
    pub fn includes<'n>(&self, user: &UserName, mut accounts: impl Iterator<Item = &'n str>, groups: &Groups) -> bool {
        let named = |group: &String| groups.get(group).is_some_and(|people| people.contains(user));
        (self.accounts.is_empty() && self.groups.is_empty() && self.users.is_empty())
            || self.users.contains(user)
            || self.groups.iter().any(named)
            || accounts.any(|account| self.accounts.contains(account))
    }

    fn check(&self, key: &'static str, groups: &Groups) -> Result<(), Wrong> {
        match self.groups.iter().find(|group| !groups.contains_key(*group)) {
            Some(group) => Err((key, format!("there is no {group:?} in [groups]"))),
            None => Ok(()),
        }
    }
}

/// A path that stays below a person's own.
fn is_own_path(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with(['/', '\\'])
        && !path.split(['/', '\\']).any(|part| part == "..")
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
}

fn bilingual(en: &str, fr: &str) -> Bilingual {
    Bilingual {
        en: en.into(),
        fr: fr.into(),
    }
}

impl Event {
    /// Whom it is for.
    pub fn audience(&self) -> Audience<'_> {
        Audience {
            accounts: &self.accounts,
            groups: &self.groups,
            users: &self.users,
        }
    }

    /// It has begun and not ended.
    pub fn is_on(&self, now: i64) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// As this person sees it.
    pub fn view(&self, user: &UserName) -> EventView {
        EventView {
            name: self.name.clone(),
            title: self.title.clone(),
            starts_at: self.from,
            ends_at: self.until,
            instructor: self.instructors.contains(user),
        }
    }

    pub(super) fn check(&self, groups: &Groups) -> Result<(), Wrong> {
        if self.until <= self.from {
            return Err(("event.until", "has to be after from".into()));
        }
        if self.open.as_deref().is_some_and(|path| !is_own_path(path)) {
            let message = "has to be a path below the person's own, without a slash in front, as in lab/tree/course";
            return Err(("event.open", message.into()));
        }
        self.audience().check("event.groups", groups)?;
        check_lock("event.lock", &self.lock)?;
        check_choices("event.choices", &self.choices)
    }
}

impl Profile {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        check_lock("profile.options", &self.options)
    }
}

impl Interface {
    /// One of those that have words and a path of their own.
    fn known(name: &str) -> Option<Self> {
        Some(Self {
            name: InterfaceName::new(name).ok()?,
            label: None,
            about: None,
            path: None,
            recommended: name == "lab",
            setup: String::new(),
            modules: Vec::new(),
            arguments: Vec::new(),
            accounts: BTreeSet::new(),
            groups: BTreeSet::new(),
            users: BTreeSet::new(),
        })
    }

    /// What there is where a site says nothing.
    pub(super) fn usual() -> Vec<Self> {
        ["lab", "notebook", "terminal"]
            .into_iter()
            .filter_map(Self::known)
            .collect()
    }

    /// Whom it is for.
    pub fn audience(&self) -> Audience<'_> {
        Audience {
            accounts: &self.accounts,
            groups: &self.groups,
            users: &self.users,
        }
    }

    /// As people see it.
    pub fn view(&self) -> InterfaceView {
        let (label, about, path) = match self.name.as_str() {
            "lab" => (
                bilingual("JupyterLab", "JupyterLab"),
                bilingual(
                    "Notebooks, files, consoles and terminals in one window.",
                    "Carnets, fichiers, consoles et terminaux dans une même fenêtre.",
                ),
                "lab",
            ),
            "notebook" => (
                bilingual("Notebook", "Notebook"),
                bilingual(
                    "One document at a time, as in the classic Jupyter Notebook.",
                    "Un document à la fois, comme dans le Jupyter Notebook classique.",
                ),
                "tree",
            ),
            "terminal" => (
                bilingual("Terminal", "Terminal"),
                bilingual(
                    "A shell on the compute node, as with SSH.",
                    "Un interpréteur de commandes sur le nœud de calcul, comme par SSH.",
                ),
                "terminals/1",
            ),
            other => (bilingual(other, other), Bilingual::default(), ""),
        };
        InterfaceView {
            name: self.name.clone(),
            label: self.label.clone().unwrap_or(label),
            about: self.about.clone().unwrap_or(about),
            path: self.path.clone().unwrap_or_else(|| path.to_owned()),
            recommended: self.recommended,
            changeable: self.setup.trim().is_empty() && self.modules.is_empty() && self.arguments.is_empty(),
        }
    }

    /// The shell lines of its jobs.
    pub fn lines(&self) -> String {
        let load = |lines: String, module: &String| format!("{lines}module load {module}\n");
        self.modules.iter().fold(String::new(), load) + &self.setup
    }

    pub(super) fn check(&self, groups: &Groups) -> Result<(), Wrong> {
        let view = self.view();
        if !is_own_path(&view.path) {
            let message =
                "has to be the path below the person's own that opens it, without a slash in front, as in rstudio/";
            return Err(("interface.path", message.into()));
        }
        if view.label.en.trim().is_empty() || view.label.fr.trim().is_empty() {
            return Err(("interface.label", "is empty".into()));
        }
        let module = |name: &String| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.+".contains(&b))
        };
        if let Some(odd) = self.modules.iter().find(|name| !module(name)) {
            return Err(("interface.modules", format!("{odd:?} is not the name of a module")));
        }
        if self
            .arguments
            .iter()
            .any(|argument| argument.contains(['\n', '\0']) || !argument.starts_with("--"))
        {
            return Err((
                "interface.arguments",
                "each has to start with --, as in \"--ServerApp.answer_yes=True\"".into(),
            ));
        }
        self.audience().check("interface.groups", groups)
    }
}

/// An error for the first name that comes twice.
pub(super) fn once<'a, N: Ord + std::fmt::Display + 'a>(
    key: &'static str,
    names: impl Iterator<Item = &'a N>,
) -> Result<(), (Wrong, usize)> {
    let mut seen = BTreeSet::new();
    for (nth, name) in names.enumerate() {
        if !seen.insert(name) {
            return Err(((key, format!("there are two {name}")), nth));
        }
    }
    Ok(())
}
