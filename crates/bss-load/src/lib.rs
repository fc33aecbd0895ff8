#![doc = include_str!("../README.md")]

pub mod api_client;
pub mod catalog_import;
pub mod cdr;

pub mod network_sim;
