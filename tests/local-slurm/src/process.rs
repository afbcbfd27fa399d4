//! Processes of jobs: started in a session of their own, and found again whatever they did since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// What to run.
pub(crate) struct Program<'a> {
    /// The script, already written to a file.
    pub(crate) script: &'a Path,
    /// Its text, for the first line.
    pub(crate) text: &'a str,
    pub(crate) directory: &'a Path,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) output: &'a Path,
    /// Where standard output goes, when it is the same.
    pub(crate) error: Option<&'a Path>,
}

/// Starts a script. It is given to the interpreter in its first line by name, not executed itself:
/// a file just written cannot be executed while another thread's new process still has it open.
pub(crate) fn start(program: &Program<'_>) -> io::Result<Child> {
    let (interpreter, argument) = interpreter(program.text);
    let setsid = find_program("setsid");
    let mut command = Command::new(setsid.as_deref().unwrap_or(Path::new(interpreter)));
    if setsid.is_some() {
        command.arg(interpreter); // A child that leads no group becomes a session's leader under its own id.
    } else {
        command.process_group(0); // macOS has no such program: a group of its own has to do.
    }
    let output = File::create(program.output)?;
    let error = program.error.map_or_else(|| output.try_clone(), File::create)?;
    command
        .args(argument)
        .arg(program.script)
        .current_dir(program.directory)
        .env_clear()
        .envs(program.environment)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(error)
        .spawn()
}

/// The interpreter of a script and its one argument; bash for a script that names none.
fn interpreter(text: &str) -> (&str, Option<&str>) {
    let line = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("#!"))
        .unwrap_or_default()
        .trim();
    match line.split_once([' ', '\t']) {
        Some((program, argument)) => (program, Some(argument.trim())),
        None if line.is_empty() => ("/bin/bash", None),
        None => (line, None),
    }
}

/// A program of this machine, wherever this process would find it.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/bin".into(), "/bin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// All processes of one job: of its session or group, their descendants, and (Linux) those that carry the job's own
/// `SLURM_CONF` in their environment, so that a daemon which left the session and lost its parent is found too.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    leader: i32,
    mark: Vec<u8>,
}

struct Process {
    id: i32,
    parent: i32,
    group: i32,
    session: i32,
}

impl Tree {
    pub(crate) fn new(leader: u32, conf: &Path) -> Self {
        Self {
            leader: i32::try_from(leader).unwrap_or_default(),
            mark: format!("SLURM_CONF={}", conf.display()).into_bytes(),
        }
    }

    pub(crate) fn leader(&self) -> i32 {
        self.leader
    }

    /// Sends a signal to every process there is now; answers whether there was any.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let members = self.members();
        for member in &members {
            if let Some(id) = Pid::from_raw(*member) {
                let _ = kill_process(id, signal); // It may be gone by now, which is as good.
            }
        }
        !members.is_empty()
    }

    /// Whether any of them is left.
    pub(crate) fn is_alive(&self) -> bool {
        !self.members().is_empty()
    }

    fn members(&self) -> BTreeSet<i32> {
        let processes = processes();
        let own = |process: &&Process| {
            let leader = self.leader;
            process.id == leader || process.group == leader || process.session == leader || self.is_marked(process.id)
        };
        let mut members: BTreeSet<i32> = processes.iter().filter(own).map(|process| process.id).collect();
        loop {
            let children = processes.iter().filter(|process| members.contains(&process.parent));
            let more: Vec<i32> = children
                .map(|child| child.id)
                .filter(|id| !members.contains(id))
                .collect();
            if more.is_empty() {
                return members;
            }
            members.extend(more);
        }
    }

    fn is_marked(&self, id: i32) -> bool {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == self.mark)
    }
}

/// Every process of this machine that still runs.
#[cfg(target_os = "linux")]
fn processes() -> Vec<Process> {
    let read = |entry: io::Result<fs::DirEntry>| -> Option<Process> {
        let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let mut fields = text.rsplit_once(") ")?.1.split(' '); // The name before it may hold anything.
        let state = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        let process = Process {
            id,
            parent: number()?,
            group: number()?,
            session: number()?,
        };
        (!matches!(state, "Z" | "X")).then_some(process)
    };
    fs::read_dir("/proc").into_iter().flatten().filter_map(read).collect()
}

/// Every process of this machine that still runs.
#[cfg(not(target_os = "linux"))]
fn processes() -> Vec<Process> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-axo", "pid=,ppid=,pgid=,stat="])
        .output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let read = |line: &str| -> Option<Process> {
        let mut fields = line.split_whitespace();
        let mut number = || fields.next()?.parse().ok();
        let process = Process {
            id: number()?,
            parent: number()?,
            group: number()?,
            session: 0,
        };
        (!fields.next()?.starts_with('Z')).then_some(process)
    };
    text.lines().filter_map(read).collect()
}

/// A shell that outlives this process by a moment, should it be killed, and kills the jobs' groups.
/// It reads `+ group` and `- group` from a pipe; the end of the pipe is the end of this process.
pub(crate) struct Watchdog {
    pipe: Mutex<Option<std::process::ChildStdin>>,
}

impl Watchdog {
    const SCRIPT: &'static str = r#"jobs=' '
while read -r what group; do
  case $what in
    +) jobs="$jobs$group " ;;
    -) jobs="${jobs%% "$group" *} ${jobs#* "$group" }" ;;
  esac
done
for group in $jobs; do kill -KILL "-$group"; done 2> /dev/null
rm -rf "$1""#;

    /// `folder` is removed at the end, if it is still there.
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let mut shell = std::process::Command::new("/bin/sh")
            .args(["-c", Self::SCRIPT, "local-slurm-watchdog"])
            .arg(folder)
            .process_group(0) // Ctrl-C is not for it.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            pipe: Mutex::new(shell.stdin.take()),
        })
    }

    pub(crate) fn add(&self, tree: &Tree) {
        self.write('+', tree);
    }

    pub(crate) fn remove(&self, tree: &Tree) {
        self.write('-', tree);
    }

    fn write(&self, what: char, tree: &Tree) {
        let mut pipe = self.pipe.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(pipe) = pipe.as_mut() {
            let _ = writeln!(pipe, "{what} {}", tree.leader); // Without the watchdog everything else still works.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_that_of_the_first_line() {
        assert_eq!(interpreter("#!/bin/bash\necho"), ("/bin/bash", None));
        assert_eq!(interpreter("#! /usr/bin/env bash\n"), ("/usr/bin/env", Some("bash")));
        assert_eq!(interpreter("#!/bin/bash -l -e\n"), ("/bin/bash", Some("-l -e")));
        assert_eq!(interpreter("echo hi\n"), ("/bin/bash", None));
    }
}
