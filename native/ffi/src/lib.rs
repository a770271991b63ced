//! The C ABI that koffi loads.
