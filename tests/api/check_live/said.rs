//! What `slipway check --live` writes.

/// Every hop, in order.
pub(crate) const HOPS: [&str; 10] = [
    "slurmrestd",
    "token",
    "clocks",
    "partition",
    "compute accounts",
    "job",
    "queue",
    "port",
    "Jupyter",
    "end",
];

/// What a finished check said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn of(output: &std::process::Output) -> Self {
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let text = text.concat();
        for secret in ["PRIVATE KEY", "eyJ", "SLIPWAY_"] {
            assert!(!text.contains(secret), "a secret was shown: {text}");
        }
        Self {
            code: output.status.code(),
            text,
        }
    }

    /// The hops of the lines that begin with this word.
    pub(crate) fn hops(&self, word: &str) -> Vec<&str> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix(word));
        lines
            .filter_map(|line| Some(line.strip_prefix(' ')?.split_once(':')?.0.trim()))
            .collect()
    }

    /// Every hop before this one is well, this one is not, and its line has all of these words.
    pub(crate) fn failed_at(&self, hop: &str, words: &[&str]) {
        assert_eq!((self.code, self.hops("failed")), (Some(1), vec![hop]), "{}", self.text);
        let before = HOPS.iter().position(|known| *known == hop).unwrap();
        assert_eq!(self.hops("ok")[..before], HOPS[..before], "{}", self.text);
        let line = self.text.lines().find(|line| line.starts_with("failed")).unwrap();
        for word in words {
            assert!(line.contains(word), "{word} is not in {line}");
        }
        let last = format!("slipway: the check failed at: {hop}");
        assert_eq!(self.text.lines().last(), Some(last.as_str()), "{}", self.text);
    }
}
