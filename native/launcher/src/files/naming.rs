//! How a file is called in what people read: by the volume that they know, and not by where the pod has it.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

/// Every volume of the instance has a folder of its name here.
const VOLUMES: &str = "/run/wherry-volumes/";

/// The folder of the volume that holds this path; `None` for any other path.
pub fn volume_of(path: &Path) -> Option<PathBuf> {
    let volume = path.strip_prefix(VOLUMES).ok()?.components().next()?;
    Some(Path::new(VOLUMES).join(volume))
}

/// `/run/wherry-volumes/root/disk/a.qcow2` is "/disk/a.qcow2 of volume root"; any other path is itself.
pub struct Named<'a>(pub &'a Path);

impl Display for Named<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string_lossy();
        match text.strip_prefix(VOLUMES) {
            Some(rest) => {
                let (volume, path) = rest.split_once('/').unwrap_or((rest, ""));
                write!(
                    formatter,
                    "/{} of volume {}",
                    path.escape_debug(),
                    volume.escape_debug()
                )
            }
            None => write!(formatter, "{}", text.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> String {
        Named(Path::new(path)).to_string()
    }

    #[test]
    fn a_file_of_a_volume_is_called_by_the_volume() {
        assert_eq!(
            named("/run/wherry-volumes/root/disk/a.qcow2"),
            "/disk/a.qcow2 of volume root"
        );
        assert_eq!(named("/run/wherry-volumes/root"), "/ of volume root");
        assert_eq!(
            named("/var/lib/wherry/root.overlay.qcow2"),
            "/var/lib/wherry/root.overlay.qcow2"
        );
    }

    #[test]
    fn a_file_of_a_volume_has_its_folder() {
        let volume = |path: &str| volume_of(Path::new(path));
        let root = Some(PathBuf::from("/run/wherry-volumes/root"));
        assert_eq!(volume("/run/wherry-volumes/root/disk/a.qcow2"), root);
        assert_eq!(volume("/run/wherry-volumes/root"), root);
        assert_eq!(volume("/run/wherry-volumes"), None);
        assert_eq!(volume("/var/lib/wherry/a"), None);
    }

    #[test]
    fn what_an_image_puts_into_its_names_breaks_no_line() {
        assert_eq!(
            named("/run/wherry-volumes/root/disk/a\nb\u{1b}[2J"),
            "/disk/a\\nb\\u{1b}[2J of volume root"
        );
    }
}
