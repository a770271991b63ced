//! The seed image of a plan, from inline text and from mounted Secrets.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Cursor, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;

use super::folder::{self, Found};
use crate::base64;
use crate::error::{Fault, OrFault, Result};
use crate::iso::{self, Entry};
use crate::plan::{IsoEntry, IsoSource};

/// Makes the image anew; only the launcher's own user can read it, for it holds credentials.
pub fn make(
    path: &str,
    label: &str,
    entries: &[IsoEntry],
    folder: Option<&str>,
    needs: &[String],
) -> Result<()> {
    let mut entries = entries
        .iter()
        .filter_map(|entry| open(path, entry).transpose())
        .collect::<Result<Vec<_>>>()?;
    if let Some(folder) = folder {
        entries.extend(folder::read(folder)?.into_iter().map(entry_of));
    }
    check_needs(path, needs, &entries)?;
    let doing = || format!("making {path}");
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW);
    let mut file = BufWriter::new(options.open(path).or_fault(doing)?);
    iso::write(&mut file, label, entries).or_fault(doing)?;
    file.flush().or_fault(doing)
}

fn entry_of(found: Found) -> Entry<'static> {
    Entry {
        name: found.path,
        bytes: found.content.len() as u64,
        content: Box::new(Cursor::new(found.content)),
    }
}

fn check_needs(path: &str, needs: &[String], entries: &[Entry<'_>]) -> Result<()> {
    let there = |name: &String| entries.iter().any(|it| it.name.eq_ignore_ascii_case(name));
    if needs.is_empty() || needs.iter().any(there) {
        return Ok(());
    }
    Err(Fault::new(format!(
        "making {path}: it needs a file {}: add one to the ConfigMap or Secret of the volume",
        needs.join(" or ")
    )))
}

/// `None` for an optional file that is nowhere.
fn open(image: &str, entry: &IsoEntry) -> Result<Option<Entry<'static>>> {
    let name = entry.name.clone();
    match &entry.from {
        IsoSource::Inline { base64 } => {
            let bytes = base64::decode(base64)
                .ok_or_else(|| Fault::new(format!("making {image}: {name} is no base64")))?;
            Ok(Some(Entry {
                name,
                bytes: bytes.len() as u64,
                content: Box::new(Cursor::new(bytes)),
            }))
        }
        IsoSource::Files { files, optional } => match first(files)? {
            Some((bytes, file)) => Ok(Some(Entry {
                name,
                bytes,
                content: Box::new(file),
            })),
            None if *optional => Ok(None),
            None => Err(Fault::new(format!(
                "making {image}: {name} needs one of {}: add it to the Secret",
                files.join(", ")
            ))),
        },
    }
}

/// The first file that exists, with its length. Links are followed: the kubelet mounts Secrets as such.
fn first(files: &[String]) -> Result<Option<(u64, File)>> {
    for path in files {
        let doing = || format!("reading {path}");
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).or_fault(doing),
        };
        let metadata = file.metadata().or_fault(doing)?;
        if !metadata.is_file() {
            return Err(Fault::new(format!("{path} is no plain file")));
        }
        return Ok(Some((metadata.len(), file)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn make(path: &str, label: &str, entries: &[IsoEntry]) -> Result<()> {
        super::make(path, label, entries, None, &[])
    }

    fn files(names: &[String], optional: bool) -> IsoEntry {
        IsoEntry {
            name: "user-data".into(),
            from: IsoSource::Files {
                files: names.to_vec(),
                optional,
            },
        }
    }

    fn inline(text: &str) -> IsoEntry {
        IsoEntry {
            name: "meta-data".into(),
            from: IsoSource::Inline {
                base64: text.into(),
            },
        }
    }

    fn holds(path: &str, text: &str) -> bool {
        std::fs::read(path)
            .unwrap()
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }

    #[test]
    fn the_first_file_there_is_goes_into_the_image() {
        let scratch = Scratch::new();
        let (one, two, image) = (
            scratch.text("userdata"),
            scratch.text("userData"),
            scratch.text("seed.iso"),
        );
        std::fs::write(&two, "from the second").unwrap();
        make(
            &image,
            "cidata",
            &[
                inline("aGVsbG8gdGhlcmU="),
                files(&[one.clone(), two.clone()], false),
            ],
        )
        .unwrap();
        assert!(holds(&image, "hello there") && holds(&image, "from the second"));
        std::fs::write(&one, "from the first").unwrap();
        make(&image, "cidata", &[files(&[one, two], false)]).unwrap();
        assert!(holds(&image, "from the first") && !holds(&image, "from the second"));
        assert_eq!(
            std::fs::metadata(&image).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_missing_file_is_left_out_only_where_it_may_be() {
        let scratch = Scratch::new();
        let missing = [scratch.text("nothing")];
        make(
            &scratch.text("a.iso"),
            "cidata",
            &[inline(""), files(&missing, true)],
        )
        .unwrap();
        assert!(!holds(&scratch.text("a.iso"), "USER-DATA"));
        let fault = make(&scratch.text("b.iso"), "cidata", &[files(&missing, false)]).unwrap_err();
        assert!(
            fault.to_string().contains("user-data needs one of"),
            "{fault}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let scratch = Scratch::new();
        let fault = make(&scratch.text("a.iso"), "cidata", &[inline("?")]).unwrap_err();
        assert!(
            fault.to_string().contains("meta-data is no base64"),
            "{fault}"
        );
        let folder = make(
            &scratch.text("a.iso"),
            "cidata",
            &[files(&[scratch.text("")], false)],
        )
        .unwrap_err();
        assert!(folder.to_string().contains("no plain file"), "{folder}");
    }

    #[test]
    fn the_files_of_a_folder_go_into_the_image_as_well() {
        let scratch = Scratch::new();
        std::fs::create_dir_all(scratch.path("conf/below")).unwrap();
        std::fs::write(scratch.path("conf/below/one"), "from a folder").unwrap();
        let (folder, image) = (scratch.text("conf"), scratch.text("a.iso"));
        super::make(
            &image,
            "cfgdata",
            &[inline("aGVsbG8gdGhlcmU=")],
            Some(&folder),
            &[],
        )
        .unwrap();
        assert!(holds(&image, "hello there") && holds(&image, "from a folder"));
        assert!(holds(&image, "BELOW"));
    }

    #[test]
    fn an_image_without_a_file_that_it_needs_is_not_made() {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path("conf")).unwrap();
        let (folder, image) = (scratch.text("conf"), scratch.text("a.iso"));
        let needs = ["autounattend.xml".to_string(), "unattend.xml".to_string()];
        let make = || super::make(&image, "unattendCD", &[], Some(&folder), &needs);
        let fault = make().unwrap_err().to_string();
        assert!(
            fault.contains("a file autounattend.xml or unattend.xml: add one"),
            "{fault}"
        );
        std::fs::write(scratch.path("conf/Unattend.XML"), "<unattend/>").unwrap();
        make().unwrap();
    }
}
