//! The forms of Windows events against each other, against Elastic's own pair, and against the project's corpus.

mod common;

use std::path::PathBuf;

use common::{corpus, decode, recognised, shared};
use serde_json::{Value, json};

/// The fields of `expected` and `found` that differ.
fn differences(expected: &Value, found: &Value, path: &str, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let (left, right) = (left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null));
                differences(left, right, &format!("{path}.{name}"), out);
            }
        }
        (left, right) if left != right => out.push(format!("{path}: {left} expected, {right} found")),
        _ => {}
    }
}

#[test]
fn elastics_own_pair_of_sysmon_1_is_met() {
    let folder = "public/groundtruth/elastic/sysmon-12-processcreate";
    let (Some(raw), Some(expected)) =
        (shared(&format!("{folder}.collection.json")), shared(&format!("{folder}.ingest-expected.json")))
    else {
        return;
    };
    let raw: Value = serde_json::from_slice(&raw).expect("JSON");
    let expected: Value = serde_json::from_slice(&expected).expect("JSON");
    let line = raw[0].to_string();
    assert_eq!(recognised(line.as_bytes()), Some("winlogbeat"));
    let found = &decode("winlogbeat", line.as_bytes(), 1).json()[0];
    let mut different = Vec::new();
    differences(&expected[0], found, "", &mut different);
    // The one addition: the source implies the kind of host, and rules ask for it.
    assert_eq!(different, [r#".host.os: null expected, {"type":"windows"} found"#]);
}

#[test]
fn the_first_half_of_the_msi_dropper_is_read() {
    let Some(bytes) = shared("public/evtx_sbousseaden_Exec_sysmon_meterpreter_reversetcp_msipackage.partial.jsonl")
    else {
        return;
    };
    assert_eq!(recognised(&bytes), Some("windows-json"));
    let documents = decode("windows-json", &bytes, 1).json();
    let dropper = documents.iter().find(|document| document["process"]["name"] == "MSI4FFD.tmp").expect("its process");
    assert_eq!(dropper["process"]["parent"]["args"], json!([r"C:\Windows\system32\msiexec.exe", "/V"]));
    assert_eq!(dropper["process"]["parent"]["name"], "msiexec.exe");
    assert_eq!(dropper["event"]["category"], json!(["process"]));
    assert_eq!(dropper["process"]["entity_id"], "{365ABB72-D0E4-5CC8-0000-00103CB73E00}");
}

/// Every file of the corpus beside its documents, one a line; `CONTRABAND_ACCEPT=1` rewrites them.
#[test]
fn the_corpus_is_what_it_was() {
    for (format, file) in [
        ("windows-xml", "windows_xml/security_system_application.xml"),
        ("windows-xml", "windows_xml/without_root.xml"),
        ("windows-json", "windows_json/evtx_dump.jsonl"),
        ("windows-json", "windows_json/get_winevent.ndjson"),
        ("winlogbeat", "windows_json/winlogbeat_wrapped.ndjson"),
    ] {
        let bytes = corpus(file);
        assert_eq!(recognised(&bytes), Some(format), "{file}");
        let collected = decode(format, &bytes, 100);
        assert_eq!(collected.faults, [], "{file}");
        let mut lines: Vec<String> = collected.json().iter().map(Value::to_string).collect();
        lines.push(String::new());
        let expected = format!("{file}.expected.ndjson");
        if std::env::var_os("CONTRABAND_ACCEPT").is_some() {
            let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus"));
            std::fs::write(root.join(&expected), lines.join("\n")).expect("a writable corpus");
        }
        let wanted: Vec<Value> = String::from_utf8_lossy(&corpus(&expected))
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(collected.json(), wanted, "{file}");
    }
}

#[test]
fn damaged_xml_costs_one_event() {
    let bytes = corpus("windows_xml/without_root.xml");
    let whole = decode("windows-xml", &bytes, 1 << 20).documents.len();
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    let second = text[1..].find("<Event ").expect("a second event") + 1;
    let cut = text[..second - 40].to_owned() + &text[second..];
    let collected = decode("windows-xml", cut.as_bytes(), 64);
    assert_eq!(collected.documents.len(), whole - 1);
    assert_eq!(collected.faults[0].kind, "truncated event");
    assert_eq!(collected.faults[0].place.offset, 0);
    for end in 0..bytes.len() {
        decode("windows-xml", &bytes[..end], 1 << 20).json();
    }
}
