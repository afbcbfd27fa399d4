//! Times and amounts as English has them.

use shared::options::UserOptions;

use crate::text::format::{NBSP, When, gb};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `15:42`, `9:30 tomorrow`, `9:30 on 3 March`.
pub(super) fn at(when: &When) -> String {
    let clock = format!("{}:{:02}", when.hour, when.minute);
    match when.days_away {
        0 => clock,
        1 => format!("{clock} tomorrow"),
        -1 => format!("{clock} yesterday"),
        _ => format!("{clock} on {}", date(when)),
    }
}

/// `3 March`.
pub(super) fn date(when: &When) -> String {
    format!("{}{NBSP}{}", when.day, MONTHS.get(when.month).unwrap_or(&""))
}

pub(super) fn memory(mib: u64) -> String {
    format!("{}{NBSP}GB", gb(mib, '.'))
}

fn cores(count: u64) -> String {
    if count == 1 {
        format!("1{NBSP}core")
    } else {
        format!("{count}{NBSP}cores")
    }
}

/// Cores, memory, GPUs and who pays.
pub(super) fn holdings(options: &UserOptions) -> String {
    let gpu = options
        .gpu
        .as_ref()
        .map_or_else(String::new, |gpu| format!(", {}{NBSP}×{NBSP}{}", gpu.count, gpu.name));
    format!(
        "{}, {}{gpu}, charged to {}",
        cores(options.cores.get().into()),
        memory(options.memory.get()),
        options.account
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_say_the_day_where_it_is_not_today() {
        let when = |days_away| When {
            hour: 9,
            minute: 5,
            days_away,
            year: 2026,
            day: 3,
            month: 2,
        };
        assert_eq!(at(&when(0)), "9:05");
        assert_eq!(at(&when(1)), "9:05 tomorrow");
        assert_eq!(at(&when(9)).replace(NBSP, " "), "9:05 on 3 March");
    }
}
