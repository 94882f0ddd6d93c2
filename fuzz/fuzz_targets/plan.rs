//! The plan decoder, and what joins plans into a program: any bytes give a program or an error.
#![no_main]

use contraband_core::plan::RuleSet;
use contraband_core::program::Program;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(set) = RuleSet::from_json(data) {
        let _ = Program::new(&set);
    }
});
