//! Every word a person reads: one message on each line of `en.json` and `fr.json`, side by side. They are no part of
//! the wasm: the page loads the catalogue of its language beside it, and the other one when somebody switches.
//!
//! French is written, not translated word by word: vouvoiement, and the words of the field (grappe, cœurs,
//! compte de calcul, file d’attente, Démarrer), with the typography of Canada.

pub(crate) mod format;
mod phrases;
mod why;

use std::sync::OnceLock;

use leptos::prelude::*;
use shared::api::Bilingual;
use shared::template::fill;

pub(crate) use self::phrases::Named;
#[cfg(not(target_arch = "wasm32"))]
use crate::json::Json;
use crate::task::{effect, follow, spawn};
use crate::{api, document, preferences};

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locale {
    /// English.
    En,
    /// French.
    Fr,
}

/// The catalogues that have been loaded.
static TONGUES: [OnceLock<Tongue>; 2] = [const { OnceLock::new() }; 2];

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

    /// The messages in this language, which the server has from the beginning.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn text(self) -> &'static Tongue {
        let catalogue = match self {
            Self::En => include_str!("text/en.json"),
            Self::Fr => include_str!("text/fr.json"),
        };
        self.slot().get_or_init(|| match Json::from_text(catalogue) {
            Some(Json::Object(words)) => Tongue(
                words
                    .iter()
                    .map(|(_, word)| word.text().unwrap_or_default().to_owned())
                    .collect(),
            ),
            _ => Tongue(Vec::new()),
        })
    }

    /// The messages in this language; until they are loaded, in none.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn text(self) -> &'static Tongue {
        static NONE: Tongue = Tongue(Vec::new());
        self.slot().get().unwrap_or(&NONE)
    }

    /// What somebody else wrote in both languages, in this one.
    pub(crate) fn of(self, text: &Bilingual) -> &str {
        match self {
            Self::En => &text.en,
            Self::Fr => &text.fr,
        }
    }

    fn slot(self) -> &'static OnceLock<Tongue> {
        let [en, fr] = &TONGUES;
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }

    /// Loads the messages, unless they are here; whether they are then.
    async fn load(self) -> bool {
        if self.slot().get().is_none()
            && let Some(url) = document::attribute(match self {
                Self::En => "data-en",
                Self::Fr => "data-fr",
            })
            && let Some(tongue) = api::catalogue(url).await
        {
            drop(self.slot().set(Tongue(tongue)));
        }
        self.slot().get().is_some()
    }
}

/// Names the messages. A catalogue has them in this order, under these names in small letters.
macro_rules! words {
    ($($name:ident)*) => {
        /// A message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Word { $($name,)* }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}

words! {
    // The frame.
    Skip Language Colours ColoursSystem ColoursLight ColoursDark Online Maintenance NoConnection YourAccount LogOut Documentation
    StatusPage Support OneMoment TroubleTitle LanguageFailed Silent AsOf Dismiss
    // Failures.
    NoServer NoServerAdvice Unreachable NotUnderstood SlurmUnreachable TryAgain AlreadyRunning GoToServer SlurmSaid
    Refused ProblemTitle NotSignedIn CrossSite Internal InternalNumber
    // Log in.
    LoginTitle LogIn LoggingIn Username Password Show Hide ShowPassword HidePassword UsernameMissing PasswordMissing
    WrongPassword OtherHubs LogOutTitle LogOutLead StopToo Answer GoOn SignInOver SignInUnavailable PasswordExpired
    NumericName SystemAccount SignOutNotStored
    LogInAgain EndsLead EndedLead EndsSoon Throttled
    // Limits per person.
    TooManyStarts TooManyChanges TooManyStreams
    // 403, 404.
    InactiveTitle InactiveLead InactiveSteps RenewAccount NoAssociationLead NotYoursTitle NotYoursAdvice NotFoundTitle
    NotFoundLead GoHome NoAssociationTitle EnableAccess InactiveSince NotYours
    // Home.
    UnknownServer HomeTitle Start Change Open Stop StopQuestion StopYes StopNo Stopping ViewStart NoServerRunning
    Running Node CoresLabel MemoryLabel GpuLabel AccountLabel UntilLabel SaveYourWork NextOne NextFailed NextOneHint TimeOver Request RequestPlain
    Charged InReservation Left ChangeInterface ReadMore
    // Options.
    OptionsTitle FilledByLink Account AccountHint Time Cores MemoryField Gpu GpuHint GpuNone GpuCount Interface
    Recommended YourRequest Incomplete Sending FilledByProfile FilledByLast FilledByDefaults LastRefused SetBySite
    SetByEvent EventNow EventSoon Board Profile ProfileHint ProfileNone AccountFilter AccountFound Kinds TimeHint
    CoresHint MemoryHint PerCore TheMost GpuMemory GpuPart GpuUpTo Reservation ReservationHint ReservationNone ReservationSoon
    MoreOptions Partition PartitionHint PartitionAny Features FeaturesHint FeaturesNone RoomNow RoomAt RoomNone
    RoomCores RoomMemory RoomGpu RoomTime RoomBoth RoomBefore StartWith NodesAway UseIt UseBoth RoomAge OtherRunning OtherWaiting CopyLink LinkCopied
    LinkHere Link
    // Starting.
    StartingTitle StepSending StepSent StepQueued StepOpening StepDone StepNow StepNext MayBeSooner KeepWaiting TryAndWait
    KeptWaiting Suspended Cancel Cancelling OpeningLead OpensByItself TwoMinutesLeft OneMinuteLeft NothingToWaitFor ChooseOptions
    StepStarting StepStartingOn Expected Waited WaitedLeft Told StartingFor NoNews PhaseSubmitting PhaseQueued
    PhaseStarting PhaseReady PhaseStopping PhaseEnded
    // Ended, not running.
    DidNotStart HasEnded WasCancelled WasStopped StartAgain NotRunningTitle NotRunningLead NotRunningThen
    NotRunningDefaults OpenNow LogIsIn Job HeldBy OtherJobs CancelJob CancelJobYes JobCancelled FreshStart FreshHint
    CopySupport SupportCopied SupportHere SupportLabel StartingLong Notify NotifyOn TimeLeft ServerEndsSoon History
    HistoryJob
    // What is wrong with an option; {0} is one of the first ten.
    WhatProfile WhatAccount WhatTime WhatCores WhatMemory WhatGpu WhatReservation WhatPartition WhatFeatures
    WhatInterface UnknownOption Missing MalformedTime MalformedCores MalformedMemory Malformed TooSmall TooLarge
    NotOffered NotTogether Locked NoSuchNode NoNodeAtAll
    // How it ended, and what to do about it.
    EndGaveUp EndStopped EndCancelled EndRefused EndUnreachable EndLost EndJupyterMissing EndSetupFailed EndNoPort
    EndPortNotTold EndModuleMissing EndHomeMissing EndHomeFull EndNoFolder EndSocketPathTooLong EndCancelledBy EndJupyterFailed EndFinished EndTimeLimit EndOutOfMemory EndNodeFailed EndPreempted EndOther
    AdviceNoJob AdviceNotYou AdviceHome AdviceHomeFull AdviceNoPort AdviceJupyterFailed AdviceTimeLimit
    AdviceOutOfMemory AdviceAgain AdviceSaved AdviceOther
    // How the people of an event are doing.
    BoardTitle BoardCounts BoardNobody BoardPerson BoardState BoardSince BoardWhy BoardFailed
    // Moments, amounts, numbers. Four moments: today, tomorrow, yesterday, another day.
    Moment At Until Ends Since Clock DayAndMonth FirstDay Date Months Comma Gb Mb CoresAmount GpuAmount
}

/// The messages, in one language: `{0}`, `{1}`, … stand for what is filled in, `|` is between forms of one message.
pub(crate) struct Tongue(Vec<String>);

impl Tongue {
    /// A message.
    pub(crate) fn get(&self, word: Word) -> &str {
        self.0.get(word as usize).map_or("", String::as_str)
    }

    /// A message with something in it.
    pub(crate) fn fill(&self, word: Word, with: &[&str]) -> String {
        fill(self.get(word), with)
    }

    /// One of the forms of a message, with something in it.
    pub(crate) fn form(&self, word: Word, form: usize, with: &[&str]) -> String {
        fill(self.get(word).split('|').nth(form).unwrap_or_default(), with)
    }
}

/// The chosen language, and messages in it that follow when it changes.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    chosen: RwSignal<Locale>,
    /// The one that was asked for last: it may be on its way.
    wanted: RwSignal<Locale>,
    /// That one could not be loaded.
    pub(crate) failed: RwSignal<bool>,
    /// Tells when more of Slurm's reasons can be said.
    reasons: Trigger,
    /// The language whose reasons are on their way.
    loading: StoredValue<Option<Locale>>,
}

impl Words {
    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The language; follows it.
    pub(crate) fn locale(self) -> Locale {
        self.chosen.get()
    }

    /// The messages; follows the language.
    pub(crate) fn text(self) -> &'static Tongue {
        self.locale().text()
    }

    /// Another language, once its messages are here. Without them the page stays as it is, and says so.
    pub(crate) fn choose(self, locale: Locale) {
        self.failed.set(false);
        self.wanted.set(locale);
        spawn(async move {
            let is_here = locale.load().await;
            if self.wanted.get_untracked() != locale {
                return; // Another one was chosen meanwhile.
            }
            if is_here {
                self.chosen.set(locale);
            } else {
                self.failed.set(true);
            }
        });
    }

    /// Whether this language is on its way; follows that.
    pub(crate) fn awaits(self, locale: Locale) -> bool {
        self.wanted.get() == locale && self.locale() != locale && !self.failed.get()
    }

    /// A fixed message.
    pub(crate) fn say(self, word: Word) -> Signal<String> {
        follow(move || self.text().get(word).to_owned())
    }

    /// A message with something in it.
    pub(crate) fn tell(self, message: impl Fn(&Tongue) -> String + Send + Sync + 'static) -> Signal<String> {
        let message: Box<dyn Fn(&Tongue) -> String + Send + Sync> = Box::new(message);
        follow(move || message(self.text()))
    }
}

const REMEMBERED: &str = "slipway-language";

/// The language of the page: what was chosen here before, else what the server wrote the document in, else the
/// browser's. Its messages are loaded before the page takes the document over; until then that has words of its own.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn load() -> Option<Locale> {
    let tag = preferences::recall(REMEMBERED)
        .or_else(|| document::attribute("lang"))
        .or_else(document::browser_language);
    let locale = tag.and_then(|tag| Locale::from_tag(&tag)).unwrap_or(Locale::En);
    locale.load().await.then_some(locale)
}

/// Made once. A change of the language is shown and remembered.
pub(crate) fn provide(locale: Locale) {
    let chosen = RwSignal::new(locale);
    provide_context(Words {
        chosen,
        wanted: RwSignal::new(locale),
        failed: RwSignal::new(false),
        reasons: Trigger::new(),
        loading: StoredValue::new(None),
    });
    let mut shown = None;
    effect(move || {
        let now = chosen.get();
        document::set_attribute("lang", now.tag());
        if shown.replace(now).is_some_and(|before| before != now) {
            preferences::remember(REMEMBERED, now.tag());
        }
    });
}

#[cfg(test)]
mod tests;
