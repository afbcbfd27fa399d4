//! Les moments et les quantités en français.

use shared::options::UserOptions;

use crate::text::format::{NBSP, When, gb};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// `15 h 42`.
fn clock(when: &When) -> String {
    format!("{}{NBSP}h{NBSP}{:02}", when.hour, when.minute)
}

/// `3 mars`, `1er mars`.
pub(super) fn date(when: &When) -> String {
    let ordinal = if when.day == 1 { "er" } else { "" };
    format!("{}{ordinal}{NBSP}{}", when.day, MONTHS.get(when.month).unwrap_or(&""))
}

/// `à 15 h 42`, `demain à 9 h 30`, `le 3 mars à 9 h 30`.
pub(super) fn at(when: &When) -> String {
    let clock = clock(when);
    match when.days_away {
        0 => format!("à {clock}"),
        1 => format!("demain à {clock}"),
        -1 => format!("hier à {clock}"),
        _ => format!("le {} à {clock}", date(when)),
    }
}

/// `15 h 42`, `demain, 9 h 30`, `3 mars, 9 h 30`.
pub(super) fn moment(when: &When) -> String {
    let clock = clock(when);
    match when.days_away {
        0 => clock,
        1 => format!("demain, {clock}"),
        -1 => format!("hier, {clock}"),
        _ => format!("{}, {clock}", date(when)),
    }
}

/// `jusqu’à 15 h 42`, `jusqu’à demain, 9 h 30`, `jusqu’au 3 mars, 9 h 30`.
pub(super) fn until(when: &When) -> String {
    let clock = clock(when);
    match when.days_away {
        0 => format!("jusqu’à {clock}"),
        1 => format!("jusqu’à demain, {clock}"),
        _ => format!("jusqu’au {}, {clock}", date(when)),
    }
}

/// `depuis 15 h 42`, `depuis hier, 9 h 30`, `depuis le 3 mars, 9 h 30`.
pub(super) fn since(when: &When) -> String {
    let clock = clock(when);
    match when.days_away {
        0 => format!("depuis {clock}"),
        -1 => format!("depuis hier, {clock}"),
        _ => format!("depuis le {}, {clock}", date(when)),
    }
}

pub(super) fn memory(mib: u64) -> String {
    format!("{}{NBSP}Go", gb(mib, ','))
}

fn cores(count: u64) -> String {
    if count == 1 {
        format!("1{NBSP}cœur")
    } else {
        format!("{count}{NBSP}cœurs")
    }
}

/// Cœurs, mémoire, GPU et compte imputé.
pub(super) fn holdings(options: &UserOptions) -> String {
    let gpu = options
        .gpu
        .as_ref()
        .map_or_else(String::new, |gpu| format!(", {}{NBSP}×{NBSP}{}", gpu.count, gpu.name));
    format!(
        "{}, {}{gpu}, au compte {}",
        cores(options.cores.get().into()),
        memory(options.memory.get()),
        options.account
    )
}

/// Après un deux-points, la phrase continue.
pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_lowercase()).chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(days_away: i64) -> When {
        When {
            hour: 9,
            minute: 5,
            days_away,
            year: 2026,
            day: 1,
            month: 7,
        }
    }

    #[test]
    fn les_moments_ont_leur_preposition() {
        let plain = |text: String| text.replace(NBSP, " ");
        assert_eq!(plain(until(&when(0))), "jusqu’à 9 h 05");
        assert_eq!(plain(until(&when(1))), "jusqu’à demain, 9 h 05");
        assert_eq!(plain(until(&when(9))), "jusqu’au 1er août, 9 h 05");
        assert_eq!(plain(since(&when(-1))), "depuis hier, 9 h 05");
        assert_eq!(plain(at(&when(9))), "le 1er août à 9 h 05");
    }
}
