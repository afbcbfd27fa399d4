//! Messages made of several, with times and amounts as each language has them. Amounts are in the API's units:
//! minutes, MiB; spans are in seconds.

use shared::options::{FieldError, NAMES, Problem, Room, UserOptions};
use shared::server::{EndCause, EndView, Phase};

use super::format::{When, duration, gb, gb_field, gb_up, hours_field, span};
use super::{Tongue, Word};

/// The names of things that only the site knows, in this language.
pub(crate) struct Named<'a> {
    /// The interface.
    pub(crate) interface: &'a str,
    /// The type of GPU, if there is one.
    pub(crate) gpu: &'a str,
}

impl Tongue {
    fn comma(&self) -> char {
        self.get(Word::Comma).chars().next().unwrap_or('.')
    }

    // Moments.

    fn clock(&self, when: &When) -> String {
        let clock = self.fill(Word::Clock, &[&when.hour.to_string(), &format!("{:02}", when.minute)]);
        if when.utc { clock + "\u{a0}UTC" } else { clock }
    }

    pub(crate) fn day_and_month(&self, when: &When) -> String {
        let day = when.day.to_string();
        let day = if when.day == 1 { self.get(Word::FirstDay) } else { &day };
        self.fill(Word::DayAndMonth, &[day, &self.form(Word::Months, when.month, &[])])
    }

    fn moment_as(&self, word: Word, when: &When) -> String {
        let form = match when.days_away {
            0 => 0,
            1 => 1,
            -1 => 2,
            _ => 3,
        };
        // Without its year, a day that is so far away would be taken for one of this year.
        let mut day = self.day_and_month(when);
        if when.days_away.abs() > 300 {
            day = format!("{day} {}", when.year);
        }
        self.form(word, form, &[&self.clock(when), &day])
    }

    /// A moment alone: `15:42`.
    pub(crate) fn moment(&self, when: &When) -> String {
        self.moment_as(Word::Moment, when)
    }

    /// A moment in a sentence: `at 15:42`.
    pub(crate) fn at(&self, when: &When) -> String {
        self.moment_as(Word::At, when)
    }

    /// An end in a sentence: `until 15:42`.
    pub(crate) fn until(&self, when: &When) -> String {
        self.moment_as(Word::Until, when)
    }

    /// An end alone: `Until 15:42`.
    pub(crate) fn ends(&self, when: &When) -> String {
        self.moment_as(Word::Ends, when)
    }

    /// A beginning in a sentence: `since 15:42`.
    pub(crate) fn since(&self, when: &When) -> String {
        self.moment_as(Word::Since, when)
    }

    /// A date.
    pub(crate) fn date(&self, when: &When) -> String {
        self.fill(Word::Date, &[&self.day_and_month(when), &when.year.to_string()])
    }

    // Amounts.

    /// Memory: `8 GB`.
    pub(crate) fn memory(&self, mib: u64) -> String {
        self.fill(Word::Gb, &[&gb(mib, self.comma())])
    }

    /// Time: `1.5 h`.
    pub(crate) fn duration(&self, minutes: u64) -> String {
        duration(minutes, self.comma())
    }

    /// `4 cores`.
    pub(crate) fn cores(&self, count: u64) -> String {
        self.form(Word::CoresAmount, usize::from(count != 1), &[&count.to_string()])
    }

    /// Minutes as the form shows them.
    pub(crate) fn hours_field(&self, minutes: u64) -> String {
        hours_field(minutes, self.comma())
    }

    /// A compute account, with its kind where its name tells.
    pub(crate) fn account(&self, name: &str) -> String {
        let prefix = name.split('-').next().unwrap_or_default();
        let kind = ["def", "rrg", "rpp", "ctb"].iter().position(|kind| *kind == prefix);
        match kind {
            Some(kind) => format!("{name} ({})", self.form(Word::Kinds, kind, &[])),
            None => name.to_owned(),
        }
    }

    /// MiB as the form shows them: GB, or MB where that would round.
    pub(crate) fn memory_field(&self, mib: u64) -> String {
        gb_field(mib, self.comma()).unwrap_or_else(|| self.fill(Word::Mb, &[&mib.to_string()]))
    }

    fn amount(&self, field: &str, amount: u64) -> String {
        match field {
            "time" => self.duration(amount),
            "memory" => self.memory(amount),
            _ => amount.to_string(),
        }
    }

    /// GPUs: `2 × H100`; one is not counted.
    pub(crate) fn gpus(&self, count: u32, name: &str) -> String {
        match count {
            1 => name.to_owned(),
            count => self.fill(Word::GpuAmount, &[&count.to_string(), name]),
        }
    }

    // What is asked for.

    /// What was or will be asked for, as one sentence; with its end, if that is known.
    pub(crate) fn request(&self, options: &UserOptions, named: &Named<'_>, until: Option<&When>) -> String {
        let mut holds = vec![
            self.cores(options.cores.get().into()),
            self.memory(options.memory.get()),
        ];
        if let Some(gpu) = &options.gpu {
            holds.push(self.gpus(gpu.count, named.gpu));
        }
        if let Some(reservation) = &options.reservation {
            holds.push(self.fill(Word::InReservation, &[reservation.as_str()]));
        }
        holds.push(self.fill(Word::Charged, &[options.account.as_str()]));
        let (time, holds) = (self.duration(options.time.get().into()), holds.join(", "));
        match until {
            Some(until) => self.fill(Word::Request, &[named.interface, &time, &self.until(until), &holds]),
            None => self.fill(Word::RequestPlain, &[named.interface, &time, &holds]),
        }
    }

    /// The least and the most of an option, and how to write it.
    pub(crate) fn limits(&self, field: &str, min: u64, max: u64) -> String {
        let (word, min) = match field {
            "time" => (Word::TimeHint, self.duration(min)),
            "memory" => (Word::MemoryHint, gb_up(min, self.comma())),
            _ => (Word::CoresHint, min.to_string()),
        };
        self.fill(word, &[&min, &self.amount(field, max)])
    }

    /// What is wrong with an option.
    pub(crate) fn problem(&self, error: &FieldError) -> String {
        const WHAT: [Word; NAMES.len()] = [
            Word::WhatProfile,
            Word::WhatAccount,
            Word::WhatTime,
            Word::WhatCores,
            Word::WhatMemory,
            Word::WhatGpu,
            Word::WhatReservation,
            Word::WhatPartition,
            Word::WhatFeatures,
            Word::WhatInterface,
        ];
        let field = error.field.as_str();
        let index = NAMES.iter().position(|name| *name == field);
        let Some(what) = index.and_then(|index| WHAT.get(index)) else {
            return self.fill(Word::UnknownOption, &[field]);
        };
        let (word, amount) = match error.problem {
            Problem::Unknown => return self.fill(Word::UnknownOption, &[field]),
            Problem::Malformed => match field {
                "time" => (Word::MalformedTime, None),
                "cores" => (Word::MalformedCores, None),
                "memory" => (Word::MalformedMemory, None),
                _ => (Word::Malformed, None),
            },
            Problem::Missing => (Word::Missing, None),
            Problem::TooSmall { min } => (Word::TooSmall, Some(min)),
            Problem::TooLarge { max } => (Word::TooLarge, Some(max)),
            Problem::NotOffered => (Word::NotOffered, None),
            Problem::Locked => (Word::Locked, None),
            Problem::NotTogether => (Word::NotTogether, None),
            Problem::NoSuchNode { max: 0 } => (Word::NoNodeAtAll, None),
            Problem::NoSuchNode { max } => (Word::NoSuchNode, Some(max)),
        };
        let amount = match (word, amount) {
            (_, None) => String::new(),
            // What is shown as a least can be typed in.
            (Word::TooSmall, Some(min)) if field == "memory" => self.fill(Word::Gb, &[&gb_up(min, self.comma())]),
            (_, Some(amount)) => self.amount(field, amount),
        };
        // Of GPUs there is a kind, and a number.
        let is_number = matches!(word, Word::TooSmall | Word::TooLarge);
        let what = match field {
            "gpu" => self.form(*what, usize::from(is_number), &[]),
            _ => self.get(*what).to_owned(),
        };
        self.fill(word, &[&what, &amount])
    }

    /// Whether there is room for a request; nothing where that is not known.
    pub(crate) fn room(&self, room: &Room, asked: [u64; 4], at: impl Fn(i64) -> When) -> String {
        let less = match room {
            Room::Unknown => return String::new(),
            Room::Now => return self.get(Word::RoomNow).to_owned(),
            Room::None => return self.get(Word::RoomNone).to_owned(),
            Room::At(moment) => return self.fill(Word::RoomAt, &[&self.at(&at(*moment))]),
            Room::Before { at: moment, time } => {
                let (moment, time) = (self.at(&at(*moment)), self.duration(*time));
                return self.fill(Word::RoomBefore, &[&moment, &time]);
            }
            Room::For(less) => less,
        };
        let [time, cores, memory, gpu] = asked;
        let (word, asked) = match less.as_slice() {
            [("time", _)] => (Word::RoomTime, time),
            [("cores", _)] => (Word::RoomCores, cores),
            [("memory", _)] => (Word::RoomMemory, memory),
            [("gpu", _)] => (Word::RoomGpu, gpu),
            _ => return self.fill(Word::RoomBoth, &self.use_them(less).each_ref().map(String::as_str)),
        };
        let [(field, most), ..] = less.as_slice() else {
            return String::new();
        };
        self.fill(word, &[&self.amount(field, asked), &self.amount(field, *most)])
    }

    /// What to do about it: `Use 16 cores`.
    pub(crate) fn use_less(&self, less: &[(&'static str, u64)]) -> String {
        let word = if less.len() > 1 { Word::UseBoth } else { Word::UseIt };
        self.fill(word, &self.use_them(less).each_ref().map(String::as_str))
    }

    /// The same at once: `Start with 16 cores`.
    pub(crate) fn start_with(&self, less: &[(&'static str, u64)]) -> String {
        let form = usize::from(less.len() > 1);
        self.form(
            Word::StartWith,
            form,
            &self.use_them(less).each_ref().map(String::as_str),
        )
    }

    fn use_them(&self, less: &[(&'static str, u64)]) -> [String; 2] {
        let amount = |index: usize| match less.get(index) {
            Some(("cores", amount)) => self.cores(*amount),
            Some(("gpu", amount)) => {
                let (count, gpu) = (amount.to_string(), self.get(Word::Gpu));
                self.fill(Word::GpuAmount, &[&count, gpu])
            }
            Some((field, amount)) => self.amount(field, *amount),
            None => String::new(),
        };
        [amount(0), amount(1)]
    }

    // A server's life.

    /// A phase as the tab's title and for a screen reader.
    pub(crate) fn phase(&self, phase: Phase) -> &str {
        self.get(match phase {
            Phase::Submitting => Word::PhaseSubmitting,
            Phase::Queued => Word::PhaseQueued,
            Phase::Starting => Word::PhaseStarting,
            Phase::Ready => Word::PhaseReady,
            Phase::Stopping => Word::PhaseStopping,
            Phase::Ended => Word::PhaseEnded,
        })
    }

    /// How long it waits, and how long until the wait is given up.
    pub(crate) fn waited(&self, waited: i64, left: Option<i64>) -> String {
        match left {
            Some(left) if left > 0 => self.fill(Word::WaitedLeft, &[&span(waited), &span(left)]),
            _ => self.fill(Word::Waited, &[&span(waited)]),
        }
    }

    /// A message about so many seconds.
    pub(crate) fn count(&self, word: Word, seconds: i64) -> String {
        self.fill(word, &[&span(seconds)])
    }

    /// What happened.
    pub(crate) fn end(&self, end: &EndView) -> String {
        let word = match &end.cause {
            EndCause::JupyterFailed { exit_code } => {
                return self.fill(Word::EndJupyterFailed, &[&exit_code.to_string()]);
            }
            EndCause::Other { slurm_state } => return self.fill(Word::EndOther, &[slurm_state]),
            EndCause::Cancelled if end.cancelled_by.is_some() => {
                return self.fill(Word::EndCancelledBy, &[end.cancelled_by.as_deref().unwrap_or_default()]);
            }
            EndCause::GaveUp { .. } => Word::EndGaveUp,
            EndCause::Cancelled if end.was_ready => Word::EndStopped,
            EndCause::Cancelled => Word::EndCancelled,
            EndCause::Refused { .. } => Word::EndRefused,
            EndCause::Unreachable => Word::EndUnreachable,
            EndCause::Lost => Word::EndLost,
            EndCause::JupyterMissing => Word::EndJupyterMissing,
            EndCause::SetupFailed => Word::EndSetupFailed,
            EndCause::ModuleMissing => Word::EndModuleMissing,
            EndCause::HomeMissing => Word::EndHomeMissing,
            EndCause::HomeFull => Word::EndHomeFull,
            EndCause::NoFolder => Word::EndNoFolder,
            EndCause::SocketPathTooLong => Word::EndSocketPathTooLong,
            EndCause::NoPort => Word::EndNoPort,
            EndCause::PortNotTold => Word::EndPortNotTold,
            EndCause::Finished => Word::EndFinished,
            EndCause::TimeLimit => Word::EndTimeLimit,
            EndCause::OutOfMemory => Word::EndOutOfMemory,
            EndCause::NodeFailed => Word::EndNodeFailed,
            EndCause::Preempted => Word::EndPreempted,
        };
        self.get(word).to_owned()
    }

    /// What to do about it; what Slurm says has texts of its own.
    pub(crate) fn advice(&self, cause: &EndCause) -> &str {
        self.get(match cause {
            EndCause::GaveUp { .. } | EndCause::Refused { .. } => return "",
            EndCause::Unreachable | EndCause::Lost => Word::AdviceNoJob,
            EndCause::JupyterMissing
            | EndCause::SetupFailed
            | EndCause::PortNotTold
            | EndCause::ModuleMissing
            | EndCause::SocketPathTooLong => Word::AdviceNotYou,
            EndCause::HomeMissing => Word::AdviceHome,
            EndCause::HomeFull => Word::AdviceHomeFull,
            EndCause::NoPort | EndCause::NoFolder => Word::AdviceNoPort,
            EndCause::JupyterFailed { .. } => Word::AdviceJupyterFailed,
            EndCause::TimeLimit => Word::AdviceTimeLimit,
            EndCause::OutOfMemory => Word::AdviceOutOfMemory,
            EndCause::NodeFailed | EndCause::Preempted => Word::AdviceAgain,
            EndCause::Cancelled | EndCause::Finished => Word::AdviceSaved,
            EndCause::Other { .. } => Word::AdviceOther,
        })
    }
}
