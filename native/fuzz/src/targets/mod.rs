pub mod dhcp;
pub mod frames;
pub mod image;
pub mod iso;
mod iso_reader;
pub mod plan;
pub mod qmp;
pub mod request;
pub mod words;
