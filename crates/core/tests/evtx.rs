//! The EVTX reader against the `evtx` crate, on recordings that lie outside the project. Skips without them.

mod common;

use common::{decode, folder, recordings};

#[test]
fn counts_equal_those_of_the_evtx_crate() {
    let recordings = recordings();
    assert!(folder().is_none() || recordings.len() > 150, "{} files", recordings.len());
    let mut records = 0;
    for (name, bytes) in recordings {
        let ours = decode("evtx", &bytes, 1 << 20);
        let mut parser = evtx::EvtxParser::from_buffer(bytes.clone()).expect("the crate opens it");
        let (mut theirs, mut failed) = (0, 0);
        for record in parser.records_json() {
            if record.is_ok() { theirs += 1 } else { failed += 1 }
        }
        let kinds: Vec<_> = ours.faults.iter().map(|fault| (fault.kind, &fault.message, fault.place.offset)).collect();
        if !kinds.is_empty() || failed > 0 {
            println!("{name}: {theirs} records, {failed} failed there; {kinds:?}");
        }
        assert_eq!(ours.documents.len(), theirs, "{name}: {kinds:?}");
        for (json, _) in &ours.documents {
            let document: serde_json::Value = serde_json::from_slice(json).expect("documents are JSON");
            assert!(
                document["@timestamp"].is_string() && document["winlog"]["channel"].is_string(),
                "{name}: {document}"
            );
        }
        let in_pieces = decode("evtx", &bytes, 70_001);
        assert_eq!(in_pieces.documents, ours.documents, "{name}: pieces change nothing");
        records += theirs;
    }
    println!("{records} records");
}

#[test]
fn the_text_xml_of_a_record_gives_the_same_document() {
    for (name, bytes) in recordings() {
        let mut parser = evtx::EvtxParser::from_buffer(bytes.clone()).expect("the crate opens it");
        let mut xml = b"<Events>\n".to_vec();
        for record in parser.records().flatten() {
            xml.extend(
                record.data.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>").unwrap_or(&record.data).bytes(),
            );
        }
        xml.extend(b"</Events>");
        let from_xml = decode("windows-xml", &xml, 9_999);
        let from_evtx = decode("evtx", &bytes, 1 << 20);
        assert_eq!(from_xml.faults, [], "{name}");
        assert_eq!(from_xml.documents.len(), from_evtx.documents.len(), "{name}");
        for (xml, evtx) in from_xml.json().iter().zip(from_evtx.json()) {
            assert_eq!(*xml, evtx, "{name}");
        }
    }
}
