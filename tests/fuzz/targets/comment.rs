//! A job's comment, which its owner can write: whatever it holds, it is one of Slipway's or none, and what is read of it
//! is written and read back the same.

#![no_main]

use backend::spawner::decode_comment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|comment: &str| {
    let Some((port, written)) = decode_comment(comment) else {
        return;
    };
    let again = decode_comment(&written);
    assert_eq!(
        again,
        Some((port, written.clone())),
        "{written} reads as another comment"
    );
    assert!(!written.contains('\n'), "{written:?} has more than one line");
});
