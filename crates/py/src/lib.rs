//! The Python face of `contraband-core`: it converts, releases the GIL and maps errors, nothing more.
use pyo3::prelude::*;

/// The compiled core of contraband.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
