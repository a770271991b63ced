//! `wherry-launcher`: PID 1 of a VM's pod. It waits for a plan on `launcher.sock`, makes its files, runs its engine, answers
//! DHCP, serves the console, and exits with a code that says how the guest has ended. The protocol is in
//! docs/design/20261124-launcher-protocol.md.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod arguments;
mod base64;
mod child;
mod console;
mod dhcp;
mod engine;
mod error;
mod files;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod image;
mod iso;
mod last_words;
mod lifecycle;
mod listener;
mod outcome;
mod peers;
mod plan;
mod qmp;
mod ring;
mod settings;
mod signals;
mod supervisor;
mod terminal;
#[cfg(test)]
mod testing;
mod wire;

use std::any::Any;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use outcome::Outcome;
use settings::Settings;

/// Kubernetes shows no more of a container's last words.
const MAX_LAST_WORDS: usize = 2048;

/// The whole life of the process.
pub fn main() -> ExitCode {
    let settings = Settings::of(|name| std::env::var(name).ok());
    let ended = std::panic::catch_unwind(|| supervise(&settings));
    let (outcome, message) =
        ended.unwrap_or_else(|panic| failed(&settings, &text_of(panic.as_ref())));
    if outcome.wants_explanation() {
        explain(&settings.termination_log, &message);
    }
    ExitCode::from(outcome.code())
}

fn supervise(settings: &Settings) -> (Outcome, String) {
    let supervisor = signals::Signals::take_over().map(|signals| {
        // Before it is attached, and given back when the last byte has been written.
        let terminal = terminal::Terminal::take_over();
        (terminal, supervisor::Supervisor::new(settings, signals))
    });
    match supervisor {
        Ok((terminal, Ok(supervisor))) => {
            let ended = supervisor.run();
            drop(terminal);
            ended
        }
        Ok((terminal, Err(fault))) => {
            drop(terminal);
            failed(settings, &fault.to_string())
        }
        Err(fault) => failed(settings, &fault.to_string()),
    }
}

fn failed(settings: &Settings, why: &str) -> (Outcome, String) {
    let message = format!("the launcher of {} failed: {why}", settings.name);
    eprintln!("wherry-launcher: {message}");
    (Outcome::LauncherFailed, message)
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".into())
}

/// Nobody is left who could be told that this failed.
fn explain(path: &Path, message: &str) {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path);
    let _ = file.and_then(|mut file| file.write_all(end_of(message).as_bytes()));
}

/// The last bytes of a text, in whole characters.
fn end_of(text: &str) -> &str {
    let least = text.len().saturating_sub(MAX_LAST_WORDS);
    let at = (least..=text.len()).find(|at| text.is_char_boundary(*at));
    at.and_then(|at| text.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_cut_at_a_character() {
        assert_eq!(end_of("short"), "short");
        let long = "é".repeat(2000);
        assert_eq!(end_of(&long), "é".repeat(1024));
        assert_eq!(end_of(&format!("{long}x")).len(), 2047);
    }
}
