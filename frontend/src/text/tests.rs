//! Both catalogues, as the page reads them.

use super::format::{NBSP, When};
use super::*;

const CATALOGUES: [(Locale, &str); 2] = [
    (Locale::En, include_str!("en.json")),
    (Locale::Fr, include_str!("fr.json")),
];

/// The lines of a catalogue: names and messages, in their order.
fn lines(catalogue: &str) -> Vec<(String, String)> {
    let line = |line: &str| -> Option<(String, String)> {
        let (name, text) = line.trim().trim_end_matches(',').split_once(": ")?;
        Some((serde_json::from_str(name).ok()?, serde_json::from_str(text).ok()?))
    };
    catalogue.lines().filter_map(line).collect()
}

fn tongue(catalogue: &str) -> Tongue {
    Tongue(lines(catalogue).into_iter().map(|(_, text)| text).collect())
}

#[test]
fn both_languages_have_every_message_in_order_with_the_same_things_in_it() {
    let snake = |name: &&str| {
        name.chars().fold(String::new(), |mut snake, c| {
            if c.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
            snake
        })
    };
    let names: Vec<String> = NAMES.iter().map(snake).collect();
    for (locale, catalogue) in CATALOGUES {
        let found: Vec<String> = lines(catalogue).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, names, "{locale:?}");
        // The browser's parser has the last word on what it is.
        let whole: serde_json::Map<String, serde_json::Value> = serde_json::from_str(catalogue).expect("JSON");
        assert_eq!(whole.len(), names.len(), "{locale:?}");
    }
    let [en, fr] = CATALOGUES.map(|(_, catalogue)| lines(catalogue));
    for ((name, en), (_, fr)) in en.iter().zip(&fr) {
        assert!(!en.is_empty() && !fr.is_empty(), "{name}");
        let forms = |text: &str| text.split('|').count();
        assert_eq!(forms(en), forms(fr), "the forms of {name}");
        for (en, fr) in en.split('|').zip(fr.split('|')) {
            for thing in ["{0}", "{1}", "{2}", "{3}", "{4}"] {
                assert_eq!(en.contains(thing), fr.contains(thing), "{thing} in {name}");
            }
        }
    }
}

#[test]
fn moments_say_the_day_where_it_is_not_today() {
    let when = |days_away, day| When {
        utc: false,
        hour: 9,
        minute: 5,
        days_away,
        year: 2026,
        day,
        month: 7,
    };
    let [(_, en), (_, fr)] = CATALOGUES;
    let plain = |text: String| text.replace(NBSP, " ");
    let text = tongue(en);
    assert_eq!(plain(text.moment(&when(0, 3))), "9:05");
    assert_eq!(plain(text.at(&when(1, 3))), "at 9:05 tomorrow");
    assert_eq!(plain(text.until(&when(9, 3))), "until 9:05 on 3 August");
    assert_eq!(plain(text.ends(&when(0, 3))), "Until 9:05");
    assert_eq!(plain(text.until(&when(400, 3))), "until 9:05 on 3 August 2026");
    assert_eq!(plain(text.date(&when(9, 1))), "1 August 2026");
    let text = tongue(fr);
    assert_eq!(plain(text.until(&when(0, 1))), "jusqu’à 9 h 05");
    assert_eq!(plain(text.until(&when(1, 1))), "jusqu’à demain à 9 h 05");
    assert_eq!(plain(text.until(&when(9, 1))), "jusqu’au 1er août à 9 h 05");
    assert_eq!(plain(text.since(&when(-1, 1))), "depuis hier à 9 h 05");
    assert_eq!(plain(text.at(&when(9, 1))), "le 1er août à 9 h 05");
    assert_eq!(plain(text.ends(&when(9, 2))), "Fin le 2 août à 9 h 05");
    assert_eq!(plain(text.ends(&when(400, 2))), "Fin le 2 août 2026 à 9 h 05");
}

#[test]
fn what_is_filled_in_goes_where_the_language_has_it() {
    assert_eq!(fill("{1} of {0}, {2}.", &["a", "b"]), "b of a, .");
    assert_eq!(fill("nothing", &["a"]), "nothing");
    let [(_, en), (_, fr)] = CATALOGUES;
    assert_eq!(tongue(en).cores(1).replace(NBSP, " "), "1 core");
    assert_eq!(tongue(fr).cores(4).replace(NBSP, " "), "4 cœurs");
    assert_eq!(tongue(fr).hours_field(90), "1,5");
    assert_eq!(tongue(fr).memory_field(1000).replace(NBSP, " "), "1000 Mo");
    assert_eq!(tongue(fr).memory_field(1536), "1,5");
}

#[test]
fn a_smaller_request_is_proposed_in_its_own_unit() {
    use shared::options::Room;
    let text = tongue(CATALOGUES[0].1);
    let at = |_| unreachable!("no moment in it");
    let asked = [180, 32, 131_072, 1];
    for (less, sentence, button) in [
        (
            vec![("cores", 16)],
            "No node has 32 free cores now; there is room for 16.",
            "Use 16 cores",
        ),
        (
            vec![("memory", 65_536)],
            "No node has 128 GB free now; there is room for 64 GB.",
            "Use 64 GB",
        ),
        (
            vec![("cores", 4), ("memory", 8192)],
            "No node has this much free now; there is room for 4 cores and 8 GB.",
            "Use 4 cores and 8 GB",
        ),
    ] {
        assert_eq!(text.use_less(&less).replace(NBSP, " "), button);
        assert_eq!(text.room(&Room::For(less), asked, at).replace(NBSP, " "), sentence);
    }
}

#[test]
fn a_limit_per_person_is_told_with_the_time_to_wait_in_both_languages() {
    use crate::api::Failure;
    use crate::components::failure_words;
    use shared::api::{ErrorCode, ErrorView};

    let failure = |code| {
        Failure::Api(Box::new(ErrorView {
            status: 429,
            message: String::new(),
            code,
            fields: Vec::new(),
            why: None,
            details: std::collections::BTreeMap::from([("retry_after".into(), "10".into())]),
            request_id: "7f".into(),
        }))
    };
    for (code, en, fr) in [
        (
            ErrorCode::TooManyStarts,
            "servers too often",
            "démarré des serveurs trop souvent",
        ),
        (ErrorCode::TooManyChanges, "Too many requests", "Trop de demandes"),
    ] {
        let words = [Locale::En, Locale::Fr].map(|locale| failure_words(locale.text(), &failure(code)));
        assert!(words[0].contains(en) && words[1].contains(fr), "{words:?}");
        assert!(words.iter().all(|words| words.contains("10")), "{words:?}");
    }
}
