use super::*;
use crate::history::CAPACITY;
use crate::testing::Scratch;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

struct Room {
    console: Console,
    guest: UnixStream,
    scratch: Scratch,
}

impl Room {
    fn new() -> Self {
        let scratch = Scratch::new();
        let mut console = Console::listen(&scratch.path("console.sock")).unwrap();
        let (ours, guest) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        guest.set_nonblocking(true).unwrap();
        console.connect_guest(ours.into());
        Self {
            console,
            guest,
            scratch,
        }
    }

    fn join(&mut self) -> UnixStream {
        let stream = UnixStream::connect(self.scratch.path("console.sock")).unwrap();
        stream.set_nonblocking(true).unwrap();
        self.console.accept();
        stream
    }

    /// One turn of the loop with everything ready that is waited for.
    fn turn(&mut self) {
        self.console.serve_guest();
        let waits: Vec<(u64, PollFlags)> = self
            .console
            .waits()
            .map(|(id, _, flags)| (id, flags))
            .collect();
        for (id, flags) in waits {
            self.console.serve(id, flags);
        }
        self.console.serve_guest();
        self.console.flush();
    }
}

fn text(mut from: &UnixStream) -> String {
    let mut bytes = vec![0; 2 * CAPACITY];
    match from.read(&mut bytes) {
        Ok(length) => String::from_utf8(bytes[..length].to_vec()).unwrap(),
        Err(_) => String::new(),
    }
}

#[test]
fn every_reader_sees_what_the_guest_says_from_the_beginning() {
    let mut room = Room::new();
    let early = room.join();
    room.guest.write_all(b"boot\r\n").unwrap();
    room.turn();
    let late = room.join();
    room.guest.write_all(b"login: ").unwrap();
    room.turn();
    assert_eq!(text(&early), "boot\r\nlogin: ");
    assert_eq!(text(&late), "boot\r\nlogin: ");
    assert!(room.console.all_written());
}

#[test]
fn what_any_of_them_types_reaches_the_guest() {
    let mut room = Room::new();
    let (mut one, mut two) = (room.join(), room.join());
    one.write_all(b"ro").unwrap();
    two.write_all(b"ot\r").unwrap();
    room.turn();
    assert_eq!(text(&room.guest), "root\r");
}

#[test]
fn a_guest_that_does_not_read_holds_its_writers_back() {
    let mut room = Room::new();
    let mut writer = room.join();
    let mut written = 0;
    for _ in 0..1000 {
        written += writer.write(&[b'x'; 4096]).unwrap_or(0);
        room.turn();
    }
    assert!(room.console.typed.len() < MAX_TYPED + CHUNK);
    assert!(written < 1000 * 4096);
    // And it gets everything in order once it does.
    room.guest.set_nonblocking(false).unwrap();
    let mut first = [0; 4096];
    room.guest.read_exact(&mut first).unwrap();
    assert_eq!(first, [b'x'; 4096]);
}

#[test]
fn a_slow_reader_loses_the_oldest_bytes_and_never_stops_the_guest() {
    let mut room = Room::new();
    let lazy = room.join();
    for round in 0..500 {
        let line = format!("{round:04} {}\n", "x".repeat(4000));
        room.guest
            .write_all(line.as_bytes())
            .expect("the guest is never held back");
        room.turn();
    }
    let mut last = String::new();
    loop {
        let part = text(&lazy);
        if part.is_empty() {
            break;
        }
        last = part;
        room.turn();
    }
    assert!(last.ends_with("x\n"));
    assert!(last.contains("0499 "));
}

#[test]
fn a_reader_that_leaves_is_forgotten_and_one_that_only_stops_typing_is_not() {
    let mut room = Room::new();
    let gone = room.join();
    let listening = room.join();
    drop(gone);
    listening.shutdown(std::net::Shutdown::Write).unwrap();
    room.turn();
    room.guest.write_all(b"more").unwrap();
    room.turn();
    assert_eq!(text(&listening), "more");
    assert_eq!(room.console.attached.len(), 1);
}

#[test]
fn the_ninth_connection_is_closed() {
    let mut room = Room::new();
    let _streams: Vec<UnixStream> = (0..8).map(|_| room.join()).collect();
    let mut ninth = room.join();
    assert_eq!(ninth.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn the_end_of_standard_input_leaves_standard_output() {
    let mut room = Room::new();
    let (stdout, log) = UnixStream::pair().unwrap();
    stdout.set_nonblocking(true).unwrap();
    log.set_nonblocking(true).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    room.console
        .attach_stdio(null.as_fd(), stdout.as_fd())
        .unwrap();
    room.turn();
    room.console.say("hello");
    room.turn();
    assert_eq!(room.console.attached.len(), 1);
    assert_eq!(text(&log), "\r\nwherry-launcher: hello\r\n");
}

#[test]
fn a_guest_that_closes_its_port_is_noticed() {
    let mut room = Room::new();
    let (_, other) = UnixStream::pair().unwrap();
    room.guest = other;
    assert!(!room.console.serve_guest());
    assert!(room.console.guest().is_none());
}
