//! Commands that root runs beside a service of another user work as that user: whatever SQLite or a first start makes
//! then belongs to the service.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::permissions::own_uid;

/// The user of the service, as far as the files tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUser {
    uid: u32,
    gid: u32,
    /// The file or folder that belongs to this user.
    found_at: PathBuf,
}

impl ServiceUser {
    /// The owner of the state, or of its folder before the first start.
    pub fn of_state(state: &Path) -> Option<Self> {
        [Some(state), state.parent()].into_iter().flatten().find_map(|path| {
            let metadata = fs::metadata(path).ok()?;
            Some(Self {
                uid: metadata.uid(),
                gid: metadata.gid(),
                found_at: path.to_owned(),
            })
        })
    }

    /// Whether this process is root's and the service is not.
    pub fn differs_from_root(&self) -> bool {
        own_uid() == 0 && self.uid != 0
    }

    /// Becomes this user for good: real, effective and saved ids, and no other groups. Linux has ids for each thread, so
    /// this is called while there is only one.
    pub fn switch(&self) -> Result<(), String> {
        switch(self.uid, self.gid).map_err(|error| {
            format!(
                "cannot work as uid {}, who owns {}: {error}; run this command as that user",
                self.uid,
                self.found_at.display()
            )
        })
    }

    /// Who it is, for the person at the keyboard.
    pub fn describe(&self) -> String {
        format!("working as uid {}, who owns {}", self.uid, self.found_at.display())
    }
}

#[cfg(target_os = "linux")]
fn switch(uid: u32, gid: u32) -> io::Result<()> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&[gid])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn switch(_: u32, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
