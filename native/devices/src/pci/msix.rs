//! MSI-X: a table of messages in the device's BAR, each masked or not (PCI Local Bus 3.0, 6.8.2).

use std::io;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::event::as_fd;
use crate::interrupt::{MsiMessage, MsiVector, MsiVectors};

pub const CAPABILITY: u8 = 0x11;
const ENTRY_SIZE: u64 = 16;
const MASKED: u32 = 1;

/// In the second byte of message control.
const ENABLED: u8 = 1 << 7;
const ALL_MASKED: u8 = 1 << 6;

/// What a driver wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsixState {
    entries: Vec<Entry>,
    enabled: bool,
    all_masked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    message: MsiMessage,
    control: u32,
}

const INITIAL: Entry = Entry {
    message: MsiMessage {
        address: 0,
        data: 0,
    },
    control: MASKED,
};

pub struct Msix {
    state: MsixState,
    vectors: Arc<[Arc<dyn MsiVector>]>,
    /// What each vector raises now.
    connected: Vec<Option<MsiMessage>>,
}

impl Msix {
    pub fn new(count: u16, source: &dyn MsiVectors) -> io::Result<Msix> {
        let vectors: io::Result<Vec<_>> = (0..count).map(|_| source.allocate()).collect();
        let count = usize::from(count);
        Ok(Msix {
            state: initial(count),
            vectors: vectors?.into(),
            connected: vec![None; count],
        })
    }

    pub fn vectors(&self) -> &Arc<[Arc<dyn MsiVector>]> {
        &self.vectors
    }

    pub fn state(&self) -> &MsixState {
        &self.state
    }

    /// The capability's body: size, then where in BAR 0 the table and the pending bits are.
    pub fn capability(&self, table: u32, pending: u32) -> [u8; 10] {
        let last = u16::try_from(self.vectors.len().saturating_sub(1)).unwrap_or(0);
        let mut body = [0; 10];
        let fields = last.to_le_bytes().into_iter();
        let fields = fields
            .chain(table.to_le_bytes())
            .chain(pending.to_le_bytes());
        for (to, from) in body.iter_mut().zip(fields) {
            *to = from;
        }
        body
    }

    /// The bits of the capability's fourth byte that a guest may write.
    pub fn writable() -> u8 {
        ENABLED | ALL_MASKED
    }

    /// The guest has written that byte.
    pub fn set_control(&mut self, control: u8) {
        self.state.enabled = control & ENABLED != 0;
        self.state.all_masked = control & ALL_MASKED != 0;
        (0..self.vectors.len()).for_each(|index| self.connect(index));
    }

    pub fn reset(&mut self) {
        self.state = initial(self.vectors.len());
        (0..self.vectors.len()).for_each(|index| self.connect(index));
        for vector in self.vectors.iter() {
            // What was pending was of its former life.
            let _ = vector.event().read();
        }
    }

    pub fn read_table(&self, offset: u64, data: &mut [u8]) {
        data.fill(0);
        let mut bytes = [0; ENTRY_SIZE as usize];
        if let Some(entry) = self.state.entries.get(index(offset)) {
            let fields = entry.message.address.to_le_bytes().into_iter();
            let fields = fields.chain(entry.message.data.to_le_bytes());
            let fields = fields.chain(entry.control.to_le_bytes());
            bytes
                .iter_mut()
                .zip(fields)
                .for_each(|(to, from)| *to = from);
        }
        let within = usize::try_from(offset % ENTRY_SIZE).unwrap_or(0);
        for (to, from) in data.iter_mut().zip(bytes.iter().skip(within)) {
            *to = *from;
        }
    }

    /// Accesses are of 4 or 8 bytes, aligned, as the specification has it; others do nothing.
    pub fn write_table(&mut self, offset: u64, data: &[u8]) {
        match *data {
            [a, b, c, d] if offset.is_multiple_of(4) => {
                self.write_word(offset, u32::from_le_bytes([a, b, c, d]));
            }
            [a, b, c, d, e, f, g, h] if offset.is_multiple_of(8) => {
                self.write_word(offset, u32::from_le_bytes([a, b, c, d]));
                self.write_word(offset.saturating_add(4), u32::from_le_bytes([e, f, g, h]));
            }
            _ => {}
        }
    }

    fn write_word(&mut self, offset: u64, value: u32) {
        let index = index(offset);
        let Some(entry) = self.state.entries.get_mut(index) else {
            return;
        };
        let address = entry.message.address;
        match offset % ENTRY_SIZE {
            0 => entry.message.address = address >> 32 << 32 | u64::from(value & !3),
            4 => entry.message.address = address & 0xffff_ffff | u64::from(value) << 32,
            8 => entry.message.data = value,
            _ => entry.control = value & MASKED,
        }
        self.connect(index);
    }

    /// Pending bits, read only.
    pub fn read_pending(&self, offset: u64, data: &mut [u8]) {
        for (index, byte) in data.iter_mut().enumerate() {
            let first = usize::try_from(offset)
                .ok()
                .and_then(|offset| offset.checked_add(index)?.checked_mul(8));
            *byte = first.map_or(0, |first| self.pending(first));
        }
    }

    /// Eight of them from this vector on.
    fn pending(&self, first: usize) -> u8 {
        let eight = self.vectors.iter().zip(&self.connected).skip(first).take(8);
        eight
            .enumerate()
            .fold(0, |bits, (index, (vector, connected))| {
                let waits = connected.is_none() && is_raised(vector.as_ref());
                bits | u8::from(waits).checked_shl(index as u32).unwrap_or(0)
            })
    }

    /// Makes a vector raise what its entry says now.
    fn connect(&mut self, index: usize) {
        let (Some(entry), Some(vector), Some(connected)) = (
            self.state.entries.get(index),
            self.vectors.get(index),
            self.connected.get_mut(index),
        ) else {
            return;
        };
        let open = self.state.enabled && !self.state.all_masked && entry.control & MASKED == 0;
        let wanted = open.then_some(entry.message);
        if *connected == wanted {
            return;
        }
        // Refused only where the kernel is out of memory: the guest then misses interrupts, and nothing else is harmed.
        let done = match wanted {
            Some(message) => vector.connect(message),
            None => vector.disconnect(),
        };
        *connected = wanted.filter(|_| done.is_ok());
    }
}

fn initial(count: usize) -> MsixState {
    MsixState {
        entries: vec![INITIAL; count],
        enabled: false,
        all_masked: false,
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset / ENTRY_SIZE).unwrap_or(usize::MAX)
}

fn is_raised(vector: &dyn MsiVector) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(
        as_fd(vector.event()),
        PollFlags::IN,
    )];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests;
