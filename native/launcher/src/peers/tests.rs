use super::*;
use crate::error::Code;
use crate::testing::Scratch;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, sendmsg};
use std::io::{IoSlice, Read, Write};
use std::os::unix::net::UnixStream;

struct Room {
    peers: Peers,
    scratch: Scratch,
}

impl Room {
    fn new() -> Self {
        let scratch = Scratch::new();
        let peers = Peers::listen(&scratch.path("launcher.sock")).unwrap();
        Self { peers, scratch }
    }

    fn join(&mut self) -> UnixStream {
        let stream = UnixStream::connect(self.scratch.path("launcher.sock")).unwrap();
        self.peers.accept();
        stream
    }

    fn ids(&self) -> Vec<u64> {
        self.peers.waits().map(|(id, _, _)| id).collect()
    }

    fn receive(&mut self) -> Vec<Received> {
        self.ids()
            .into_iter()
            .flat_map(|id| self.peers.receive(id))
            .collect()
    }
}

fn framed(text: &str) -> Vec<u8> {
    frame(text.as_bytes()).unwrap()
}

const START: &str = r#"{"id":1,"op":"start","plan":{"id":"a","engine":{"kind":"qemu","program":"/q","args":[]},"descriptors":["a","b"],"files":[],"dhcp":[],"graceSeconds":1}}"#;

fn send_with_descriptors(stream: &UnixStream, bytes: &[u8], count: usize) {
    let source = std::fs::File::open("/dev/null").unwrap();
    let descriptors = vec![source.as_fd(); count];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS + 1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    sendmsg(
        stream,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::empty(),
    )
    .unwrap();
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn requests_come_with_their_ids_and_peers() {
    let mut room = Room::new();
    let mut stream = room.join();
    stream
        .write_all(
            &[
                framed(r#"{"id":4,"op":"status"}"#),
                framed(r#"{"id":5,"op":"dance"}"#),
            ]
            .concat(),
        )
        .unwrap();
    let received = room.receive();
    assert!(matches!(
        received[0],
        Received {
            peer: 1,
            id: 4,
            request: Ok(Request::Status),
            ..
        }
    ));
    assert_eq!(
        received[1].request.as_ref().unwrap_err().code,
        Code::UnknownOp
    );
}

#[test]
fn what_is_no_request_ends_that_connection_and_no_other() {
    for garbage in ["[]", "{}", "hello", r#"{"op":"status"}"#, "\u{0}"] {
        let mut room = Room::new();
        let mut bad = room.join();
        let _good = room.join();
        bad.write_all(&framed(garbage)).unwrap();
        assert!(room.receive().is_empty());
        assert_eq!(room.ids(), [2], "{garbage}");
    }
}

#[test]
fn a_peer_that_leaves_is_forgotten() {
    let mut room = Room::new();
    drop(room.join());
    assert!(room.receive().is_empty());
    assert!(room.ids().is_empty());
}

#[test]
fn the_ninth_connection_is_closed() {
    let mut room = Room::new();
    let _streams: Vec<UnixStream> = (0..8).map(|_| room.join()).collect();
    let mut ninth = room.join();
    assert_eq!(ninth.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(room.ids().len(), 8);
}

#[test]
fn descriptors_reach_the_start_that_they_came_with() {
    let mut room = Room::new();
    let stream = room.join();
    send_with_descriptors(&stream, &framed(START), 2);
    let received = room.receive();
    assert!(matches!(received[0].request, Ok(Request::Start(_))));
    assert_eq!(received[0].descriptors.len(), 2);
}

#[test]
fn descriptors_of_a_start_in_pieces_are_kept_until_it_is_whole() {
    let mut room = Room::new();
    let mut stream = room.join();
    let start = framed(START);
    send_with_descriptors(&stream, &start[..30], 2);
    assert!(room.receive().is_empty());
    stream.write_all(&start[30..]).unwrap();
    assert_eq!(room.receive()[0].descriptors.len(), 2);
}

#[test]
fn descriptors_that_nobody_asked_for_are_closed() {
    let mut room = Room::new();
    let stream = room.join();
    let before = open_descriptors();
    send_with_descriptors(&stream, &framed(r#"{"id":1,"op":"status"}"#), 3);
    assert!(room.receive()[0].descriptors.is_empty());
    assert!(room.peers.peers[0].descriptors.is_empty());
    // Other tests of this process open some, too: a leak would show as a steady rise.
    assert!(open_descriptors() < before + 40);
}

#[test]
fn more_descriptors_than_a_plan_may_have_end_the_connection() {
    let mut room = Room::new();
    let stream = room.join();
    send_with_descriptors(&stream, &framed(START), MAX_DESCRIPTORS + 1);
    assert!(room.receive().is_empty());
    assert!(room.ids().is_empty());
}

#[test]
fn subscribers_get_the_kept_events_and_then_each_new_one_once() {
    let mut room = Room::new();
    let mut stream = room.join();
    let mut silent = room.join();
    let mut ring = Ring::default();
    for text in ["one", "two", "three"] {
        ring.push(framed(text));
    }
    room.peers.subscribe(1, 2, &ring);
    room.peers.publish(&framed("four"));
    room.peers.flush();
    let expected = ["two", "three", "four"].map(framed).concat();
    let mut read = vec![0; expected.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(read, expected);
    assert!(room.peers.all_sent());
    silent.set_nonblocking(true).unwrap();
    assert!(silent.read(&mut [0; 1]).is_err());
}

#[test]
fn a_peer_that_does_not_read_is_dropped_and_nobody_waits_for_it() {
    let mut room = Room::new();
    let _lazy = room.join();
    let _other = room.join();
    let large = vec![b' '; 256 * 1024];
    for _ in 0..100 {
        room.peers.send(1, &large);
        room.peers.flush();
    }
    assert_eq!(room.ids(), [2]);
}
