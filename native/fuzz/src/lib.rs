//! Fuzz targets: what takes bytes of a guest, an engine or a peer, and what must be true of it whatever the bytes are. Each is
//! a file in `targets`, a line in the table below, and a folder in `corpus`. How to add one is in CONTRIBUTING.md.
//!
//! `cargo test` runs each over its kept corpus; `npm run test:long` lets libFuzzer look for more.

mod bytes;
mod targets;

pub use bytes::Bytes;

/// Panics, hangs or grows where something is wrong.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// All targets, by name.
pub const TARGETS: &[Target] = &[
    Target {
        name: "block",
        run: targets::block::run,
    },
    Target {
        name: "control",
        run: targets::control::run,
    },
    Target {
        name: "dhcp",
        run: targets::dhcp::run,
    },
    Target {
        name: "frames",
        run: targets::frames::run,
    },
    Target {
        name: "image",
        run: targets::image::run,
    },
    Target {
        name: "iso",
        run: targets::iso::run,
    },
    Target {
        name: "kernel",
        run: targets::kernel::run,
    },
    Target {
        name: "msix",
        run: targets::msix::run,
    },
    Target {
        name: "net",
        run: targets::net::run,
    },
    Target {
        name: "pci",
        run: targets::pci::run,
    },
    Target {
        name: "plan",
        run: targets::plan::run,
    },
    Target {
        name: "qmp",
        run: targets::qmp::run,
    },
    Target {
        name: "request",
        run: targets::request::run,
    },
    Target {
        name: "rng",
        run: targets::rng::run,
    },
    Target {
        name: "words",
        run: targets::words::run,
    },
];

pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
