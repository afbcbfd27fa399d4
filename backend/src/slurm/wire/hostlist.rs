//! Slurm's way to write many names of nodes: `c[001-003,7],g1`.

/// More nodes no cluster has.
const MOST: usize = 65_536;

/// The names; of an expression that cannot be, as many as could be read.
pub(super) fn expand(expression: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in outside_brackets(expression) {
        let mut found = vec![String::new()];
        let mut rest = part;
        while let Some((before, after)) = rest.split_once('[') {
            let Some((inside, after)) = after.split_once(']') else {
                return names;
            };
            let numbers = numbers(inside);
            if found.len().saturating_mul(numbers.len()) > MOST {
                return names;
            }
            let with = |name: &String| {
                numbers
                    .iter()
                    .map(|number| format!("{name}{before}{number}"))
                    .collect::<Vec<_>>()
            };
            found = found.iter().flat_map(with).collect();
            rest = after;
        }
        for name in &mut found {
            name.push_str(rest);
        }
        names.extend(found.into_iter().filter(|name| !name.is_empty()));
        if names.len() > MOST {
            return names;
        }
    }
    names
}

fn outside_brackets(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |c| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == ',' && !inside
    })
}

/// `001-003,7`, each with as many digits as its range begins with.
fn numbers(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let width = first.len();
        let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) else {
            continue;
        };
        if last.saturating_sub(first) > MOST {
            continue;
        }
        all.extend((first..=last).map(|number| format!("{number:0width$}")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn ranges_lists_and_leading_zeros_are_read() {
        for (expression, names) in [
            ("", &[][..]),
            ("c1", &["c1"]),
            ("c1,g1", &["c1", "g1"]),
            ("c[1-3,7],g1", &["c1", "c2", "c3", "c7", "g1"]),
            ("n[008-011]", &["n008", "n009", "n010", "n011"]),
            ("r[1-2]n[1-2]x", &["r1n1x", "r1n2x", "r2n1x", "r2n2x"]),
        ] {
            assert_eq!(expand(expression), names, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_is_no_harm() {
        for expression in [
            "c[",
            "c[1-",
            "c[1-2",
            "c[]",
            "c[a-b]",
            "n[0-99999999999]",
            "n[3-1]",
            "[0-60000][0-60000]",
        ] {
            assert!(expand(expression).len() < 70_000, "{expression}");
        }
    }
}
