//! A whole scan of any bytes: recognised, decompressed, filtered, parsed, evaluated. With and without the raw filter the output is the same.
#![no_main]

use contraband_core::executor::{Engine, Scan};
use contraband_core::input::Input;
use libfuzzer_sys::fuzz_target;

const RULES: &[u8] = include_bytes!("rules.json");

fn scan(data: &[u8], options: &[u8]) -> Vec<u8> {
    let engine = Engine::new(RULES, options).expect("the rules are valid");
    let mut scan = Scan::start(&engine, vec![Input::Bytes(data.to_vec())], br#"{"output":"events"}"#).expect("the options are valid");
    let mut out = Vec::new();
    while let Some(block) = scan.next() {
        out.extend_from_slice(&block);
    }
    out
}

fuzz_target!(|data: &[u8]| {
    let filtered = scan(data, br#"{"threads":1}"#);
    let whole = scan(data, br#"{"threads":1,"filter":false,"read_size":7}"#);
    assert_eq!(filtered, whole);
});
