//! The stack as an operator drives it, by commands alone.

mod backup;
mod crash;
mod disk;
mod lifecycle;
mod load;
mod support;
