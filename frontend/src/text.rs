//! Every word a person reads: one function for each message, in `en.rs` and `fr.rs` side by side.
//!
//! French is written, not translated word by word: vouvoiement, and the words of the field (grappe, cœurs,
//! compte de calcul, file d’attente, Démarrer).

mod en;
pub(crate) mod format;
mod fr;
mod reason;

use leptos::prelude::*;
use shared::options::{FieldError, Interface, UserOptions};
use shared::server::{EndCause, EndView, Phase};

use self::format::When;
pub(crate) use self::reason::Reason;
use crate::task::effect;
use crate::{document, preferences};

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locale {
    /// English.
    En,
    /// French.
    Fr,
}

impl Locale {
    /// Every language, with its own name for itself.
    pub(crate) const ALL: [(Self, &str); 2] = [(Self::En, "English"), (Self::Fr, "Français")];

    /// The language for a tag such as `fr-CA`.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        match tag.get(..2)? {
            "en" => Some(Self::En),
            "fr" => Some(Self::Fr),
            _ => None,
        }
    }

    /// The tag for `lang="…"`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The messages in this language.
    pub(crate) fn text(self) -> &'static Tongue {
        match self {
            Self::En => &en::English,
            Self::Fr => &fr::French,
        }
    }
}

/// The messages, in one language or the other.
pub(crate) type Tongue = dyn Text + Sync;

/// The chosen language, and messages in it that follow when it changes.
#[derive(Clone, Copy)]
pub(crate) struct Words(pub(crate) RwSignal<Locale>);

impl Words {
    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The messages; follows the language.
    pub(crate) fn text(self) -> &'static Tongue {
        self.0.get().text()
    }

    /// A fixed message.
    pub(crate) fn say(self, message: fn(&Tongue) -> &'static str) -> Signal<String> {
        Signal::derive(move || message(self.text()).to_owned())
    }

    /// A message with something in it.
    pub(crate) fn tell(self, message: impl Fn(&Tongue) -> String + Send + Sync + 'static) -> Signal<String> {
        Signal::derive(move || message(self.text()))
    }
}

/// The messages without anything in them: a table in each language, which weighs less than functions.
macro_rules! words {
    ($($name:ident)*) => {
        /// The messages without anything in them, in one language.
        pub(crate) struct Fixed { $($name: &'static str,)* }

        impl Tongue {
            $(pub(crate) fn $name(&self) -> &'static str { self.words().$name })*
        }
    };
}

words! {
    // The frame.
    skip language colours colours_system colours_light colours_dark online no_connection your_account log_out
    documentation status_page support one_moment trouble_title
    // Failures.
    no_server no_server_advice unreachable not_understood slurm_unreachable try_again already_running
    go_to_server slurm_said refused problem_title not_signed_in cross_site
    // Log in.
    login_title log_in logging_in username password show hide show_password hide_password username_missing
    password_missing wrong_password other_hubs log_out_title log_out_lead stop_too answer go_on sign_in_over
    sign_in_unavailable password_expired log_in_again ends_lead ended_lead
    // 403, 404.
    inactive_title inactive_lead inactive_steps renew_account no_association_lead not_yours_title
    not_yours_advice not_found_title not_found_lead go_home
    // Home.
    unknown_server home_title start change open stop stop_question stop_yes stop_no stopping view_start
    no_server_running running node cores_label memory_label gpu_label account_label until_label
    save_your_work time_over
    // Options.
    options_title filled_by_link account account_hint time cores memory_field gpu gpu_hint gpu_none gpu_count
    interface interface_lab interface_notebook interface_terminal lab notebook terminal recommended
    your_request incomplete sending
    // Starting.
    starting_title step_sending step_sent step_queued step_opening step_done step_now step_next may_be_sooner
    keep_waiting kept_waiting suspended cancel cancelling opening_lead two_minutes_left one_minute_left
    nothing_to_wait_for choose_options
    // Ended, not running.
    did_not_start has_ended was_cancelled was_stopped start_again not_running_title not_running_lead
    not_running_then not_running_defaults open_now log_is_in
}

/// What the page says. Amounts are in the API's units: minutes, MiB; spans are in seconds.
pub(crate) trait Text {
    /// The messages without anything in them.
    fn words(&self) -> &'static Fixed;

    // The frame.
    /// The cluster's scheduler has been silent since then.
    fn silent(&self, since: &When) -> String;
    /// What is shown is from then, because Slurm is silent.
    fn as_of(&self, since: &When) -> String;

    // Failures.
    /// A defect, with the number support needs.
    fn internal(&self, request_id: &str) -> String;

    // Log in.
    /// When the sign-in ends.
    fn ends_soon(&self, when: &When) -> String;
    /// Too many wrong passwords; for how long.
    fn throttled(&self, seconds: i64) -> String;

    // 403, 404.
    /// No access to this cluster.
    fn no_association_title(&self, cluster: &str) -> String;
    /// The second step to get access.
    fn enable_access(&self, cluster: &str) -> String;
    /// A date.
    fn date(&self, when: &When) -> String;
    /// Inactive since (as the site says it).
    fn inactive_since(&self, since: &str) -> String;
    /// Whose page this is, and who is signed in.
    fn not_yours(&self, owner: &str, me: &str) -> String;

    // Home.
    /// What was or will be asked for, with its end, as one sentence.
    fn request(&self, options: &UserOptions, until: &When) -> String;
    /// The same without an end.
    fn request_plain(&self, options: &UserOptions) -> String;
    /// How much time is left.
    fn left(&self, seconds: i64) -> String;
    /// An amount of memory.
    fn memory(&self, mib: u64) -> String;
    /// A moment.
    fn at(&self, when: &When) -> String;
    /// What became of the last server.
    fn last_one(&self, end: &EndView) -> String;

    // Options.
    /// The limit of time, and how to write it.
    fn time_hint(&self, min: u64, max: u64) -> String;
    /// The limits of cores.
    fn cores_hint(&self, min: u64, max: u64) -> String;
    /// The limits of memory.
    fn memory_hint(&self, min: u64, max: u64) -> String;
    /// When a time ends.
    fn until(&self, when: &When) -> String;
    /// A time as a quick pick.
    fn hours(&self, minutes: u64) -> String;
    /// Memory for each core as a quick pick.
    fn per_core(&self, per_core: u64, total: u64) -> String;
    /// How many GPUs of a type there can be.
    fn gpu_up_to(&self, max: u32) -> String;
    /// What is wrong with an option.
    fn problem(&self, error: &FieldError) -> String;

    // Starting.
    /// The third step.
    fn step_starting(&self, node: Option<&str>) -> String;
    /// A phase as the tab's title and for a screen reader.
    fn phase(&self, phase: Phase) -> &'static str;
    /// Why a job waits, in plain words.
    fn reason(&self, reason: &Reason<'_>) -> String;
    /// When Slurm expects to start it.
    fn expected(&self, when: &When) -> String;
    /// How long it waits, and how long until the wait is given up.
    fn waited(&self, waited: i64, left: Option<i64>) -> String;
    /// When Slurm told why the job waits.
    fn told(&self, seconds: i64) -> String;
    /// The job runs, Jupyter starts.
    fn starting_for(&self, seconds: i64) -> String;
    /// The state is old.
    fn no_news(&self, seconds: i64, when: &When) -> String;

    // Ended, not running.
    /// What happened.
    fn end(&self, end: &EndView) -> String;
    /// What to do about it.
    fn advice(&self, cause: &EndCause) -> &'static str;
    /// The job's number.
    fn job(&self, id: u64) -> String;
}

/// What an interface is called and what it is for.
pub(crate) fn interface_words(text: &Tongue, interface: Interface) -> (&'static str, &'static str) {
    match interface {
        Interface::Lab => (text.lab(), text.interface_lab()),
        Interface::Notebook => (text.notebook(), text.interface_notebook()),
        Interface::Terminal => (text.terminal(), text.interface_terminal()),
    }
}

const REMEMBERED: &str = "slipway-language";

/// The language of the page: what was chosen here before, else what the server wrote the document in, else the
/// browser's. Setting it shows and remembers it.
pub(crate) fn provide() {
    let tag = preferences::recall(REMEMBERED)
        .or_else(|| document::attribute("lang"))
        .or_else(document::browser_language);
    let locale = RwSignal::new(tag.and_then(|tag| Locale::from_tag(&tag)).unwrap_or(Locale::En));
    provide_context(Words(locale));
    let mut shown = None;
    effect(move || {
        let now = locale.get();
        document::set_attribute("lang", now.tag());
        if shown.replace(now).is_some_and(|before| before != now) {
            preferences::remember(REMEMBERED, now.tag());
        }
    });
}
