//! A real launcher in a folder of its own, and a peer that talks to it.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Launcher {
    pub child: Child,
    pub folder: PathBuf,
    next_id: u64,
}

pub fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "wherry-launcher-it-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The launcher's command in this folder, with pipes for its console.
pub fn command(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wherry-launcher"));
    command
        .env("WHERRY_SOCKETS", folder)
        .env("WHERRY_TERMINATION_LOG", folder.join("termination-log"));
    command
        .env("WHERRY_VMI_UID", "uid-1")
        .env("WHERRY_VMI_NAME", "vm-1");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

impl Launcher {
    pub fn idle() -> Self {
        let folder = folder();
        let child = command(&folder).spawn().unwrap();
        Self::of(child, folder)
    }

    /// Takes a process over and waits until it listens.
    pub fn of(child: Child, folder: PathBuf) -> Self {
        let launcher = Self {
            child,
            folder,
            next_id: 0,
        };
        launcher.connect();
        launcher
    }

    /// A guest of the scripted engine in this mode, which runs.
    pub fn running(mode: &str) -> (Self, Peer) {
        let mut launcher = Self::idle();
        let mut peer = launcher.subscribe(1);
        let plan = launcher.plan(&[mode]);
        launcher.start(&plan, &[]);
        peer.until_state("Running");
        (launcher, peer)
    }

    /// A plan for the scripted engine.
    pub fn plan(&self, arguments: &[&str]) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/launcher/fake-engine.sh");
        let arguments: Vec<&str> = [script, "{fd:qmp}", "{fd:serial0}"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        json!({
            "id": "run-1",
            "engine": {"kind": "qemu", "program": "/bin/bash", "args": arguments},
            "descriptors": [], "files": [], "dhcp": [], "graceSeconds": 20,
        })
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().into()
    }

    pub fn connect(&self) -> Peer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match UnixStream::connect(self.folder.join("launcher.sock")) {
                Ok(stream) => return Peer::new(stream),
                Err(error) if Instant::now() > deadline => panic!("{error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// A connection that gets the events from this number on.
    pub fn subscribe(&self, from: u64) -> Peer {
        let mut peer = self.connect();
        peer.ask(json!({"op": "subscribe", "from": from}));
        peer
    }

    pub fn console(&self) -> UnixStream {
        let stream = UnixStream::connect(self.folder.join("console.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Hands the plan over as the daemon's library does: a connection of its own, one message.
    pub fn hand_over(&mut self, plan: &Value, descriptors: &[BorrowedFd<'_>]) -> Value {
        self.next_id += 1;
        let mut peer = self.connect();
        peer.send_with(
            &json!({"id": self.next_id, "op": "start", "plan": plan}),
            descriptors,
        );
        peer.answer_to(self.next_id)
    }

    pub fn start(&mut self, plan: &Value, descriptors: &[BorrowedFd<'_>]) {
        let answer = self.hand_over(plan, descriptors);
        assert_eq!(answer["ok"], json!({"state": "Starting"}), "{answer}");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, once it has ended.
    pub fn code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the launcher does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn termination_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("termination-log")).unwrap_or_default()
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub struct Peer {
    pub stream: UnixStream,
    events: Vec<Value>,
    next_id: u64,
}

impl Peer {
    fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            events: Vec::new(),
            next_id: 1000,
        }
    }

    pub fn send_with(&mut self, frame: &Value, descriptors: &[BorrowedFd<'_>]) {
        let body = frame.to_string();
        let bytes = [&(body.len() as u32).to_be_bytes()[..], body.as_bytes()].concat();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(
            descriptors.is_empty() || control.push(SendAncillaryMessage::ScmRights(descriptors))
        );
        let sent = sendmsg(
            &self.stream,
            &[IoSlice::new(&bytes)],
            &mut control,
            SendFlags::empty(),
        )
        .unwrap();
        self.stream.write_all(&bytes[sent..]).unwrap();
    }

    /// The next frame; `None` when the launcher has closed the connection.
    pub fn receive(&mut self) -> Option<Value> {
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).ok()?;
        let mut body = vec![0; u32::from_be_bytes(prefix) as usize];
        self.stream.read_exact(&mut body).unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }

    /// The whole answer to this request; events that come before it are kept.
    pub fn request(&mut self, mut request: Value) -> Value {
        self.next_id += 1;
        request["id"] = self.next_id.into();
        self.send_with(&request, &[]);
        self.answer_to(self.next_id)
    }

    pub fn ask(&mut self, request: Value) -> Value {
        let answer = self.request(request);
        assert!(answer["error"].is_null(), "{answer}");
        answer["ok"].clone()
    }

    /// The code with which this request is refused.
    pub fn refusal(&mut self, request: Value) -> String {
        let answer = self.request(request);
        answer["error"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_string()
    }

    /// Sends the engine a command that is not waited for.
    pub fn tell_engine(&mut self, command: &str) {
        self.next_id += 1;
        self.send_with(
            &json!({"id": self.next_id, "op": "engine", "command": {"execute": command}}),
            &[],
        );
    }

    fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let frame = self.receive().expect("an answer");
            if frame["id"] == id {
                return frame;
            }
            self.events.push(frame);
        }
    }

    /// The next event.
    pub fn event(&mut self) -> Option<Value> {
        loop {
            let frame = if self.events.is_empty() {
                self.receive()?
            } else {
                self.events.remove(0)
            };
            if frame["seq"].is_u64() {
                return Some(frame);
            }
        }
    }

    pub fn until(&mut self, matches: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.event().expect("an event");
            if matches(&frame["event"]) {
                return frame["event"].clone();
            }
        }
    }

    pub fn until_state(&mut self, state: &str) {
        self.until(|event| event["type"] == "state" && event["state"] == state);
    }

    /// The events up to the end of the connection.
    pub fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.event()).collect()
    }
}

/// Reads until the text has come, and returns all there was.
pub fn read_until(from: &mut impl Read, text: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0; 4096];
    while !String::from_utf8_lossy(&read).contains(text) {
        match from.read(&mut byte) {
            Ok(0) => panic!(
                "ended without {text:?}: {:?}",
                String::from_utf8_lossy(&read)
            ),
            Ok(length) => read.extend_from_slice(&byte[..length]),
            Err(error) => panic!(
                "{error} before {text:?}: {:?}",
                String::from_utf8_lossy(&read)
            ),
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// Says what a test could not do and why, past the test harness, which shows nothing of tests that pass.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
