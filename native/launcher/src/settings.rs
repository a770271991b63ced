//! What the pod tells its launcher by environment variables.

use std::path::PathBuf;

pub struct Settings {
    /// The VMI's uid. `WHERRY_VMI_UID`.
    pub uid: String,
    /// The VMI's name, for people who read the log. `WHERRY_VMI_NAME`.
    pub name: String,
    /// Folder of launcher.sock and console.sock. `WHERRY_SOCKETS`, defaults to /run/wherry.
    pub sockets: PathBuf,
    /// Where Kubernetes looks for why a container ended. `WHERRY_TERMINATION_LOG`, defaults to /dev/termination-log.
    pub termination_log: PathBuf,
}

impl Settings {
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let path =
            |name, default: &str| variable(name).map_or_else(|| default.into(), PathBuf::from);
        Self {
            uid: variable("WHERRY_VMI_UID").unwrap_or_default(),
            name: variable("WHERRY_VMI_NAME").unwrap_or_default(),
            sockets: path("WHERRY_SOCKETS", "/run/wherry"),
            termination_log: path("WHERRY_TERMINATION_LOG", "/dev/termination-log"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_defaults_that_fit_the_pod() {
        let settings = Settings::of(|name| (name == "WHERRY_VMI_UID").then(|| "u-1".into()));
        assert_eq!((settings.uid.as_str(), settings.name.as_str()), ("u-1", ""));
        assert_eq!(settings.sockets, PathBuf::from("/run/wherry"));
        assert_eq!(
            settings.termination_log,
            PathBuf::from("/dev/termination-log")
        );
    }

    #[test]
    fn paths_can_be_changed() {
        let settings = Settings::of(|name| Some(format!("/x/{name}")));
        assert_eq!(settings.sockets, PathBuf::from("/x/WHERRY_SOCKETS"));
        assert_eq!(
            settings.termination_log,
            PathBuf::from("/x/WHERRY_TERMINATION_LOG")
        );
    }
}
