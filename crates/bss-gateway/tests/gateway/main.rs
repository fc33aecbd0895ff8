//! The gateway as its clients see it: every test talks to a real listener on a port of its own.

mod bodies;
mod drain;
mod layers;
mod limits;
mod support;
mod tokens;
