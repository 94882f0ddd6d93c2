//! The Python face of `contraband-core`: it converts, releases the GIL and maps errors, nothing more.

#![allow(missing_docs)] // PyO3's macros make items of their own

mod convert;

use contraband_core::executor::{Engine as CoreEngine, Next, Scan as CoreScan, Watch as CoreWatch};
use contraband_core::input::Input;
use contraband_core::kernels;
use contraband_core::plan::PLAN_VERSION;
use contraband_core::sources::{FORMATS, Fault, Place, Reading, Settings, Sink};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use std::time::Duration;

create_exception!(_core, PlanError, PyValueError, "A rule set or options that the core cannot load.");

/// A loaded rule set, joined.
#[pyclass(module = "contraband._core", frozen)]
struct Engine {
    inner: CoreEngine,
}

#[derive(FromPyObject)]
enum Given {
    Text(String),
    Bytes(Vec<u8>),
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (rules, options, stored=None))]
    fn new(
        py: Python<'_>,
        rules: PyBackedBytes,
        options: &Bound<'_, PyAny>,
        stored: Option<PyBackedBytes>,
    ) -> PyResult<Self> {
        let options = set(options)?;
        let inner = py.detach(|| CoreEngine::with_stored(&rules, &options, stored.as_deref().unwrap_or_default()));
        inner.map(|inner| Self { inner }).map_err(|error| PlanError::new_err(error.to_string()))
    }

    /// What was found out about the rules, to be given with them the next time.
    fn stored<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.stored())
    }

    /// What was loaded, for people: JSON.
    fn explain<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.explain().as_bytes())
    }

    /// Starts a scan of paths, of `-` (standard input) and of bytes in memory.
    fn scan(&self, py: Python<'_>, inputs: Vec<Given>, options: &Bound<'_, PyAny>) -> PyResult<Scan> {
        let options = set(options)?;
        let inputs = inputs
            .into_iter()
            .map(|given| match given {
                Given::Text(path) => Input::Path(path),
                Given::Bytes(bytes) => Input::Bytes(bytes),
            })
            .collect();
        let inner =
            CoreScan::start(&self.inner, inputs, &options).map_err(|error| PlanError::new_err(error.to_string()))?;
        let watch = Py::new(py, Watch { inner: inner.watch() })?;
        Ok(Scan { inner, watch })
    }
}

/// What a caller sets, as the core reads it.
fn set(options: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let refused = |error: &dyn std::fmt::Display| PlanError::new_err(format!("options: {error}"));
    let options = convert::json(options).map_err(|error| refused(&error))?;
    serde_json::to_vec(&options).map_err(|error| refused(&error))
}

/// A running scan.
#[pyclass(module = "contraband._core")]
struct Scan {
    inner: CoreScan,
    watch: Py<Watch>,
}

/// How far a scan is. Apart from the scan, which nobody can look at while another thread waits for its output.
#[pyclass(module = "contraband._core", frozen)]
struct Watch {
    inner: CoreWatch,
}

#[pymethods]
impl Watch {
    /// Bytes read, and bytes known in all.
    fn progress(&self) -> (u64, u64) {
        self.inner.progress()
    }
}

#[pymethods]
impl Scan {
    /// The next block of whole output lines; None at the end. Waits without the GIL, and lets Python handle signals meanwhile.
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        loop {
            let inner = &mut self.inner;
            match py.detach(|| inner.next_within(Duration::from_millis(100))) {
                Next::Block(block) => {
                    let bytes = PyBytes::new(py, &block);
                    self.inner.recycle(block);
                    return Ok(Some(bytes));
                }
                Next::End => return Ok(None),
                Next::NotYet => py.check_signals()?,
            }
        }
    }

    /// How far it is, for other threads too.
    fn watch(&self, py: Python<'_>) -> Py<Watch> {
        self.watch.clone_ref(py)
    }

    /// What was counted.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let counted =
            serde_json::to_value(self.inner.summary()).map_err(|error| PyValueError::new_err(error.to_string()))?;
        convert::object(py, &counted)
    }

    /// Asks for an early end.
    fn stop(&self) {
        self.inner.stop();
    }
}

#[derive(Default)]
struct Decoded {
    documents: Vec<(Vec<u8>, u64, u64)>,
    faults: Vec<(String, String, u64, u64)>,
}

impl Sink for Decoded {
    fn document(&mut self, json: &[u8], place: Place) {
        self.documents.push((json.to_vec(), place.record, place.offset));
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.push((fault.kind.to_owned(), fault.message, fault.place.record, fault.place.offset));
    }
}

type Documents<'py> = Vec<(Bound<'py, PyBytes>, u64, u64)>;
type Faults = Vec<(String, String, u64, u64)>;

/// The ECS documents (JSON, record, offset) and the faults (kind, message, record, offset) of a raw format.
#[pyfunction]
#[pyo3(signature = (source, data, host_name=None))]
fn decode<'py>(
    py: Python<'py>,
    source: &str,
    data: Vec<u8>,
    host_name: Option<String>,
) -> PyResult<(Documents<'py>, Faults)> {
    let format = FORMATS.iter().find(|format| format.name == source).ok_or_else(|| {
        PyValueError::new_err(format!("there is no source `{source}`; there are: {}", source_names().join(", ")))
    })?;
    let settings = Settings { host_name, ..Settings::default() };
    let mut sink = Decoded::default();
    match format.reading {
        Reading::Bytes(decoder) => {
            let mut decoder = decoder(&settings);
            data.chunks(1 << 16).for_each(|piece| decoder.push(piece, &mut sink));
            decoder.finish(&mut sink);
        }
        Reading::Documents(mapper) => {
            let mut mapper = mapper(&settings);
            let (mut record, mut offset) = (0, 0);
            for line in data.split(|byte| *byte == b'\n') {
                record += 1;
                if !line.trim_ascii().is_empty() {
                    mapper.document(line.trim_ascii(), Place { record, offset }, &mut sink);
                }
                offset += line.len() as u64 + 1;
            }
            mapper.finish(&mut sink);
        }
    }
    let documents =
        sink.documents.iter().map(|(json, record, offset)| (PyBytes::new(py, json), *record, *offset)).collect();
    Ok((documents, sink.faults))
}

/// The raw formats that are read.
#[pyfunction]
fn source_names() -> Vec<&'static str> {
    FORMATS.iter().map(|format| format.name).collect()
}

/// The functions that a plan may call.
#[pyfunction]
fn function_names() -> Vec<&'static str> {
    kernels::function_names()
}

/// The compiled core of contraband.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("PLAN_VERSION", PLAN_VERSION)?;
    module.add("PlanError", module.py().get_type::<PlanError>())?;
    module.add_class::<Engine>()?;
    module.add_class::<Scan>()?;
    module.add_class::<Watch>()?;
    module.add_function(wrap_pyfunction!(decode, module)?)?;
    module.add_function(wrap_pyfunction!(source_names, module)?)?;
    module.add_function(wrap_pyfunction!(function_names, module)?)?;
    Ok(())
}
