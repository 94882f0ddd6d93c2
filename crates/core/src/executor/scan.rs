//! A running scan: one thread reads, some work, one puts results back into order; the caller takes output block by block.

use super::collect::Collector;
use super::engine::{Engine, Loaded};
use super::gate::Gate;
use super::options::ScanOptions;
use super::pool::Pool;
use super::read::{Reader, Told};
use super::summary::Summary;
use super::work::{Chunk, Done, Limits, Worker};
use crate::input::Input;
use crate::plan::PlanError;
use crate::sources::FORMATS;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Blocks of output that may wait for the caller.
const WAITING: usize = 4;
/// Pieces that may be under way, for each thread.
const UNDER_WAY: usize = 8;

/// What comes back, in the order of its number.
enum Back {
    Told(Told),
    Done(Box<Done>),
}

/// What a scan has to give.
#[derive(Debug)]
pub enum Next {
    /// Whole output lines.
    Block(Vec<u8>),
    /// Nothing yet.
    NotYet,
    /// Nothing any more.
    End,
}

/// A scan that runs in its own threads.
#[derive(Debug)]
pub struct Scan {
    output: Option<Receiver<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    summary: Arc<Mutex<Summary>>,
    pool: Arc<Pool>,
    thread: Option<JoinHandle<()>>,
}

impl Scan {
    /// Starts a scan.
    pub fn start(engine: &Engine, inputs: Vec<Input>, options: &[u8]) -> Result<Self, PlanError> {
        let options: ScanOptions = super::options::read(options)?;
        let limits = Limits::new(&options)?;
        check_source(options.source.as_deref())?;
        let (sender, output) = bounded(WAITING);
        let mut scan = Self {
            output: Some(output),
            stop: Arc::default(),
            done: Arc::default(),
            total: Arc::default(),
            summary: Arc::default(),
            pool: Arc::default(),
            thread: None,
        };
        let run = Run {
            loaded: Arc::clone(&engine.loaded),
            options,
            limits,
            stop: Arc::clone(&scan.stop),
            done: Arc::clone(&scan.done),
            total: Arc::clone(&scan.total),
            summary: Arc::clone(&scan.summary),
            pool: Arc::clone(&scan.pool),
        };
        scan.thread = Some(thread::spawn(move || run.run(&inputs, &sender)));
        Ok(scan)
    }

    /// The next block of whole output lines; `None` at the end. Waits.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        let block = self.output.as_ref().and_then(|output| output.recv().ok());
        if block.is_none() {
            self.join();
        }
        block
    }

    /// The next block, if it comes soon: for callers that have to look at something else now and then.
    pub fn next_within(&mut self, patience: Duration) -> Next {
        match self.output.as_ref().map(|output| output.recv_timeout(patience)) {
            Some(Ok(block)) => Next::Block(block),
            Some(Err(RecvTimeoutError::Timeout)) => Next::NotYet,
            Some(Err(RecvTimeoutError::Disconnected)) | None => {
                self.join();
                Next::End
            }
        }
    }

    /// Takes back a block that has been used, so that its memory serves another.
    pub fn recycle(&self, block: Vec<u8>) {
        self.pool.give(block);
    }

    /// A second handle, for whoever wants to know how far the scan is while another waits for its output.
    pub fn watch(&self) -> Watch {
        Watch { done: Arc::clone(&self.done), total: Arc::clone(&self.total) }
    }

    /// What has been counted: complete once `next` has given `None`.
    pub fn summary(&self) -> Summary {
        self.summary.lock().map(|summary| summary.clone()).unwrap_or_default()
    }

    /// Asks for an early end: what was found so far still comes out.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn join(&mut self) {
        let failed = self.thread.take().is_some_and(|thread| thread.join().is_err());
        if let (true, Ok(mut summary)) = (failed, self.summary.lock()) {
            summary.broken = true;
        }
    }
}

/// Looks at a running scan.
#[derive(Clone, Debug)]
pub struct Watch {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Watch {
    /// Bytes read, and bytes known in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.stop();
        self.output = None;
        self.join();
    }
}

struct Run {
    loaded: Arc<Loaded>,
    options: ScanOptions,
    limits: Limits,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    summary: Arc<Mutex<Summary>>,
    pool: Arc<Pool>,
}

impl Run {
    fn threads(&self) -> usize {
        match self.loaded.options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    fn run(&self, inputs: &[Input], output: &Sender<Vec<u8>>) {
        let threads = self.threads();
        let (jobs, work) = bounded::<(u64, Chunk)>(threads * 2);
        let (back, results) = bounded::<(u64, Back)>(threads * 4);
        let gate = Gate::new(threads * UNDER_WAY);
        thread::scope(|scope| {
            let gate = &gate;
            for _ in 0..threads {
                let (work, back) = (work.clone(), back.clone());
                scope.spawn(move || self.work(&work, &back));
            }
            drop(work);
            scope.spawn(move || self.read(inputs, &jobs, &back, gate));
            let mut collector = Collector::new(&self.loaded, &self.options, &self.pool);
            self.collect(&results, &mut collector, output, gate);
            // Nobody reads on: the other threads must not wait for room.
            gate.close();
            drop(results);
        });
    }

    fn work(&self, work: &Receiver<(u64, Chunk)>, back: &Sender<(u64, Back)>) {
        let mut worker = Worker::new(&self.loaded, &self.options, &self.limits, &self.pool);
        for (number, chunk) in work {
            let done = worker.chunk(&chunk);
            if back.send((number, Back::Done(Box::new(done)))).is_err() {
                return;
            }
        }
    }

    fn read(&self, inputs: &[Input], jobs: &Sender<(u64, Chunk)>, back: &Sender<(u64, Back)>, gate: &Gate) {
        let mut number = 0;
        let mut tell = |told| {
            let mine = number;
            number += 1;
            gate.enter(size(&told))
                && match told {
                    Told::Chunk(chunk) => jobs.send((mine, chunk)).is_ok(),
                    other => back.send((mine, Back::Told(other))).is_ok(),
                }
        };
        Reader::new(&self.loaded, &self.options, &self.stop, Arc::clone(&self.done), &self.total)
            .run(inputs, &mut tell);
    }

    fn collect(
        &self,
        results: &Receiver<(u64, Back)>,
        collector: &mut Collector<'_>,
        output: &Sender<Vec<u8>>,
        gate: &Gate,
    ) {
        let mut waiting: BTreeMap<u64, Back> = BTreeMap::new();
        let mut next = 0;
        for (number, back) in results {
            waiting.insert(number, back);
            while let Some(back) = waiting.remove(&next) {
                next += 1;
                let bytes = if let Back::Done(done) = &back { done.under_way } else { 0 };
                if !self.take(back, collector, output) {
                    self.stop.store(true, Ordering::Relaxed);
                    self.publish(collector);
                    return;
                }
                gate.leave(bytes);
            }
        }
        let finished = collector.finish(&mut |block| output.send(block).is_ok());
        collector.summary.failure = finished.err().map(|error| failure(&error));
        collector.summary.stopped = self.stop.load(Ordering::Relaxed);
        self.publish(collector);
    }

    /// Handles one result; false when nobody takes output any more.
    fn take(&self, back: Back, collector: &mut Collector<'_>, output: &Sender<Vec<u8>>) -> bool {
        match back {
            Back::Told(Told::File(file)) => collector.summary.files.push(file),
            Back::Told(Told::Fault(file, fault)) => collector.summary.fault(file, fault, 0),
            Back::Told(Told::Error(file, message)) => {
                if let Some(file) = collector.summary.files.get_mut(file) {
                    file.error = Some(message);
                }
            }
            Back::Told(Told::Chunk(_)) => {}
            Back::Done(done) if collector.passes_over(&done) => {}
            Back::Done(mut done) => {
                if let (Some(message), Some(file)) = (done.error.take(), collector.summary.files.get_mut(done.file)) {
                    file.error = Some(message);
                }
                match collector.add(*done) {
                    Ok(block) => return block.is_empty() || output.send(block).is_ok(),
                    Err(error) => {
                        collector.summary.failure = Some(failure(&error));
                        return false;
                    }
                }
            }
        }
        true
    }

    fn publish(&self, collector: &Collector<'_>) {
        if let Ok(mut summary) = self.summary.lock() {
            *summary = collector.summary.clone();
            summary.hosts = self.limits.hosts.summary(&collector.others);
        }
    }
}

fn failure(error: &std::io::Error) -> String {
    format!("a temporary file in {}: {error}", std::env::temp_dir().display())
}

/// The bytes that a piece holds: what it gives back as [`Done::under_way`].
fn size(told: &Told) -> u64 {
    match told {
        Told::Chunk(chunk) => chunk.under_way(),
        Told::File(_) | Told::Fault(..) | Told::Error(..) => 0,
    }
}

/// `ndjson` is no raw format: it says that the input is none.
fn check_source(name: Option<&str>) -> Result<(), PlanError> {
    let known: Vec<&str> = FORMATS.iter().map(|format| format.name).chain(["ndjson"]).collect();
    match name {
        Some(name) if !known.contains(&name) => {
            Err(PlanError::new(format!("--source: expected one of {}, found `{name}`", known.join(", "))))
        }
        _ => Ok(()),
    }
}
