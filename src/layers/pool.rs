//! Layers in, their records out in order, read by a few threads. Workers never run far ahead of the merge, so that few records wait in memory.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, PoisonError, mpsc},
    thread,
};

use crate::layers::{Error, Interest, LayerCache, LayerInput, limits::Limits, reading, record::LayerRecord};

pub(super) struct Queue {
    inputs: std::iter::Enumerate<std::vec::IntoIter<LayerInput>>,
    taken: usize,
    merged: usize,
    kept: u64,
    stopped: bool,
}

/// A layer's place in the queue.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    queue: &'a Mutex<Queue>,
    room: &'a Condvar,
    place: usize,
}

impl Turn<'_> {
    /// Waits until all layers below are merged; what their files cost, or `None` when that will never be.
    pub(super) fn wait(self) -> Option<u64> {
        let mut guard = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        while guard.merged < self.place {
            if guard.stopped {
                return None;
            }
            guard = self.room.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        Some(guard.kept)
    }
}

/// Reads every layer and hands its record to `merge`, lowest layer first, each with its place; `merge` tells what all files cost by then, or `None`
/// when no further layer may be read. `cache` is what to ask for the layer at a place.
pub(super) fn for_each_record<'c>(
    inputs: Vec<LayerInput>,
    interest: &dyn Interest,
    limits: &Limits,
    cache: &(dyn Fn(usize) -> Option<&'c dyn LayerCache> + Sync),
    mut merge: impl FnMut(usize, LayerRecord) -> Option<u64>,
) -> Result<(), Error> {
    let count = inputs.len();
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(limits.threads).min(count);
    let queue = Mutex::new(Queue { inputs: inputs.into_iter().enumerate(), taken: 0, merged: 0, kept: 0, stopped: false });
    let room = Condvar::new();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let mut workers = 0;
        // This thread only merges: a layer may have to wait for those below it, and the merge must not wait with it.
        for _ in 0..if threads > 1 { threads } else { 0 } {
            let sender = sender.clone();
            let (queue, room) = (&queue, &room);
            let work = move || {
                let _guard = StopOnPanic(queue, room);
                while let Some((place, input)) = next(queue, room, threads) {
                    if sender.send((place, reading::read(input, interest, limits, Turn { queue, room, place }, cache(place)))).is_err() {
                        return;
                    }
                }
            };
            workers += usize::from(thread::Builder::new().spawn_scoped(scope, work).is_ok());
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        for merged in 0..count {
            let result = loop {
                if let Some(result) = waiting.remove(&merged) {
                    break result;
                }
                if workers > 0 {
                    let Ok((place, result)) = receiver.recv() else { return Ok(()) };
                    waiting.insert(place, result);
                } else {
                    // Without workers, because one is enough or the system refuses more, each layer is read when its turn has come.
                    let Some((place, input)) = try_next(&queue, threads) else { return Ok(()) };
                    break reading::read(input, interest, limits, Turn { queue: &queue, room: &room, place }, cache(place));
                }
            };
            let result = result.map(|record| merge(merged, record));
            let mut guard = queue.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(Some(kept)) => (guard.merged, guard.kept) = (merged + 1, kept),
                Ok(None) | Err(_) => guard.stopped = true,
            }
            room.notify_all();
            drop(guard);
            if result?.is_none() {
                return Ok(());
            }
        }
        Ok(())
    })
}

impl Queue {
    fn take(&mut self, threads: usize) -> Option<(usize, LayerInput)> {
        if self.stopped || self.taken >= self.merged + 2 * threads {
            return None;
        }
        let next = self.inputs.next();
        self.taken += usize::from(next.is_some());
        next
    }
}

fn try_next(queue: &Mutex<Queue>, threads: usize) -> Option<(usize, LayerInput)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).take(threads)
}

/// Ends the other workers' waiting when the one that holds it panics; the scope then hands the panic on.
struct StopOnPanic<'a>(&'a Mutex<Queue>, &'a Condvar);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
            self.1.notify_all();
        }
    }
}

/// The next layer for a worker; waits while the merge is too far behind; `None` when there is nothing left to do.
fn next(queue: &Mutex<Queue>, room: &Condvar, threads: usize) -> Option<(usize, LayerInput)> {
    let mut guard = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(next) = guard.take(threads) {
            return Some(next);
        }
        if guard.stopped || guard.inputs.len() == 0 {
            return None;
        }
        guard = room.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}
