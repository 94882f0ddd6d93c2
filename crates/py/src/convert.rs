//! Values of Python as JSON, and back: what a caller sets and what a scan counted, without JSON's text between.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Value};

/// What JSON has, with tuples as arrays; bytes are JSON's text.
pub fn json(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    if given.is_none() {
        Ok(Value::Null)
    } else if let Ok(flag) = given.cast::<PyBool>() {
        Ok(Value::Bool(flag.is_true()))
    } else if let Ok(text) = given.cast::<PyString>() {
        Ok(Value::String(text.extract()?))
    } else if let Ok(number) = given.cast::<PyInt>() {
        number.extract::<i64>().map(Value::from).or_else(|_| number.extract::<u64>().map(Value::from))
    } else if let Ok(text) = given.cast::<PyBytes>() {
        serde_json::from_slice(text.as_bytes()).map_err(|error| PyValueError::new_err(error.to_string()))
    } else if let Ok(members) = given.cast::<PyDict>() {
        let members = members.iter().map(|(key, value)| Ok((key.extract()?, json(&value)?)));
        members.collect::<PyResult<Map<String, Value>>>().map(Value::Object)
    } else if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        given.try_iter()?.map(|value| json(&value?)).collect::<PyResult<Vec<Value>>>().map(Value::Array)
    } else {
        Err(PyTypeError::new_err(format!("JSON has no such value: {given}")))
    }
}

/// The value as Python has it.
pub fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::Array(values) => {
            let list = PyList::empty(py);
            values.iter().try_for_each(|value| list.append(object(py, value)?))?;
            list.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            members.iter().try_for_each(|(key, value)| dict.set_item(key, object(py, value)?))?;
            dict.into_any()
        }
    })
}
