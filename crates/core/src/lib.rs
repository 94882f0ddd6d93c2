//! The engine: bytes in, matches out. It knows no Python and no EQL text; what to look for comes as a plan.

pub mod enrich;
pub mod kernels;
pub mod plan;
pub mod program;
pub mod sequences;
pub mod sources;
pub mod value;
