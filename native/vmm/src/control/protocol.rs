//! Commands, answers and events as texts.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wherry_devices::virtio::block::Failure;

use super::disks;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ends the greeting; nothing is negotiated.
    Capabilities,
    Status,
    Version,
    Statistics,
    Cpus,
    Block,
    BlockStats,
    /// Plugs a card's cable in or out.
    SetLink {
        name: String,
        up: bool,
    },
    Continue,
    Stop,
    PowerButton,
    Reset,
    Quit,
}

/// Those without arguments.
const NAMES: [(&str, Command); 12] = [
    ("qmp_capabilities", Command::Capabilities),
    ("query-status", Command::Status),
    ("query-version", Command::Version),
    ("query-statistics", Command::Statistics),
    ("query-cpus-fast", Command::Cpus),
    ("query-block", Command::Block),
    ("query-blockstats", Command::BlockStats),
    ("cont", Command::Continue),
    ("stop", Command::Stop),
    ("system_powerdown", Command::PowerButton),
    ("system_reset", Command::Reset),
    ("quit", Command::Quit),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It has not run yet.
    Prelaunch,
    Running,
    Paused,
    /// A disk has failed; its request waits.
    IoError,
    /// KVM could run the guest no further.
    InternalError,
}

impl RunState {
    pub fn name(self) -> &'static str {
        match self {
            RunState::Prelaunch => "prelaunch",
            RunState::Running => "running",
            RunState::Paused => "paused",
            RunState::IoError => "io-error",
            RunState::InternalError => "internal-error",
        }
    }
}

/// What is told unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Resumed,
    Stopped,
    PowerButton,
    /// The guest stops next.
    DiskFailed {
        disk: String,
        failure: Failure,
    },
    Reset {
        by_guest: bool,
    },
    Panicked,
    CrashLoaded,
    /// The last one. The reasons are QMP's.
    Shutdown {
        by_guest: bool,
        reason: &'static str,
    },
}

impl Event {
    /// `seq` counts the events of this process from 1, so that whoever listens knows when one is missing.
    pub fn line(self, seq: u64) -> Vec<u8> {
        let (name, data) = match self {
            Event::Resumed => ("RESUME", None),
            Event::Stopped => ("STOP", None),
            Event::PowerButton => ("POWERDOWN", None),
            Event::DiskFailed { disk, failure } => {
                ("BLOCK_IO_ERROR", Some(disks::io_error(&disk, failure)))
            }
            Event::Reset { by_guest } => {
                let reason = if by_guest {
                    "guest-reset"
                } else {
                    "host-qmp-system-reset"
                };
                ("RESET", Some(json!({"guest": by_guest, "reason": reason})))
            }
            Event::Panicked => ("GUEST_PANICKED", Some(json!({"action": "poweroff"}))),
            Event::CrashLoaded => ("GUEST_CRASHLOADED", Some(json!({"action": "run"}))),
            Event::Shutdown { by_guest, reason } => (
                "SHUTDOWN",
                Some(json!({"guest": by_guest, "reason": reason})),
            ),
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut event = json!({
            "event": name,
            "seq": seq,
            "timestamp": {"seconds": now.as_secs(), "microseconds": now.subsec_micros()},
        });
        if let (Some(data), Some(event)) = (data, event.as_object_mut()) {
            event.insert("data".into(), data);
        }
        event.to_string().into_bytes()
    }
}

#[derive(Debug)]
pub struct Request {
    /// As it came, to be sent back.
    pub id: Option<Box<RawValue>>,
    pub command: Result<Command, Refusal>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub class: &'static str,
    pub text: String,
}

/// Checks one line. What is no JSON object at all is answered as well: its sender waits.
pub fn parse(line: &[u8]) -> Request {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct In {
        execute: String,
        #[serde(default)]
        arguments: Option<serde_json::Map<String, Value>>,
        #[serde(default)]
        id: Option<Box<RawValue>>,
    }
    // Serde takes a list for a struct as well.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Request {
            id: None,
            command: Err(generic("this is no command: it is no object".into())),
        };
    }
    match serde_json::from_slice::<In>(line) {
        Ok(said) => Request {
            id: said.id,
            command: find(&said.execute, said.arguments.unwrap_or_default()),
        },
        Err(error) => Request {
            id: None,
            command: Err(generic(format!("this is no command: {error}"))),
        },
    }
}

const SET_LINK: &str = "set_link";

fn find(name: &str, arguments: serde_json::Map<String, Value>) -> Result<Command, Refusal> {
    if name == SET_LINK {
        return set_link(arguments);
    }
    let known = NAMES.iter().find(|(known, _)| *known == name);
    match known {
        Some(_) if !arguments.is_empty() => Err(generic(format!("{name} takes no arguments"))),
        Some((_, command)) => Ok(command.clone()),
        None => Err(Refusal {
            class: "CommandNotFound",
            text: format!("the native engine knows no {name}"),
        }),
    }
}

fn set_link(arguments: serde_json::Map<String, Value>) -> Result<Command, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct In {
        name: String,
        up: bool,
    }
    serde_json::from_value::<In>(Value::Object(arguments))
        .map(|In { name, up }| Command::SetLink { name, up })
        .map_err(|error| generic(format!("{SET_LINK}: {error}")))
}

pub fn generic(text: String) -> Refusal {
    Refusal {
        class: "GenericError",
        text,
    }
}

pub fn greeting() -> Vec<u8> {
    json!({"QMP": {"version": version(), "capabilities": []}})
        .to_string()
        .into_bytes()
}

pub fn version() -> Value {
    json!({"package": concat!("wherry-vmm ", env!("CARGO_PKG_VERSION"))})
}

#[derive(Serialize)]
struct Out<'a> {
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
}

pub fn answer(id: Option<&RawValue>, value: Value) -> Vec<u8> {
    line(&Out {
        value: Some(value),
        error: None,
        id,
    })
}

pub fn refusal(id: Option<&RawValue>, refusal: &Refusal) -> Vec<u8> {
    line(&Out {
        value: None,
        error: Some(json!({"class": refusal.class, "desc": refusal.text})),
        id,
    })
}

fn line(out: &Out<'_>) -> Vec<u8> {
    serde_json::to_vec(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;
    use wherry_devices::virtio::block::Operation;

    use super::*;

    fn value(line: &[u8]) -> Value {
        serde_json::from_slice(line).unwrap()
    }

    #[test]
    fn every_command_has_its_name() {
        for (name, command) in NAMES {
            let line = format!(r#"{{"execute":"{name}","id":7}}"#);
            let request = parse(line.as_bytes());
            assert_eq!(request.command, Ok(command));
            assert_eq!(request.id.unwrap().get(), "7");
        }
    }

    #[test]
    fn a_link_is_set_by_the_name_of_its_card() {
        let line = r#"{"execute":"set_link","arguments":{"name":"net-default","up":false}}"#;
        let expected = Command::SetLink {
            name: "net-default".into(),
            up: false,
        };
        assert_eq!(parse(line.as_bytes()).command, Ok(expected));
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_id() {
        let request = parse(br#"{"execute":"device_add","arguments":{},"id":"x"}"#);
        let refused = request.command.unwrap_err();
        assert_eq!(refused.class, "CommandNotFound");
        let sent = value(&refusal(request.id.as_deref(), &refused));
        assert_eq!(sent["id"], "x");
        assert_eq!(sent["error"]["class"], "CommandNotFound");
        assert!(sent.get("return").is_none());
    }

    #[test]
    fn arguments_and_fields_that_are_not_known_are_refused() {
        for line in [
            r#"{"execute":"stop","arguments":{"now":true}}"#,
            r#"{"execute":"stop","control":{}}"#,
            r#"{"execute":"set_link","arguments":{"name":"net-default"}}"#,
            r#"{"execute":"set_link","arguments":{"name":"net-default","up":1}}"#,
            r#"{"execute":"set_link","arguments":{"name":"net-default","up":true,"all":true}}"#,
            r#"{"execute":1}"#,
            "[]",
            r#"["cont"]"#,
            r#" ["stop",{},3]"#,
            "",
            "\u{0}",
        ] {
            let refused = parse(line.as_bytes()).command.unwrap_err();
            assert_eq!(refused.class, "GenericError", "{line}");
        }
    }

    #[test]
    fn an_answer_is_one_line_with_the_id_as_it_came() {
        let id = RawValue::from_string(r#"{"a":  1}"#.into()).unwrap();
        let line = answer(Some(&id), json!({"x": "a\nb"}));
        assert!(!line.contains(&b'\n'));
        assert_eq!(
            value(&line),
            json!({"return": {"x": "a\nb"}, "id": {"a": 1}})
        );
    }

    #[test]
    fn events_are_those_that_the_launcher_knows() {
        let shutdown = value(
            &Event::Shutdown {
                by_guest: true,
                reason: "guest-shutdown",
            }
            .line(3),
        );
        assert_eq!(shutdown["event"], "SHUTDOWN");
        assert_eq!(shutdown["seq"], 3);
        assert_eq!(shutdown["data"]["reason"], "guest-shutdown");
        assert!(shutdown["timestamp"]["seconds"].as_u64().unwrap() > 0);
        let failed = value(
            &Event::DiskFailed {
                disk: "disk-a".into(),
                failure: Failure {
                    operation: Operation::Write,
                    error: Errno::NOSPC,
                },
            }
            .line(4),
        );
        assert_eq!(failed["event"], "BLOCK_IO_ERROR");
        assert_eq!(failed["data"]["action"], "stop");
        assert_eq!(failed["data"]["nospace"], true);
        let names = [
            Event::Resumed,
            Event::Stopped,
            Event::Reset { by_guest: true },
            Event::Panicked,
        ]
        .map(|event| value(&event.line(1))["event"].as_str().unwrap().to_string());
        assert_eq!(names, ["RESUME", "STOP", "RESET", "GUEST_PANICKED"]);
    }

    #[test]
    fn the_greeting_is_qmps() {
        assert!(value(&greeting())["QMP"]["version"].is_object());
    }
}
