//! A reader in, the same bytes out on another thread: a `Pump` reads ahead of the `Ahead` that takes its bytes, by a few buffers that go
//! round and round, so that memory is bounded and nothing is copied.

use std::{
    io::{self, BufRead, Read},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
};

/// Bytes of one buffer. A multiple of a tar block, so that no header is ever cut in two.
pub(super) const CHUNK: usize = 256 * 1024;
/// Full buffers that may wait.
const DEPTH: usize = 3;

/// A buffer and how much of it is filled.
type Filled = (Vec<u8>, usize);

/// A reader that can hand over a whole buffer instead of copying it.
pub(super) trait Refill: Read {
    /// Replaces the content of `buffer`, which keeps a length of at least [`CHUNK`]; how many bytes of it are new.
    fn refill(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.read(buffer)
    }
}

impl<R: Read + ?Sized> Refill for Box<R> {}
impl Refill for &[u8] {}

impl<R: Refill + ?Sized> Refill for &mut R {
    fn refill(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        (**self).refill(buffer)
    }
}

/// The end that reads.
pub(super) struct Pump {
    filled: SyncSender<io::Result<Filled>>,
    spare: Receiver<Vec<u8>>,
}

/// The end that is read from. When it is dropped, the pump stops.
pub(super) struct Ahead {
    filled: Receiver<io::Result<Filled>>,
    spare: Sender<Vec<u8>>,
    current: Vec<u8>,
    start: usize,
    end: usize,
}

/// Both ends.
pub(super) fn pair() -> (Pump, Ahead) {
    let (filled_in, filled) = sync_channel(DEPTH);
    let (spare, spare_out) = channel();
    (Pump { filled: filled_in, spare: spare_out }, Ahead { filled, spare, current: Vec::new(), start: 0, end: 0 })
}

impl Pump {
    /// Reads until the end, the first error, or until nobody takes the bytes any more.
    pub(super) fn run(self, reader: &mut dyn Read) {
        loop {
            let mut buffer = self.spare.try_recv().unwrap_or_default();
            buffer.resize(CHUNK, 0);
            let mut end = 0;
            let stop = loop {
                let Some(space) = buffer.get_mut(end..).filter(|space| !space.is_empty()) else { break None };
                match reader.read(space) {
                    Ok(0) => break Some(Ok(())),
                    Ok(count) => end += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Some(Err(error)),
                }
            };
            if end > 0 && self.filled.send(Ok((buffer, end))).is_err() {
                return;
            }
            match stop {
                None => {}
                Some(Ok(())) => return,
                Some(Err(error)) => {
                    // Nobody listening means that nobody wants to know.
                    let _ = self.filled.send(Err(error));
                    return;
                }
            }
        }
    }
}

impl Ahead {
    /// Waits for the next buffer; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let Ok(next) = self.filled.recv() else { return Ok(false) };
        let (buffer, end) = next?;
        let old = std::mem::replace(&mut self.current, buffer);
        self.give_back(old);
        (self.start, self.end) = (0, end);
        Ok(true)
    }

    fn give_back(&self, buffer: Vec<u8>) {
        // A pump that has ended needs no buffers.
        let _ = self.spare.send(buffer);
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.advance()?;
        }
        Ok(self.current.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }
}

impl Read for Ahead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl Refill for Ahead {
    fn refill(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        if self.start < self.end {
            return self.read(buffer);
        }
        let Ok(next) = self.filled.recv() else { return Ok(0) };
        let (full, end) = next?;
        let old = std::mem::replace(buffer, full);
        self.give_back(old);
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Gives one byte more each time, then ends with an error if there is one.
    struct Dripping(Vec<u8>, usize, usize, Option<io::ErrorKind>);

    impl Read for Dripping {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.2 += 1;
            let count = (self.2 * 1000).min(out.len()).min(self.0.len() - self.1);
            if let (0, Some(kind)) = (count, self.3) {
                return Err(kind.into());
            }
            out[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
            self.1 += count;
            Ok(count)
        }
    }

    #[test]
    fn bytes_come_out_as_they_went_in_and_errors_behind_them() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 9 * CHUNK + 17] {
            for kind in [None, Some(io::ErrorKind::InvalidData)] {
                let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
                let (pump, mut ahead) = pair();
                let mut reader = Dripping(bytes.clone(), 0, 0, kind);
                let (copied, swapped) = thread::scope(|scope| {
                    scope.spawn(move || pump.run(&mut reader));
                    let mut copied = vec![0; size.min(700)];
                    ahead.read_exact(&mut copied).unwrap();
                    let (mut swapped, mut buffer) = (Vec::new(), vec![0; CHUNK]);
                    let result = loop {
                        match ahead.refill(&mut buffer) {
                            Ok(0) => break None,
                            Ok(count) => swapped.extend_from_slice(&buffer[..count]),
                            Err(error) => break Some(error.kind()),
                        }
                    };
                    assert_eq!(result, kind);
                    (copied, swapped)
                });
                assert!([copied, swapped].concat() == bytes, "{size}");
            }
        }
    }

    #[test]
    fn a_pump_ends_when_nobody_reads() {
        let (pump, ahead) = pair();
        drop(ahead);
        pump.run(&mut io::repeat(1));
    }
}
