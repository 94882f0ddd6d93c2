//! Damaged EVTX: nothing panics, the good records before and after are found, and the damage is named with its offset.

mod common;

use common::{Collected, Writer, Written, decode};

const CHUNK: usize = 65_536;
const HEADER: usize = 4096;

/// Four chunks of forty process creations.
fn file() -> Vec<u8> {
    let mut writer = Writer::new();
    for chunk in 0..4_u64 {
        let numbers: Vec<String> = (0..40).map(|index| (chunk * 40 + index).to_string()).collect();
        let data: Vec<[(&str, &str); 4]> = numbers
            .iter()
            .map(|number| {
                [
                    ("UtcTime", "2026-01-02 03:04:05.678"),
                    ("ProcessId", number.as_str()),
                    ("Image", r"C:\Windows\System32\msiexec.exe"),
                    ("CommandLine", r#"msiexec.exe /i "C:\a b\c.msi" /qn"#),
                ]
            })
            .collect();
        let events: Vec<Written<'_>> = data
            .iter()
            .map(|data| Written {
                provider: "Microsoft-Windows-Sysmon",
                id: 1,
                channel: "Microsoft-Windows-Sysmon/Operational",
                computer: "ws1.example.com",
                filetime: 134_116_778_456_780_000,
                data,
            })
            .collect();
        writer.chunk(&events);
    }
    writer.finish()
}

fn pids(collected: &Collected) -> Vec<u64> {
    collected.json().iter().filter_map(|document| document["process"]["pid"].as_u64()).collect()
}

/// A small generator, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn a_whole_file_has_no_fault() {
    let bytes = file();
    let collected = decode("evtx", &bytes, 10_000);
    assert_eq!(collected.faults, []);
    assert_eq!(pids(&collected), (0..160).collect::<Vec<_>>());
    let document = &collected.json()[0];
    assert_eq!(document["@timestamp"], "2026-01-02T03:04:05.678Z");
    assert_eq!(document["process"]["args"], serde_json::json!(["msiexec.exe", "/i", r"C:\a b\c.msi", "/qn"]));
    let mut parser = evtx::EvtxParser::from_buffer(bytes).expect("the crate opens it");
    assert_eq!(parser.records_json().flatten().count(), 160, "another reader takes the writer's files");
}

#[test]
fn a_broken_record_costs_itself() {
    let mut bytes = file();
    let at = collected_offset(&bytes, 50);
    bytes[at] = b'X';
    let collected = decode("evtx", &bytes, 1 << 20);
    let expected: Vec<u64> = (0..160).filter(|&pid| pid != 50).collect();
    assert_eq!(pids(&collected), expected);
    assert!(collected.faults.iter().any(|fault| fault.kind == "damaged record" && fault.place.offset == at as u64));
}

fn collected_offset(bytes: &[u8], index: usize) -> usize {
    decode("evtx", bytes, 1 << 20).documents[index].1.offset as usize
}

#[test]
fn a_chunk_without_header_is_searched() {
    let mut bytes = file();
    bytes[HEADER + CHUNK..HEADER + CHUNK + 512].fill(0xee);
    let collected = decode("evtx", &bytes, 1 << 20);
    assert_eq!(pids(&collected), (0..160).collect::<Vec<_>>());
    assert!(
        collected
            .faults
            .iter()
            .any(|fault| fault.kind == "damaged chunk" && fault.place.offset == (HEADER + CHUNK) as u64)
    );
}

#[test]
fn a_chunk_of_zeros_is_damage_only_before_others() {
    let mut bytes = file();
    bytes[HEADER + CHUNK..HEADER + 2 * CHUNK].fill(0);
    let collected = decode("evtx", &bytes, CHUNK);
    assert_eq!(pids(&collected).len(), 120);
    assert_eq!(collected.faults.len(), 1);
    assert_eq!(collected.faults[0].kind, "blank chunk");
    assert_eq!(collected.faults[0].place.offset, (HEADER + CHUNK) as u64);
    let mut bytes = file();
    bytes.extend(std::iter::repeat_n(0, 2 * CHUNK));
    assert!(decode("evtx", &bytes, CHUNK).faults.is_empty());
}

#[test]
fn cut_files_give_what_is_there() {
    let bytes = file();
    let offsets: Vec<u64> = decode("evtx", &bytes, 1 << 20).documents.iter().map(|(_, place)| place.offset).collect();
    let mut random = Random(7);
    for _ in 0..60 {
        let cut = HEADER + 512 + random.below(bytes.len() - HEADER - 512);
        let collected = decode("evtx", &bytes[..cut], 1 << 20);
        let whole = offsets.iter().filter(|&&offset| (offset as usize) < cut).count().saturating_sub(1);
        assert!(pids(&collected).len() >= whole, "cut at {cut}: {} of {whole}", pids(&collected).len());
        assert!(!collected.faults.is_empty() || (cut - HEADER).is_multiple_of(CHUNK), "cut at {cut}");
    }
}

#[test]
fn lost_bytes_cost_one_chunk_at_most() {
    let bytes = file();
    let mut random = Random(11);
    for _ in 0..60 {
        let start = HEADER + CHUNK + random.below(CHUNK);
        let length = 1 + random.below(CHUNK / 2);
        let mut spliced = bytes[..start].to_vec();
        spliced.extend_from_slice(&bytes[(start + length).min(bytes.len())..]);
        let found = pids(&decode("evtx", &spliced, 30_000));
        for pid in (0..40).chain(120..160) {
            assert!(found.contains(&pid), "{length} bytes lost at {start}: {pid} is not found");
        }
    }
}

#[test]
fn flipped_bytes_never_panic_and_never_pass_in_silence() {
    let bytes = file();
    let records = HEADER + CHUNK + 512;
    let used =
        u32::from_le_bytes(bytes[HEADER + CHUNK + 48..HEADER + CHUNK + 52].try_into().expect("four bytes")) as usize;
    let mut random = Random(13);
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        let at = records + random.below(used - 512);
        damaged[at] ^= 1 << random.below(8);
        let collected = decode("evtx", &damaged, 1 << 20);
        assert!(!collected.faults.is_empty(), "a flip at {at} is not named");
        let found = pids(&collected);
        assert!((0..40).chain(80..160).all(|pid| found.contains(&pid)), "a flip at {at} reaches other chunks");
    }
}

#[test]
fn noise_never_panics() {
    let bytes = file();
    let mut random = Random(17);
    for _ in 0..200 {
        let mut damaged = bytes[..HEADER + CHUNK].to_vec();
        for _ in 0..=random.below(200) {
            let at = HEADER + random.below(20_000);
            damaged[at] = random.below(256) as u8;
        }
        let collected = decode("evtx", &damaged, 1 + random.below(CHUNK));
        collected.json();
    }
}
