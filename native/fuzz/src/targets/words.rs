//! Last words of guests and engines, which people read in terminals.

use wherry_launcher::fuzzing::{of_panic, plain};

pub fn run(bytes: &[u8]) {
    for words in [of_panic(bytes), Some(plain(bytes))].into_iter().flatten() {
        assert!(!words.chars().any(char::is_control), "{words:?}");
    }
    if let Some(words) = of_panic(bytes) {
        assert!(words.len() < 400);
    }
}
