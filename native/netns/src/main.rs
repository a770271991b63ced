//! `wherry-netns <descriptor number or path> -- <program> [argument…]`
//!
//! Enters a network namespace and becomes the program; standard input, output and the environment pass through, so that
//! `wherry-netns 3 -- nft -f -` loads rules into a pod. A descriptor is closed before the program starts. Exits with the
//! program's own code, or as env(1) does: 125 for a failure of its own, 126 and 127 when the program cannot run or is absent.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

const USAGE: &str = "usage: wherry-netns <descriptor number or path> -- <program> [argument…]";
const FAILED: u8 = 125;
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Where to go, and what to become there.
#[derive(Debug, PartialEq)]
struct Errand {
    namespace: OsString,
    program: OsString,
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    let Some(errand) = parse(std::env::args_os().skip(1)) else {
        return fail(FAILED, USAGE);
    };
    if let Err(error) = enter(&errand.namespace) {
        return fail(
            FAILED,
            &format!(
                "wherry-netns: entering {}: {error}",
                errand.namespace.display()
            ),
        );
    }
    let error = Command::new(&errand.program).args(&errand.arguments).exec();
    let code = if error.kind() == std::io::ErrorKind::NotFound {
        NOT_FOUND
    } else {
        CANNOT_RUN
    };
    fail(
        code,
        &format!(
            "wherry-netns: running {}: {error}",
            errand.program.display()
        ),
    )
}

fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(code)
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Errand> {
    let namespace = arguments.next()?;
    if arguments.next()? != "--" {
        return None;
    }
    Some(Errand {
        namespace,
        program: arguments.next()?,
        arguments: arguments.collect(),
    })
}

fn enter(namespace: &OsString) -> std::io::Result<()> {
    let fd: OwnedFd = match namespace.to_str().and_then(|text| text.parse::<i32>().ok()) {
        // SAFETY: this process has one thread, and its parent gave it the descriptor to use up. If it is not open, entering
        // fails with EBADF and the process ends.
        Some(number) if number > 2 => unsafe { OwnedFd::from_raw_fd(number) },
        Some(_) => {
            return Err(std::io::Error::other(
                "a standard descriptor is no namespace",
            ));
        }
        None => File::open(namespace)?.into(),
    };
    move_into_link_name_space(fd.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|errno| {
        // Not open: dropping it would close nothing, and abort in debug builds of the standard library.
        if errno == rustix::io::Errno::BADF {
            std::mem::forget(fd);
        }
        errno.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Errand> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_behind_the_dashes_is_the_program() {
        let errand = parsed("3 -- nft -f -- -").unwrap();
        assert_eq!(
            (errand.namespace, errand.program),
            ("3".into(), "nft".into())
        );
        assert_eq!(errand.arguments, ["-f", "--", "-"]);
    }

    #[test]
    fn incomplete_lines_are_refused() {
        for line in ["", "3", "3 --", "3 nft", "-- nft"] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
