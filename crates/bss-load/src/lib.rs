#![doc = include_str!("../README.md")]

pub mod api_client;
pub mod catalog_import;
pub mod cdr;
pub mod demo;
pub mod http_load;
pub mod network_sim;
