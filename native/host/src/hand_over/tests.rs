use super::*;
use crate::dir::open_dir;
use crate::testing::TempDir;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;

/// A listener in a folder of its own, served once by `serve` on a thread.
struct Server {
    temp: TempDir,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn new(serve: impl FnOnce(UnixStream) + Send + 'static) -> Server {
        let temp = TempDir::new();
        let listener = UnixListener::bind(temp.path().join("s")).unwrap();
        let thread = std::thread::spawn(move || serve(listener.accept().unwrap().0));
        Server {
            temp,
            thread: Some(thread),
        }
    }

    fn call(&self, frame: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<Vec<u8>> {
        let timeout = Duration::from_millis(500);
        let request = Request {
            name: "s",
            frame,
            descriptors,
            peer_uid: None,
            timeout,
        };
        hand_over(open_dir(self.temp.path()).unwrap(), &request)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let result = self.thread.take().unwrap().join();
        assert!(
            std::thread::panicking() || result.is_ok(),
            "the server of the test failed"
        );
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    frame
}

/// Reads one frame and the descriptors that came with its first bytes.
fn receive(mut stream: &UnixStream) -> (Vec<u8>, Vec<std::os::fd::OwnedFd>) {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, recvmsg};
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut prefix = [0; PREFIX];
    let mut into = [std::io::IoSliceMut::new(&mut prefix)];
    recvmsg(stream, &mut into, &mut control, RecvFlags::empty()).unwrap();
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let mut body = vec![0; u32::from_be_bytes(prefix) as usize];
    stream.read_exact(&mut body).unwrap();
    (body, descriptors)
}

#[test]
fn frame_and_descriptors_arrive_in_order_and_the_answer_comes_back() {
    let server = Server::new(|mut stream| {
        let (body, descriptors) = receive(&stream);
        let mut said = body;
        for descriptor in descriptors {
            std::fs::File::from(descriptor)
                .read_to_end(&mut said)
                .unwrap();
        }
        stream.write_all(&framed(&said)).unwrap();
    });
    let files = ["one ", "two"].map(|text| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        reader
    });
    let descriptors: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
    assert_eq!(
        server.call(&framed(b"start "), &descriptors).unwrap(),
        framed(b"start one two")
    );
}

#[test]
fn a_frame_larger_than_the_socket_buffer_arrives_whole() {
    let server = Server::new(|mut stream| {
        std::thread::sleep(Duration::from_millis(20));
        let (body, descriptors) = receive(&stream);
        assert_eq!(descriptors.len(), 1);
        stream
            .write_all(&framed(body.len().to_string().as_bytes()))
            .unwrap();
    });
    let null = std::fs::File::open("/dev/null").unwrap();
    let frame = framed(&vec![b'x'; MAX_FRAME]);
    assert_eq!(
        server.call(&frame, &[null.as_fd()]).unwrap(),
        framed(b"1048576")
    );
}

#[test]
fn a_peer_that_is_silent_closes_or_lies_is_told_apart() {
    let silent = Server::new(|stream| {
        receive(&stream);
        std::thread::sleep(Duration::from_millis(700));
    });
    assert_eq!(
        silent.call(&framed(b"{}"), &[]).unwrap_err().code,
        Code::TimedOut
    );
    let closing = Server::new(|stream| drop(receive(&stream)));
    assert_eq!(
        closing.call(&framed(b"{}"), &[]).unwrap_err().code,
        Code::PeerClosed
    );
    let cut_off = Server::new(|mut stream| {
        receive(&stream);
        stream.write_all(&[0, 0, 0, 9, b'{']).unwrap();
    });
    assert_eq!(
        cut_off.call(&framed(b"{}"), &[]).unwrap_err().code,
        Code::PeerClosed
    );
    let boasting = Server::new(|mut stream| {
        receive(&stream);
        stream.write_all(&[0xff; 4]).unwrap();
    });
    assert_eq!(
        boasting.call(&framed(b"{}"), &[]).unwrap_err().code,
        Code::TooLarge
    );
}

#[test]
fn nothing_is_handed_to_a_listener_of_another_uid() {
    let temp = TempDir::new();
    let listener = UnixListener::bind(temp.path().join("s")).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let own = rustix::process::getuid().as_raw();
    let request = Request {
        name: "s",
        frame: &framed(b"{}"),
        descriptors: &[null.as_fd()],
        peer_uid: Some(own + 1),
        timeout: Duration::from_millis(500),
    };
    let error = hand_over(open_dir(temp.path()).unwrap(), &request).unwrap_err();
    assert_eq!(error.code, Code::PermissionDenied);
    let mut heard = Vec::new();
    listener
        .accept()
        .unwrap()
        .0
        .read_to_end(&mut heard)
        .unwrap();
    assert!(heard.is_empty());
}

#[test]
fn a_full_backlog_is_waited_for_until_the_time_is_over() {
    let temp = TempDir::new();
    let listener = UnixListener::bind(temp.path().join("s")).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let dir = open_dir(temp.path()).unwrap();
    let _first = unix::connect(&dir, "s").unwrap();
    let timeout = Duration::from_millis(100);
    let request = Request {
        name: "s",
        frame: &framed(b"{}"),
        descriptors: &[],
        peer_uid: None,
        timeout,
    };
    let begun = Instant::now();
    assert_eq!(hand_over(&dir, &request).unwrap_err().code, Code::Busy);
    assert!(begun.elapsed() >= timeout);
}

#[test]
fn frames_that_are_none_never_leave() {
    let temp = TempDir::new();
    let dir = open_dir(temp.path()).unwrap();
    let try_frame = |frame: &[u8]| {
        let timeout = Duration::from_millis(10);
        hand_over(
            &dir,
            &Request {
                name: "s",
                frame,
                descriptors: &[],
                peer_uid: None,
                timeout,
            },
        )
        .unwrap_err()
        .code
    };
    assert_eq!(try_frame(b"abc"), Code::InvalidArgument);
    assert_eq!(try_frame(&[0, 0, 0, 2, b'{']), Code::InvalidArgument);
    assert_eq!(
        try_frame(&framed(&vec![b'x'; MAX_FRAME + 1])),
        Code::TooLarge
    );
    assert_eq!(try_frame(&framed(b"{}")), Code::NotFound);
}
