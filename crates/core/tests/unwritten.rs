//! Values that are picked out of a record must be those of its document, whichever fields are wanted, and the document that is
//! written later must be the one that is written at once.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use contraband_core::json::{Projection, Scanner};
use contraband_core::sources::{FORMATS, Fault, Place, Reading, Settings, Sink, Unwritten};
use contraband_core::value::Event;
use serde_json::Value;

use common::{Writer, Written, corpus, recordings, shared};

/// What a decoder gives, in its order.
#[derive(Default)]
struct Given {
    documents: Vec<(Vec<u8>, Place)>,
    unwritten: Vec<Unwritten>,
    faults: Vec<Fault>,
}

impl Sink for Given {
    fn document(&mut self, json: &[u8], place: Place) {
        self.documents.push((json.to_vec(), place));
    }

    fn unwritten(&mut self, records: Unwritten) {
        self.unwritten.push(records);
    }

    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }
}

fn decode(format: &str, bytes: &[u8], wanted: Option<Arc<Projection>>) -> Given {
    let format = FORMATS.iter().find(|known| known.name == format).expect("a format");
    let Reading::Bytes(new) = format.reading else { panic!("a format of bytes") };
    let mut decoder = new(&Settings { host_name: Some("named".to_owned()), wanted, threads: 2 });
    let mut given = Given::default();
    bytes.chunks(70_001).for_each(|piece| decoder.push(piece, &mut given));
    decoder.finish(&mut given);
    given
}

/// The dotted paths of a document's values.
fn paths(value: &Value, above: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                paths(value, &if above.is_empty() { key.clone() } else { format!("{above}.{key}") }, out);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| paths(value, above, out)),
        _ => {
            out.insert(above.to_owned());
        }
    }
}

/// What rules ask of records: values that may be picked out without more of the document.
const USUAL: [&str; 24] = [
    "@timestamp",
    "auditd.data.a2",
    "auditd.data.argc",
    "auditd.data.exit",
    "auditd.data.syscall",
    "auditd.paths.mode",
    "auditd.paths.nametype",
    "auditd.session",
    "destination.ip",
    "event.action",
    "event.category",
    "event.outcome",
    "event.sequence",
    "event.type",
    "file.path",
    "host.architecture",
    "process.args",
    "process.args_count",
    "process.executable",
    "process.name",
    "process.parent.pid",
    "process.pid",
    "process.working_directory",
    "user.id",
];

fn holds(format: &str, bytes: &[u8]) {
    let written = decode(format, bytes, None);
    let mut all = BTreeSet::new();
    for (json, _) in &written.documents {
        paths(&serde_json::from_slice(json).expect("JSON"), "", &mut all);
    }
    let every: Vec<&str> = all.iter().map(String::as_str).collect();
    let thirds = (0..3).map(|start| every.iter().skip(start).step_by(3).copied().collect());
    // Each alone, too: what one value needs may be read for the sake of another.
    let alone = every.iter().map(|path| vec![*path]).filter(|_| bytes.len() < 100_000);
    let usual = USUAL.to_vec();
    for wanted in [vec![], every.clone(), usual].into_iter().chain(thirds).chain(alone) {
        let projection = Arc::new(Projection::new(wanted.iter().copied()));
        let given = decode(format, bytes, Some(Arc::clone(&projection)));
        assert!(given.documents.is_empty());
        assert_eq!(given.faults, written.faults);
        let each = given.unwritten.iter().flat_map(|records| {
            records.records.iter().enumerate().map(move |(number, record)| (records, number, record))
        });
        assert_eq!(each.clone().count(), written.documents.len());
        for ((records, number, record), (json, written_at)) in each.zip(&written.documents) {
            assert_eq!(record.place, *written_at);
            let mut rendered = Vec::new();
            records.raw.render(number, &mut rendered);
            let text = std::str::from_utf8(json).expect("UTF-8");
            assert_eq!(std::str::from_utf8(&rendered), Ok(text));
            let mut read = Event::new(projection.width);
            if Scanner::new(&projection).scan(text, &mut read).is_err() {
                assert!(record.doubtful, "{text}");
            }
            if record.doubtful {
                continue;
            }
            let mut picked = Event::new(projection.width);
            records.picked.fill(record.values, &mut picked);
            for (number, path) in wanted.iter().enumerate() {
                let values =
                    |event: &Event<'_>| event.values(number as u32).map(|raw| format!("{raw:?}")).collect::<Vec<_>>();
                assert_eq!(values(&picked), values(&read), "{path} of {text}");
            }
        }
    }
}

#[test]
fn of_audit_records() {
    let sample = corpus("auditd/deb-sh-install.audit.log");
    holds("auditd", &sample);
    let mut damaged = sample.clone();
    for at in (0..damaged.len()).step_by(997) {
        damaged[at] ^= 0x15;
    }
    holds("auditd", &damaged);
    let head = "msg=audit(1795491264.724:7):";
    let twice = format!(
        "type=SYSCALL {head} arch=c000003e syscall=42 success=yes exit=0 ppid=1 pid=2 comm=\"a\\\"b\" exe=\"/é\" socket_addr=9.9.9.9\n\
         type=SOCKADDR {head} saddr=0200005001020304000000000000000000\n"
    );
    holds("auditd", twice.as_bytes());
    for name in ["rhel-7-linux-3.10.0", "ubuntu-16.10-linux-4.8.0", "ubuntu-17.04-linux-4.10.0"] {
        if let Some(lines) = shared(&format!("public/groundtruth/go-libaudit/{name}.yaml")) {
            let text = String::from_utf8_lossy(&lines);
            let records: Vec<&str> =
                text.lines().map(str::trim_start).filter(|line| line.starts_with("type=")).collect();
            assert!(records.len() > 10);
            holds("auditd", records.join("\n").as_bytes());
        }
    }
}

#[test]
fn of_event_logs() {
    let process: &[(&str, &str)] = &[
        ("UtcTime", "2026-11-24 03:34:24.740"),
        ("ProcessGuid", "{9F32B55F-7C4E-5F98-5803-000000000500}"),
        ("ProcessId", "4711"),
        ("Image", r"C:\Windows\System32\cmd.exe"),
        ("CommandLine", "\"C:\\Windows\\cmd.exe\" /c \"a \"\"b\"\" é\t\""),
        ("User", r"NT AUTHORITY\SYSTEM"),
        ("Hashes", "SHA1=B6D2,MD5=aa,SHA256=bb,IMPHASH=cc"),
        ("ParentImage", r"C:\Windows\System32\msiexec.exe"),
        ("ParentCommandLine", "msiexec.exe /V"),
        ("Odd.Name", "-"),
    ];
    let network: &[(&str, &str)] =
        &[("DestinationIp", "::ffff:1.2.3.4"), ("DestinationPort", "443"), ("Initiated", "true"), ("Protocol", "tcp")];
    let names: &[(&str, &str)] =
        &[("QueryName", "a.example"), ("QueryResults", "type:  5 b.example;::ffff:1.2.3.4;"), ("QueryStatus", "0")];
    let registry: &[(&str, &str)] =
        &[("EventType", "SetValue"), ("TargetObject", r"HKLM\Software\A\B"), ("Details", "DWORD (0x00000001)")];
    let logon: &[(&str, &str)] = &[
        ("SubjectUserSid", "S-1-5-18"),
        ("NewProcessName", r"C:\a\b.exe"),
        ("NewProcessId", "0x1f"),
        ("CommandLine", "b.exe \"x y\""),
    ];
    let sysmon = ("Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational");
    let security = ("Microsoft-Windows-Security-Auditing", "Security");
    let events = [
        (sysmon, 1, process),
        (sysmon, 3, network),
        (sysmon, 22, names),
        (sysmon, 13, registry),
        (security, 4688, logon),
        (("Nobody knows it", "Application"), 5, network),
    ];
    let mut writer = Writer::new();
    for _ in 0..5 {
        writer.chunk(&events.map(|((provider, channel), id, data)| Written {
            provider,
            id,
            channel,
            computer: "ws1.example.com",
            filetime: 134_116_778_456_780_000,
            data,
        }));
    }
    let file = writer.finish();
    holds("evtx", &file);
    let mut damaged = file.clone();
    for at in (4096..damaged.len()).step_by(1999) {
        damaged[at] ^= 0x15;
    }
    holds("evtx", &damaged);
    for (_, bytes) in recordings() {
        holds("evtx", &bytes[..bytes.len().min(4096 + 3 * 65_536)]);
    }
}

/// Within a chunk the same values come to the same, others do not, and of values that compete for a field one gets it.
#[test]
fn of_event_logs_whose_values_repeat_and_compete() {
    let numbers: Vec<String> = (0..24).map(|number| (number / 2).to_string()).collect();
    let cycle = |number: usize, values: [&'static str; 5]| values[number % 5];
    let data: Vec<Vec<(&str, &str)>> = (0..24)
        .map(|number| {
            let times = ["2026-11-24 03:34:24.740", "2026-11-24 03:34:24.741", "no time", "", "-"];
            let lines = ["a \"b c\" d", "a", "  ", "\"a\\\" b\" c\"d\"", "é \"\""];
            let companies = ["Microsoft® Windows®", "b", "Microsoft® Windows®", "", "😀 and more than one block"];
            vec![
                ("UtcTime", cycle(number, times)),
                ("ProcessId", numbers[number].as_str()),
                ("SourceProcessId", cycle(number, ["7", "", "x", "0x1f", "7"])),
                ("Image", cycle(number, [r"C:\a\one.exe", r"C:\a\two.exe", r"C:\a\one.exe", "", "-"])),
                ("SourceImage", r"C:\b\three.exe"),
                ("CommandLine", cycle(number / 2, lines)),
                ("User", cycle(number, [r"NT AUTHORITY\SYSTEM", "nobody", r"A\b", r"A\b", "-"])),
                ("Hashes", cycle(number, ["MD5=AA,md5=BB,SHA256=0", "SHA256=Cc", "", "IMPHASH=1,X=2", "MD5"])),
                ("TargetFilename", cycle(number, [r"C:\x\y.txt", "y", "", r"C:\x\y.txt", "a\r\nb\r\n"])),
                ("PipeName", cycle(number, ["", "pipe", "pipe", "-", "pipe"])),
                ("Company", cycle(number, companies)),
                ("Unknown", cycle(number, ["1", "1", "2", "1", ""])),
            ]
        })
        .collect();
    let mut writer = Writer::new();
    let events: Vec<Written<'_>> = (0..24)
        .map(|number| Written {
            provider: ["Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon", "Nobody knows it"][number % 3],
            id: [1, 11, 1, 17][number % 4],
            channel: "Microsoft-Windows-Sysmon/Operational",
            computer: ["ws1.example.com", "ws2.example.com", ""][number / 3 % 3],
            filetime: 134_116_778_456_780_000 + number as u64,
            data: &data[number],
        })
        .collect();
    // The kinds of one chunk are known in the next.
    let (few, others) = events.split_at(12);
    writer.chunk(few);
    holds("evtx", &writer.finish());
    writer.chunk(others);
    writer.chunk(few);
    holds("evtx", &writer.finish());
}
