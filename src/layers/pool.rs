//! Layers in, their records out in order, read by a few threads. Workers never run far ahead of the merge, so that few records wait in memory.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, PoisonError, mpsc},
    thread,
};

use crate::layers::{
    Error, LayerInput, Want,
    limits::Limits,
    record::{self, LayerRecord},
};

struct Queue {
    inputs: std::iter::Enumerate<std::vec::IntoIter<LayerInput>>,
    taken: usize,
    merged: usize,
    stopped: bool,
}

/// Reads every layer and hands its record to `merge`, lowest layer first, each with its place.
pub(super) fn for_each_record(
    inputs: Vec<LayerInput>,
    wants: &(dyn Fn(&str) -> Want + Sync),
    limits: &Limits,
    mut merge: impl FnMut(usize, LayerRecord),
) -> Result<(), Error> {
    let count = inputs.len();
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(limits.threads).min(count);
    let queue = Mutex::new(Queue { inputs: inputs.into_iter().enumerate(), taken: 0, merged: 0, stopped: false });
    let room = Condvar::new();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let mut workers = 0;
        for _ in 1..threads {
            let sender = sender.clone();
            let (queue, room) = (&queue, &room);
            let work = move || {
                let _guard = StopOnPanic(queue, room);
                while let Some((place, input)) = next(queue, room, threads) {
                    if sender.send((place, record::read(input, wants, limits))).is_err() {
                        return;
                    }
                }
            };
            // A thread that the system refuses is one that is not needed: this thread reads layers as well.
            workers += usize::from(thread::Builder::new().spawn_scoped(scope, work).is_ok());
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut merged = 0;
        while merged < count {
            while let Ok((place, result)) = receiver.try_recv() {
                waiting.insert(place, result);
            }
            if let Some(result) = waiting.remove(&merged) {
                match result {
                    Ok(record) => merge(merged, record),
                    Err(error) => {
                        queue.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
                        room.notify_all();
                        return Err(error);
                    }
                }
                merged += 1;
                queue.lock().unwrap_or_else(PoisonError::into_inner).merged = merged;
                room.notify_all();
            } else if let Some((place, input)) = try_next(&queue, threads) {
                waiting.insert(place, record::read(input, wants, limits));
            } else if workers > 0 {
                // Everything that may be taken now is taken, so a worker is about to send.
                let Ok((place, result)) = receiver.recv() else { return Ok(()) };
                waiting.insert(place, result);
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
