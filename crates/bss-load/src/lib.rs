#![doc = include_str!("../README.md")]

pub mod cdr;

pub mod network_sim;
