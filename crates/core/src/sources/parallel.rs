//! Work on parts of a file that can each be decoded without the others. It knows no format.

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Parts that are worked on by whoever hands them over: a small file needs no threads.
const ALONE: usize = 4;
/// Parts that may be under way, for each thread.
const UNDER_WAY: usize = 3;

type Work<T, R> = Arc<dyn Fn(T) -> R + Send + Sync>;
type Job<T, R> = (T, Sender<R>);

/// Threads that work on parts while more of the file is read. Results come in the order of the parts.
pub(super) struct Ahead<T, R> {
    work: Work<T, R>,
    threads: usize,
    /// Parts that were handed over so far, up to [`ALONE`].
    parts: usize,
    jobs: Option<Sender<Job<T, R>>>,
    running: Vec<JoinHandle<()>>,
    results: VecDeque<Receiver<R>>,
}

impl<T: Send + 'static, R: Send + 'static> Ahead<T, R> {
    /// So many threads for this work; one or none: who hands a part over works on it.
    pub fn new(threads: usize, work: impl Fn(T) -> R + Send + Sync + 'static) -> Self {
        Self { work: Arc::new(work), threads, parts: 0, jobs: None, running: Vec::new(), results: VecDeque::new() }
    }

    /// Hands a part over. [`Ahead::next`] is to be asked until it has nothing more.
    pub fn put(&mut self, part: T) {
        let (sender, result) = bounded(1);
        self.results.push_back(result);
        if self.threads < 2 || self.parts < ALONE {
            self.parts += 1;
            let _ = sender.send((self.work)(part));
        } else {
            // The threads take jobs until there is nobody to hand any over.
            let _ = self.jobs().send((part, sender));
        }
    }

    fn jobs(&mut self) -> &Sender<Job<T, R>> {
        self.jobs.get_or_insert_with(|| {
            let (jobs, todo) = unbounded::<Job<T, R>>();
            self.running.extend((0..self.threads).map(|_| {
                let (todo, work) = (todo.clone(), Arc::clone(&self.work));
                thread::spawn(move || todo.into_iter().for_each(|(part, result)| drop(result.send(work(part)))))
            }));
            jobs
        })
    }

    /// The next result, if it is there; it is waited for where enough parts are under way, and at the end, where all are wanted.
    pub fn next(&mut self, all: bool) -> Option<R> {
        let first = self.results.front()?;
        let waits = all || self.results.len() > UNDER_WAY * self.threads;
        let result = if waits { first.recv().map_err(|_| TryRecvError::Disconnected) } else { first.try_recv() };
        match result {
            Err(TryRecvError::Empty) => None,
            result => {
                self.results.pop_front();
                Some(result.expect("decoding does not panic on any input"))
            }
        }
    }
}

impl<T, R> Drop for Ahead<T, R> {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.running.drain(..) {
            // One that failed has been noticed by its missing result.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_work_ahead_come_in_order_and_all_of_them() {
        for threads in 1..4 {
            for count in [0, 1, 4, 5, 100] {
                let mut ahead = Ahead::new(threads, |number: usize| {
                    thread::sleep(std::time::Duration::from_micros((number % 3 * 200) as u64));
                    number * 2
                });
                let mut given = Vec::new();
                for number in 0..count {
                    ahead.put(number);
                    given.extend(std::iter::from_fn(|| ahead.next(false)));
                    assert!(number + 1 - given.len() <= UNDER_WAY * threads);
                }
                given.extend(std::iter::from_fn(|| ahead.next(true)));
                assert_eq!(given, (0..count).map(|number| number * 2).collect::<Vec<_>>());
            }
        }
    }
}
