//! Blanks in the engine's arguments: what is known only here, in the pod, when its files are made.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::statvfs;

use crate::image::{self, How};

/// Largest block that a guest is told of: larger ones, as network filesystems have, no guest's kernel takes.
const MAX_BLOCK: u64 = 4096;

#[derive(Debug, PartialEq, Eq)]
pub enum Blank<'a> {
    /// `{fd:NAME}`: the number of the descriptor in the engine.
    Descriptor(&'a str),
    /// `{direct:PATH?YES:NO}`: YES where the file can be read and written without the kernel's cache.
    DirectIo {
        path: &'a str,
        yes: &'a str,
        no: &'a str,
    },
    /// `{blocksize:PATH}`: bytes of the blocks of the file's filesystem.
    BlockSize { path: &'a str },
    /// `{open:PATH?HOW}`: the number in the engine of the file, which is opened for it.
    Open { path: &'a str, how: How },
}

/// Fills in every blank of these kinds. What only looks similar, as JSON does, stays.
pub fn fill(
    argument: &str,
    kinds: &[&'static str],
    mut value: impl FnMut(Blank<'_>) -> Result<String, String>,
) -> Result<String, String> {
    let mut done = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some((at, kind)) = next(rest, kinds) {
        let (before, behind) = rest.split_at(at);
        let blank = behind.strip_prefix(kind).and_then(|it| it.split_once('}'));
        let Some((blank, after)) = blank else {
            return Err(format!(
                "the argument {argument:?} has a {kind} without its end"
            ));
        };
        let filled = parse(kind, blank)
            .ok_or_else(|| format!("{blank:?} does not say all that {kind} needs"))
            .and_then(&mut value)
            .map_err(|fault| format!("the argument {argument:?}: {fault}"))?;
        done.push_str(before);
        done.push_str(&filled);
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

/// Blanks in plans for QEMU, which opens its files itself.
pub const QEMU: &[&str] = &["{fd:", "{direct:", "{blocksize:"];
/// Blanks in plans for the native engine, which opens nothing.
pub const NATIVE: &[&str] = &["{fd:", "{direct:", "{blocksize:", "{open:"];

/// Where the first blank begins, and how.
fn next(text: &str, kinds: &[&'static str]) -> Option<(usize, &'static str)> {
    kinds
        .iter()
        .filter_map(|kind| text.find(kind).map(|at| (at, *kind)))
        .min()
}

fn parse<'a>(kind: &str, text: &'a str) -> Option<Blank<'a>> {
    match kind {
        "{fd:" => Some(Blank::Descriptor(text)),
        "{blocksize:" => Some(Blank::BlockSize { path: text }),
        "{open:" => {
            let (path, how) = text.rsplit_once('?')?;
            How::parse(how).map(|how| Blank::Open { path, how })
        }
        _ => {
            let (path, choice) = text.rsplit_once('?')?;
            let (yes, no) = choice.split_once(':')?;
            Some(Blank::DirectIo { path, yes, no })
        }
    }
}

/// The value of a blank in a checked plan; what it opens for the engine is kept in `opened`.
pub fn look_up(
    blank: &Blank<'_>,
    numbers: &BTreeMap<String, i32>,
    opened: &mut Vec<OwnedFd>,
) -> Result<String, String> {
    match *blank {
        Blank::Descriptor(name) => numbers
            .get(name)
            .map(i32::to_string)
            .ok_or_else(|| format!("{name} is an unknown descriptor")),
        Blank::DirectIo { path, yes, no } => {
            takes_direct_io(path).map(|takes| if takes { yes } else { no }.to_string())
        }
        Blank::BlockSize { path } => block_size(path).map(|size| size.to_string()),
        Blank::Open { path, how } => {
            let file = image::open(path, how)?;
            let number = file.as_raw_fd().to_string();
            opened.push(file);
            Ok(number)
        }
    }
}

/// A filesystem that has no direct I/O says so as soon as a file is opened for it. What is no plain file is no disk: a claim
/// that is only read may hold anything in the place of one, and the engine would follow a link.
pub fn takes_direct_io(path: &str) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("opening {path}: {error}");
    let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{path} is no plain file"));
    }
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT | libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(path);
    match opened {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn block_size(path: &str) -> Result<u64, String> {
    let filesystem = statvfs(path).map_err(|error| format!("looking at {path}: {error}"))?;
    let size = filesystem.f_bsize.clamp(512, MAX_BLOCK);
    Ok(if size.is_power_of_two() { size } else { 512 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    fn named(argument: &str) -> Result<String, String> {
        fill(argument, NATIVE, |blank| Ok(format!("<{blank:?}>")))
    }

    #[test]
    fn every_blank_is_filled_and_the_rest_stays() {
        let numbers = BTreeMap::from([("a".to_string(), 7), ("b".to_string(), 12)]);
        let filled = fill("x{fd:a},{fd:b}y", QEMU, |blank| {
            look_up(&blank, &numbers, &mut Vec::new())
        });
        assert_eq!(filled.unwrap(), "x7,12y");
    }

    #[test]
    fn json_is_left_alone() {
        let text = r#"{"driver":"qcow2","file":{"filename":"/p/a"}}"#;
        assert_eq!(named(text).unwrap(), text);
    }

    #[test]
    fn blanks_are_read_as_they_are_written() {
        assert_eq!(
            parse("{direct:", "/a?b/c?on:off"),
            Some(Blank::DirectIo {
                path: "/a?b/c",
                yes: "on",
                no: "off"
            })
        );
        assert_eq!(parse("{direct:", "/a"), None);
        assert!(named("{direct:/a}").unwrap_err().contains("all that"));
        assert!(named("{open:/a}").unwrap_err().contains("all that"));
        assert!(named("{open:/a?x}").unwrap_err().contains("all that"));
        assert!(
            named("{blocksize:/a")
                .unwrap_err()
                .contains("without its end")
        );
        assert_eq!(
            next("a{blocksize:/a}{fd:x}", QEMU),
            Some((1, "{blocksize:")),
            "the first one comes first, whatever its kind"
        );
    }

    #[test]
    fn a_descriptor_that_is_not_there_is_named() {
        let fault = fill("{fd:kvm}", QEMU, |blank| {
            look_up(&blank, &BTreeMap::new(), &mut Vec::new())
        })
        .unwrap_err();
        assert!(fault.contains("kvm is an unknown descriptor"), "{fault}");
    }

    #[test]
    fn a_file_says_whether_it_takes_direct_io() {
        let choice = |path: &str| {
            fill(&format!("{{direct:{path}?yes:no}}"), QEMU, |blank| {
                look_up(&blank, &BTreeMap::new(), &mut Vec::new())
            })
        };
        // procfs has none.
        assert_eq!(choice("/proc/self/status").unwrap(), "no");
        let scratch = Scratch::new();
        std::os::unix::fs::symlink("/etc/passwd", scratch.path("link")).unwrap();
        for no_disk in ["/dev/null", "/tmp", &scratch.text("link")] {
            let fault = choice(no_disk).unwrap_err();
            assert!(fault.ends_with("is no plain file"), "{fault}");
        }
        std::fs::write(scratch.path("disk"), b"").unwrap();
        assert!(["yes", "no"].contains(&choice(&scratch.text("disk")).unwrap().as_str()));
        let fault = choice(&scratch.text("absent")).unwrap_err();
        assert!(
            fault.contains("absent") && fault.contains("No such file"),
            "{fault}"
        );
    }

    #[test]
    fn a_file_is_opened_for_an_engine_that_opens_none_and_for_no_other() {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("disk"), b"").unwrap();
        let argument = format!("{{\"fd\":{{open:{}?ro}}}}", scratch.text("disk"));
        let mut opened = Vec::new();
        let mut filled = |kinds| {
            fill(&argument, kinds, |blank| {
                look_up(&blank, &BTreeMap::new(), &mut opened)
            })
        };
        assert_eq!(filled(QEMU).unwrap(), argument);
        let number = filled(NATIVE).unwrap();
        let [disk] = &opened[..] else {
            panic!("one file");
        };
        assert_eq!(number, format!("{{\"fd\":{}}}", disk.as_raw_fd()));
    }

    #[test]
    fn a_filesystem_says_the_size_of_its_blocks() {
        let scratch = Scratch::new();
        let size = block_size(&scratch.text("")).unwrap();
        assert!(
            (512..=MAX_BLOCK).contains(&size) && size.is_power_of_two(),
            "{size}"
        );
        assert!(block_size("/nowhere").unwrap_err().contains("/nowhere"));
    }
}
