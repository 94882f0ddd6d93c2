//! Work on parts of a file that can each be decoded without the others. It knows no format.

/// Does the work on each item, on as many threads as there are to be; results come in the items' order.
pub(super) fn side_by_side<T: Send, R: Send>(items: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    if threads < 2 || items.len() < 2 * threads {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads);
    let mut items = items.into_iter();
    let mut next = || -> Vec<T> { items.by_ref().take(share).collect() };
    let (own, work) = (next(), &work);
    std::thread::scope(|scope| {
        let each = move |part: Vec<T>| part.into_iter().map(work).collect::<Vec<R>>();
        let others: Vec<_> = (1..threads).map(|_| next()).map(|part| scope.spawn(move || each(part))).collect();
        let mut results = each(own);
        results
            .extend(others.into_iter().flat_map(|other| other.join().expect("decoding does not panic on any input")));
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for threads in 1..6 {
            for count in [0, 1, 7, 16, 33] {
                let expected: Vec<usize> = (0..count).map(|number| number * 2).collect();
                assert_eq!(side_by_side((0..count).collect(), threads, |number| number * 2), expected);
            }
        }
    }
}
