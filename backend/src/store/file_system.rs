//! Whether the file system of the database keeps SQLite's promises.

use std::path::Path;

/// Network file systems by their magic numbers (`statfs(2)`, `linux/magic.h` and the vendors' own), as `f_type` has them.
const NETWORK: [(u32, &str); 12] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x00c3_6400, "Ceph"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x5346_414f, "AFS"),
    (0x0102_1997, "9P"),
];

/// The name of the network file system that a folder is on, if it is on one. SQLite's write-ahead log needs memory that
/// all its processes share, which several machines have not, and locks that many of these do not keep
/// (<https://sqlite.org/wal.html>).
pub(super) fn network_file_system(folder: &Path) -> Option<&'static str> {
    #[cfg(target_os = "linux")]
    {
        // The kernel's type differs by architecture; each number has 32 bits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a magic number has 32 bits"
        )]
        let kind = rustix::fs::statfs(folder).ok()?.f_type as u32;
        name_of(kind)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (folder, name_of);
        None
    }
}

fn name_of(kind: u32) -> Option<&'static str> {
    NETWORK.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_local_ones() {
        assert_eq!(name_of(0x6969), Some("NFS"));
        assert_eq!(name_of(0xff53_4d42), Some("CIFS"));
        for (local, magic) in [
            ("ext4", 0xef53),
            ("xfs", 0x5846_5342),
            ("btrfs", 0x9123_683e),
            ("tmpfs", 0x0102_1994),
        ] {
            assert_eq!(name_of(magic), None, "{local}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(network_file_system(folder.path()), None);
    }
}
