//! The first serial port, a 16550, between the guest and the console's socket.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use vm_superio::serial::SerialEvents;
use vm_superio::{Serial, Trigger};
use vmm_sys_util::eventfd::EventFd;

use crate::bus::BusDevice;
use crate::interrupt::InterruptLine;

/// Bytes of input taken at once: the port's FIFO.
const CHUNK: usize = 64;

pub struct SerialPort {
    port: Serial<Edge, Drained, Console>,
    edge: Edge,
    drained: Drained,
    console: Arc<File>,
}

impl SerialPort {
    /// `console` is a non-blocking socket. `drained` is counted up when the guest has read all input.
    pub fn new(console: File, line: Arc<dyn InterruptLine>, drained: EventFd) -> SerialPort {
        let (edge, drained) = (Edge(line), Drained(Arc::new(drained)));
        let console = Arc::new(console);
        let out = Console(console.clone());
        SerialPort {
            port: Serial::with_events(edge.clone(), drained.clone(), out),
            edge,
            drained,
            console,
        }
    }

    /// As after power-on; what was typed meanwhile waits in the socket.
    pub fn reset(&mut self) {
        let out = Console(self.console.clone());
        self.port = Serial::with_events(self.edge.clone(), self.drained.clone(), out);
        // There is room again.
        self.drained.in_buffer_empty();
    }

    /// Where input comes from.
    pub fn input(&self) -> &Arc<File> {
        &self.console
    }

    /// Whether input would be taken.
    pub fn has_room(&self) -> bool {
        self.port.fifo_capacity() > 0
    }

    /// Takes what was typed, as far as there is room. False when nobody will ever type again.
    pub fn receive(&mut self) -> bool {
        let mut bytes = [0; CHUNK];
        let room = self.port.fifo_capacity().min(CHUNK);
        let Some(free) = bytes.get_mut(..room).filter(|free| !free.is_empty()) else {
            return true;
        };
        match (&*self.console).read(free) {
            Ok(0) => false,
            Ok(length) => {
                // There is room for all of it; a guest that has turned its port into a loop gets none.
                let _ = self
                    .port
                    .enqueue_raw_bytes(bytes.get(..length).unwrap_or_default());
                true
            }
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ),
        }
    }
}

impl BusDevice for SerialPort {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        match (u8::try_from(offset), data) {
            (Ok(offset), [byte]) => *byte = self.port.read(offset),
            (_, data) => data.fill(0xff),
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        if let (Ok(offset), &[byte]) = (u8::try_from(offset), data) {
            // Neither the line nor the console refuses.
            let _ = self.port.write(offset, byte);
        }
    }
}

#[derive(Clone)]
struct Edge(Arc<dyn InterruptLine>);

impl Trigger for Edge {
    type E = io::Error;

    fn trigger(&self) -> io::Result<()> {
        self.0.pulse();
        Ok(())
    }
}

#[derive(Clone)]
struct Drained(Arc<EventFd>);

impl SerialEvents for Drained {
    fn buffer_read(&self) {}
    fn out_byte(&self) {}
    fn tx_lost_byte(&self) {}

    fn in_buffer_empty(&self) {
        let _ = self.0.write(1);
    }
}

/// A reader that does not read costs bytes, never the guest's time.
struct Console(Arc<File>);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = (&*self.0).write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::testing::Line;

    const DATA: u64 = 0;
    const INTERRUPTS: u64 = 1;
    const STATUS: u64 = 5;

    fn port() -> (SerialPort, UnixStream, Arc<Line>, EventFd) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let line = Arc::new(Line::default());
        let drained = EventFd::new(libc::EFD_NONBLOCK).unwrap();
        let console = File::from(std::os::fd::OwnedFd::from(ours));
        let port = SerialPort::new(console, line.clone(), drained.try_clone().unwrap());
        (port, theirs, line, drained)
    }

    fn read(port: &mut SerialPort, offset: u64) -> u8 {
        let mut data = [0];
        port.read(offset, &mut data);
        data[0]
    }

    #[test]
    fn what_the_guest_writes_comes_out() {
        let (mut port, mut console, ..) = port();
        for byte in b"login: " {
            port.write(DATA, &[*byte]);
        }
        let mut text = [0; 7];
        console.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"login: ");
    }

    #[test]
    fn what_is_typed_comes_in_with_an_interrupt_and_room_is_told() {
        let (mut port, mut console, line, drained) = port();
        port.write(INTERRUPTS, &[1]);
        console.write_all(b"ab").unwrap();
        assert!(port.receive());
        assert_eq!(line.taken(), [true, false]);
        assert_eq!(read(&mut port, STATUS) & 1, 1);
        assert_eq!(read(&mut port, DATA), b'a');
        assert!(drained.read().is_err());
        assert_eq!(read(&mut port, DATA), b'b');
        assert_eq!(drained.read().unwrap(), 1);
    }

    #[test]
    fn more_input_than_the_port_holds_waits_in_the_socket() {
        let (mut port, mut console, ..) = port();
        console.write_all(&[7; 1000]).unwrap();
        while port.has_room() {
            assert!(port.receive());
        }
        assert!(port.receive());
        let mut seen = 0;
        while seen < 1000 {
            if read(&mut port, STATUS) & 1 == 1 {
                assert_eq!(read(&mut port, DATA), 7);
                seen += 1;
            } else {
                assert!(port.receive());
            }
        }
    }

    #[test]
    fn a_reader_that_does_not_read_never_blocks_the_guest() {
        let (mut port, _console, ..) = port();
        for _ in 0..500_000 {
            port.write(DATA, b"x");
        }
    }

    #[test]
    fn a_console_that_is_gone_is_told_once_and_harms_nothing() {
        let (mut port, console, ..) = port();
        drop(console);
        assert!(!port.receive());
        port.write(DATA, b"x");
    }

    #[test]
    fn accesses_of_other_widths_do_nothing() {
        let (mut port, mut console, ..) = port();
        port.write(DATA, b"xy");
        port.write(300, b"x");
        let mut wide = [0; 2];
        port.read(DATA, &mut wide);
        assert_eq!(wide, [0xff; 2]);
        assert!(console.read(&mut wide).is_err());
    }
}
