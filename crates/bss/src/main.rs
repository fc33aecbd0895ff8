//! The `bss` command.
fn main() {}
