//! The engine: bytes in, matches out. It knows no Python and no EQL text; what to look for comes as a plan.

// `filter::vector` and `json::vector` alone have vector instructions, and with them `unsafe`.
#![deny(unsafe_code)]

pub mod alert;
pub mod enrich;
pub mod executor;
pub mod filter;
pub mod input;
pub mod json;
pub mod kernels;
pub mod plan;
pub mod program;
pub mod route;
pub mod sequences;
pub mod sources;
pub mod spill;
pub mod value;
