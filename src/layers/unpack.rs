//! A blob's reader in, the tar inside out. Reading (with the blob's hash), inflating, and walking the tar (with the diff id's hash) run on threads
//! of their own, unless the blob is too small to pay for them.

use std::{
    io::{self, BufReader, Read},
    panic::resume_unwind,
    sync::mpsc::channel,
    thread::{self, Builder},
};

use crate::layers::{
    ahead::{self, Refill},
    decompress::{self, Opened, Source},
    limits::Limits,
    untar::Fault,
};

const RAW_BUFFER: usize = 64 * 1024;
/// Blobs from this size on are worth two threads.
const LARGE: u64 = 256 * 1024;

/// Why the blob's own reader failed, and after how many bytes.
pub(super) type Failure = (io::Error, u64);

/// Unpacks a blob of about `size` bytes and hands the tar inside to `walk`. The reader is read to its end whatever the blob is worth, so that it
/// checks its digest. The first value is a fault when there is no tar inside; the second is the reader's own failure.
pub(super) fn unpack<T>(
    reader: Box<dyn Read + Send>,
    size: u64,
    limits: &Limits,
    walk: impl FnOnce(&mut dyn Refill) -> T,
) -> (Result<T, Fault>, Option<Failure>) {
    if size < LARGE || limits.threads < 2 {
        return here(reader, limits, walk);
    }
    thread::scope(|scope| {
        let (raw_pump, mut raw) = ahead::pair();
        let (tar_pump, mut tar) = ahead::pair();
        // The threads get their ends only when both have started: a system that refuses a thread must not cost the reader.
        let (give_source, source) = channel::<Source>();
        let (give_pump, pump) = channel::<ahead::Pump>();
        let reading = Builder::new().spawn_scoped(scope, move || {
            let mut source = source.recv().ok()?;
            raw_pump.run(&mut source);
            source.into_failure()
        });
        let inflating = Builder::new().spawn_scoped(scope, move || {
            let Ok(pump) = pump.recv() else { return Ok(()) };
            let outcome = open(&mut raw, limits).map(|mut tar| pump.run(&mut tar));
            drain(&mut raw);
            outcome
        });
        let (Ok(reading), Ok(inflating)) = (reading, inflating) else {
            drop((give_source, give_pump));
            return here(reader, limits, walk);
        };
        let _ = give_source.send(Source::new(reader));
        let _ = give_pump.send(tar_pump);
        let walked = walk(&mut tar);
        drop(tar);
        let outcome = inflating.join().unwrap_or_else(|panic| resume_unwind(panic));
        let failure = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
        (outcome.map(|()| walked), failure)
    })
}

/// Does everything on this thread.
fn here<T>(reader: Box<dyn Read + Send>, limits: &Limits, walk: impl FnOnce(&mut dyn Refill) -> T) -> (Result<T, Fault>, Option<Failure>) {
    let mut raw = BufReader::with_capacity(RAW_BUFFER, Source::new(reader));
    let outcome = open(&mut raw, limits).map(|mut tar| walk(&mut tar));
    drain(&mut raw);
    (outcome, raw.into_inner().into_failure())
}

fn open<'a>(raw: &'a mut dyn io::BufRead, limits: &Limits) -> Result<Box<dyn Read + 'a>, Fault> {
    match decompress::open(raw, limits) {
        Ok(Opened::Tar(tar)) => Ok(tar),
        Ok(Opened::Foreign(name)) => Err(Fault::new("layer-format", format!("is compressed with {name}, which image layers are not"))),
        Err(error) => Err(Fault::new("layer-compression", format!("cannot be decompressed: {error}"))),
    }
}

/// Reads what is left; an error is remembered by the source.
fn drain(raw: &mut dyn io::BufRead) {
    let _ = io::copy(raw, &mut io::sink());
}
