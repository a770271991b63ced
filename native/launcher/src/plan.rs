//! The plan: the full recipe for one engine process, and the checks it must pass before anything is done.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

use serde::Deserialize;

use crate::arguments::{self, Blank};
use crate::wire::Command;

mod dhcp;

pub use dhcp::{DhcpAnswer, LeaseOptions, PrivateOption, parse_mac};

/// Most descriptors that come with a plan.
pub const MAX_DESCRIPTORS: usize = 128;
/// Descriptors that the launcher makes itself.
pub const OWN_DESCRIPTORS: [&str; 2] = ["qmp", "serial0"];

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    pub id: String,
    pub engine: Engine,
    pub descriptors: Vec<String>,
    pub files: Vec<FileStep>,
    pub dhcp: Vec<DhcpAnswer>,
    pub grace_seconds: u64,
    /// The guest stays as it was made until somebody sends the engine `cont`.
    #[serde(default)]
    pub start_paused: bool,
    /// The guest's console goes to the launcher's standard output as well.
    #[serde(default = "yes")]
    pub log_console: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Others are refused as they are read.
    kind: EngineKind,
    pub program: String,
    pub args: Vec<String>,
    /// What the engine is told before its guest runs.
    #[serde(default)]
    pub setup: Vec<Command>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EngineKind {
    Qemu,
    Native,
}

impl Engine {
    /// Kinds of blanks that its arguments may have.
    pub fn blanks(&self) -> &'static [&'static str] {
        match self.kind {
            EngineKind::Qemu => arguments::QEMU,
            EngineKind::Native => arguments::NATIVE,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "make", rename_all = "lowercase", deny_unknown_fields)]
pub enum FileStep {
    Overlay {
        path: String,
        backing: String,
        /// Read from the image where it is left out.
        #[serde(default)]
        format: Option<ImageFormat>,
    },
    Raw {
        path: String,
        bytes: u64,
    },
    Qcow2 {
        path: String,
        bytes: u64,
    },
    Iso {
        path: String,
        label: String,
        entries: Vec<IsoEntry>,
        /// All its files too.
        #[serde(default)]
        folder: Option<String>,
        /// One of these names must be there, in any case.
        #[serde(default)]
        needs: Vec<String>,
    },
}

/// A disk image whose format is known.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ImageFormat {
    Raw,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsoEntry {
    pub name: String,
    pub from: IsoSource,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum IsoSource {
    Inline { base64: String },
    Files { files: Vec<String>, optional: bool },
}

impl FileStep {
    pub fn path(&self) -> &str {
        match self {
            Self::Overlay { path, .. }
            | Self::Raw { path, .. }
            | Self::Qcow2 { path, .. }
            | Self::Iso { path, .. } => path,
        }
    }
}

impl Plan {
    /// What is wrong with the plan, given how many descriptors came with it.
    pub fn check(&self, received: usize) -> Result<(), String> {
        if self.id.is_empty() || self.id.len() > 256 {
            return Err("the id is empty or longer than 256 bytes".into());
        }
        if received != self.descriptors.len() {
            let named = self.descriptors.len();
            return Err(format!("{received} descriptors came, {named} are named"));
        }
        self.check_names()?;
        self.check_paths()?;
        for argument in &self.engine.args {
            arguments::fill(argument, self.engine.blanks(), |blank| {
                self.check_blank(&blank)
            })?;
        }
        self.dhcp
            .iter()
            .try_for_each(|answer| answer.check(&self.descriptors))
    }

    fn check_names(&self) -> Result<(), String> {
        let mut seen = BTreeSet::from(OWN_DESCRIPTORS);
        match self
            .descriptors
            .iter()
            .find(|name| !seen.insert(name.as_str()))
        {
            Some(name) => Err(format!(
                "the descriptor {name} is named twice or is the launcher's own"
            )),
            None => Ok(()),
        }
    }

    fn check_paths(&self) -> Result<(), String> {
        let backings = self.files.iter().filter_map(|step| match step {
            FileStep::Overlay { backing, .. } => Some(backing.as_str()),
            FileStep::Iso { folder, .. } => folder.as_deref(),
            FileStep::Raw { .. } | FileStep::Qcow2 { .. } => None,
        });
        let paths = self.files.iter().map(FileStep::path).chain(backings);
        for path in paths.chain([self.engine.program.as_str()]) {
            if !path.starts_with('/') || path.contains('\0') {
                return Err(format!("{path:?} is no absolute path"));
            }
        }
        Ok(())
    }

    /// What stands in a blank is looked up only when the engine starts: its files are not made yet.
    fn check_blank(&self, blank: &Blank<'_>) -> Result<String, String> {
        match blank {
            Blank::Descriptor(name) if self.knows(name) => Ok(String::new()),
            Blank::Descriptor(name) => Err(format!("{name} is an unknown descriptor")),
            Blank::DirectIo { path, .. } | Blank::BlockSize { path } | Blank::Open { path, .. }
                if !path.starts_with('/') || path.contains('\0') =>
            {
                Err(format!("{path:?} is no absolute path"))
            }
            Blank::DirectIo { .. } | Blank::BlockSize { .. } | Blank::Open { .. } => {
                Ok(String::new())
            }
        }
    }

    fn knows(&self, name: &str) -> bool {
        OWN_DESCRIPTORS.contains(&name) || self.descriptors.iter().any(|known| known == name)
    }

    /// The engine's arguments with the descriptors' numbers in them, and what its files are like; and the files that were
    /// opened for it.
    pub fn arguments(
        &self,
        numbers: &BTreeMap<String, i32>,
    ) -> Result<(Vec<String>, Vec<OwnedFd>), String> {
        let mut opened = Vec::new();
        let kinds = self.engine.blanks();
        let fill = |argument: &String| {
            arguments::fill(argument, kinds, |blank| {
                arguments::look_up(&blank, numbers, &mut opened)
            })
        };
        let filled = self
            .engine
            .args
            .iter()
            .map(fill)
            .collect::<Result<_, _>>()?;
        Ok((filled, opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "id": "run-1",
            "engine": {"kind": "qemu", "program": "/usr/bin/qemu", "args": ["-add-fd", "fd={fd:kvm},set=1", "-x", "{fd:qmp}"]},
            "descriptors": ["kvm", "dhcp-default"],
            "files": [
                {"make": "overlay", "path": "/p/a.qcow2", "backing": "/v/disk"},
                {"make": "raw", "path": "/p/b", "bytes": 1048576},
                {"make": "qcow2", "path": "/p/c", "bytes": 1048576},
                {"make": "iso", "path": "/p/d.iso", "label": "cidata", "entries": [
                    {"name": "meta-data", "from": {"base64": "e30="}},
                    {"name": "user-data", "from": {"files": ["/s/userdata", "/s/userData"], "optional": false}},
                ]},
                {"make": "iso", "path": "/p/e.iso", "label": "cfgdata", "entries": [], "folder": "/v/conf", "needs": ["a.xml"]},
                {"make": "overlay", "path": "/p/f.qcow2", "backing": "/v/claim/disk.img", "format": "raw"},
            ],
            "dhcp": [{"interface": "default", "socket": "dhcp-default", "mac": "02:00:00:00:00:01", "address": "10.0.2.2",
                "prefixLength": 24, "router": "10.0.2.1", "mtu": 1480, "hostname": "vm", "resolvConf": "/etc/resolv.conf",
                "subdomain": "web", "options": {"privateOptions": [{"option": 224, "value": "a"}]}}],
            "graceSeconds": 30,
        })
    }

    fn with(pointer: &str, value: Value) -> Result<Plan, serde_json::Error> {
        let mut plan = sample();
        *plan.pointer_mut(pointer).expect(pointer) = value;
        serde_json::from_value(plan)
    }

    fn fault(pointer: &str, value: Value) -> String {
        let plan = with(pointer, value).unwrap();
        plan.check(plan.descriptors.len()).unwrap_err()
    }

    #[test]
    fn a_whole_plan_is_accepted_and_its_arguments_get_their_numbers() {
        let plan: Plan = serde_json::from_value(sample()).unwrap();
        assert_eq!(plan.check(2), Ok(()));
        let numbers = BTreeMap::from([("kvm".to_string(), 7), ("qmp".to_string(), 12)]);
        assert_eq!(
            plan.arguments(&numbers).unwrap().0,
            ["-add-fd", "fd=7,set=1", "-x", "12"]
        );
    }

    #[test]
    fn a_guest_runs_at_once_and_its_console_is_logged_unless_the_plan_says_otherwise() {
        let plan: Plan = serde_json::from_value(sample()).unwrap();
        assert!(!plan.start_paused && plan.log_console);
        let mut other = sample();
        other["startPaused"] = json!(true);
        other["logConsole"] = json!(false);
        let plan: Plan = serde_json::from_value(other).unwrap();
        assert!(plan.start_paused && !plan.log_console);
    }

    #[test]
    fn what_the_engine_is_told_before_its_guest_runs_is_kept_as_it_is() {
        let plan: Plan = serde_json::from_value(sample()).unwrap();
        assert!(plan.engine.setup.is_empty());
        let setup = json!([{"execute": "set_link", "arguments": {"name": "net-default", "up": false}}, {"execute": "stop"}]);
        let mut other = sample();
        other["engine"]["setup"] = setup;
        let text = other.to_string();
        let plan: Plan = serde_json::from_str(&text).unwrap();
        let [link, stop] = &plan.engine.setup[..] else {
            panic!("two commands");
        };
        let arguments = link.arguments.as_ref().map(|raw| raw.get());
        assert_eq!(
            (link.execute.as_str(), arguments),
            ("set_link", Some(r#"{"name":"net-default","up":false}"#))
        );
        assert!(stop.arguments.is_none());
    }

    #[test]
    fn the_native_engine_has_its_files_opened_for_it() {
        let scratch = crate::testing::Scratch::new();
        std::fs::write(scratch.path("kernel"), b"").unwrap();
        let machine = format!(
            "{{\"kernel\":{{open:{}?ro,follow}}}}",
            scratch.text("kernel")
        );
        let mut plan = sample();
        plan["engine"]["kind"] = json!("native");
        plan["engine"]["args"] = json!([machine]);
        let plan: Plan = serde_json::from_value(plan).unwrap();
        assert_eq!(plan.check(2), Ok(()));
        let (arguments, opened) = plan.arguments(&BTreeMap::new()).unwrap();
        assert_eq!(opened.len(), 1);
        assert!(!arguments[0].contains("open"), "{arguments:?}");
        let mut relative = sample();
        relative["engine"] =
            json!({"kind": "native", "program": "/x", "args": ["{open:kernel?ro}"]});
        let relative: Plan = serde_json::from_value(relative).unwrap();
        assert!(relative.check(2).unwrap_err().contains("no absolute path"));
    }

    #[test]
    fn the_count_of_descriptors_must_be_the_named_one() {
        let plan: Plan = serde_json::from_value(sample()).unwrap();
        assert!(
            plan.check(1)
                .unwrap_err()
                .contains("1 descriptors came, 2 are named")
        );
        assert!(plan.check(3).is_err());
    }

    #[test]
    fn faults_are_named() {
        let table = [
            ("/id", json!(""), "id is empty"),
            (
                "/descriptors",
                json!(["dhcp-default", "dhcp-default"]),
                "named twice",
            ),
            (
                "/descriptors",
                json!(["dhcp-default", "qmp"]),
                "launcher's own",
            ),
            (
                "/descriptors",
                json!(["dhcp-default"]),
                "unknown descriptor",
            ),
            ("/descriptors", json!(["kvm"]), "no descriptor dhcp-default"),
            ("/engine/args/1", json!("fd={fd:kvm"), "without its end"),
            (
                "/engine/args/1",
                json!("{direct:d?on:off}"),
                "no absolute path",
            ),
            ("/engine/args/1", json!("{blocksize:}"), "no absolute path"),
            ("/engine/program", json!("qemu"), "no absolute path"),
            ("/files/0/backing", json!("json:{}"), "no absolute path"),
            ("/files/1/path", json!("b"), "no absolute path"),
            ("/files/4/folder", json!("conf"), "no absolute path"),
        ];
        for (pointer, value, text) in table {
            let fault = fault(pointer, value.clone());
            assert!(fault.contains(text), "{pointer} = {value}: {fault}");
        }
    }

    #[test]
    fn fields_that_this_version_does_not_know_are_refused_and_not_ignored() {
        for pointer in [
            "",
            "/engine",
            "/files/0",
            "/files/3/entries/0",
            "/dhcp/0",
            "/dhcp/0/options",
            "/dhcp/0/options/privateOptions/0",
        ] {
            let mut plan = sample();
            plan.pointer_mut(pointer).unwrap()["new"] = json!(1);
            assert!(serde_json::from_value::<Plan>(plan).is_err(), "{pointer}");
        }
        assert!(with("/engine/kind", json!("vmware")).is_err());
        assert!(with("/files/0/make", json!("vhdx")).is_err());
        assert!(with("/files/5/format", json!("qcow2")).is_err());
    }
}
