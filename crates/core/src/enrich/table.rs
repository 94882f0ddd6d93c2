//! The process table: what earlier records of a host told about its processes, for records that carry only numbers.

use std::collections::{HashMap, VecDeque};

/// Processes remembered for each host; the oldest are forgotten first.
const MOST_PROCESSES: usize = 65_536;

/// Hosts remembered.
const MOST_HOSTS: usize = 4_096;

/// What is known of a process: its latest image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub name: Option<String>,
    pub executable: Option<String>,
    pub args: Vec<String>,
    pub command_line: Option<String>,
    pub entity_id: String,
    pub parent: Option<u64>,
    pub ended: bool,
}

/// The processes of one host.
#[derive(Debug, Default)]
pub(super) struct Host {
    processes: HashMap<u64, Process>,
    order: VecDeque<u64>,
}

impl Host {
    pub(super) fn get(&self, pid: u64) -> Option<&Process> {
        self.processes.get(&pid)
    }

    pub(super) fn get_mut(&mut self, pid: u64) -> Option<&mut Process> {
        self.processes.get_mut(&pid)
    }

    /// A process starts, or takes on a new image. One that had ended, or had another parent, was another process: numbers are reused.
    pub(super) fn started(&mut self, pid: u64, mut process: Process) -> String {
        if let Some(before) = self.processes.get(&pid) {
            if !before.ended && before.parent == process.parent {
                process.entity_id.clone_from(&before.entity_id);
            }
        } else {
            self.order.push_back(pid);
        }
        let entity_id = process.entity_id.clone();
        self.processes.insert(pid, process);
        while self.processes.len() > MOST_PROCESSES {
            let Some(oldest) = self.order.pop_front() else { break };
            self.processes.remove(&oldest);
        }
        entity_id
    }

    /// A process that has called no exec yet: it still is what its parent was.
    pub(super) fn forked(&mut self, pid: u64, parent: u64, entity_id: String) {
        if let Some(image) = self.processes.get(&parent).cloned() {
            self.started(pid, Process { entity_id, parent: Some(parent), ended: false, ..image });
        }
    }

    /// Executables of the ancestors, nearest first.
    pub(super) fn ancestors(&self, parent: u64) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = Some(parent);
        while let Some(process) = next.and_then(|pid| self.processes.get(&pid)) {
            if found.len() >= 16 {
                break;
            }
            found.extend(process.executable.clone().or_else(|| process.name.clone()));
            next = process.parent;
        }
        found
    }
}

/// All hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    hosts: HashMap<String, Host>,
}

impl Hosts {
    pub(super) fn host(&mut self, name: &str) -> &mut Host {
        if !self.hosts.contains_key(name) {
            if self.hosts.len() >= MOST_HOSTS {
                self.hosts.clear();
            }
            self.hosts.insert(name.to_owned(), Host::default());
        }
        self.hosts.entry(name.to_owned()).or_default()
    }
}
