//! Makes the files of a plan, one after the other. What takes longer is left to qemu-img, whose end is waited for elsewhere.

use std::collections::VecDeque;
use std::path::Path;

use crate::child::Child;
use crate::error::{Fault, Result};
use crate::outcome::Exit;
use crate::plan::FileStep;
use naming::Named;

pub use image_format::classify;

mod folder;
mod image_format;
mod naming;
mod qemu_img;
mod raw;
mod seed;

/// The files that are still to be made.
pub struct Preparation {
    steps: VecDeque<FileStep>,
    running: Option<Running>,
}

struct Running {
    /// What is being made, for people.
    what: String,
    child: Child,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    Done,
    /// Goes on when a child has ended.
    Waiting,
}

impl Preparation {
    pub fn new(steps: Vec<FileStep>) -> Self {
        Self {
            steps: steps.into(),
            running: None,
        }
    }

    /// Makes files until one needs a child, or all are there.
    pub fn go_on(&mut self) -> Result<Progress> {
        while let Some(step) = self.steps.pop_front() {
            let child = match &step {
                FileStep::Overlay {
                    path,
                    backing,
                    format,
                } => qemu_img::overlay(path, backing, *format)?,
                FileStep::Qcow2 { path, bytes } => qemu_img::empty(path, *bytes)?,
                FileStep::Raw { path, bytes } => {
                    raw::make(path, *bytes)?;
                    continue;
                }
                FileStep::Iso {
                    path,
                    label,
                    entries,
                    folder,
                    needs,
                } => {
                    seed::make(path, label, entries, folder.as_deref(), needs)?;
                    continue;
                }
            };
            self.running = Some(Running {
                what: what_of(&step),
                child,
            });
            return Ok(Progress::Waiting);
        }
        Ok(Progress::Done)
    }

    /// Tells of the end of a child; `None` if it was none of ours.
    pub fn ended(&mut self, pid: i32, exit: Exit) -> Option<Result<()>> {
        let Running { what, mut child } =
            self.running.take_if(|running| running.child.pid() == pid)?;
        if exit == Exit::Code(0) {
            return Some(Ok(()));
        }
        let complaint = child.complaint();
        Some(Err(Fault::new(format!(
            "{what}: qemu-img {exit}: {complaint}"
        ))))
    }
}

/// An overlay can hardly fail but for the image below it.
fn what_of(step: &FileStep) -> String {
    match step {
        FileStep::Overlay { backing, .. } => format!(
            "the disk image in {} cannot be used: make it anew, `qemu-img check` tells more",
            Named(Path::new(backing))
        ),
        step => format!("making {}", step.path()),
    }
}

#[cfg(test)]
mod tests;
