//! A layer's reader in, one that gives up at the image's limits out: a blob that is too large is not begun, and none is read after the image's time.
//! What makes it give up becomes a Gap; every other error of the reader still refuses the image.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    sync::Arc,
    time::Instant,
};

use crate::layers::{LayerInput, limits::Limits};

/// Puts every layer's reader under guard; the places of those that are too large. The time begins now.
pub(super) fn guard(inputs: &mut [LayerInput], limits: &Limits) -> BTreeSet<usize> {
    let mut refused = BTreeSet::new();
    // A monotonic clock, and all it decides is when to give up.
    let deadline = Instant::now().checked_add(limits.time);
    let mut sum = 0_u64;
    for (place, input) in inputs.iter_mut().enumerate() {
        let size = input.layer.descriptor.size;
        sum = sum.saturating_add(size);
        let reason = if size > limits.blob_bytes {
            Some(format!("was not read: its {size} bytes exceed the limit of {} for one layer's blob", limits.blob_bytes))
        } else if sum > limits.image_blob_bytes {
            Some(format!("was not read: with it, the layers' blobs exceed the limit of {} bytes for an image", limits.image_blob_bytes))
        } else {
            None
        };
        if reason.is_some() {
            refused.insert(place);
        }
        let reader = std::mem::replace(&mut input.reader, Box::new(io::empty()));
        let late = format!("was not read to its end within the limit of {} s for an image", limits.time.as_secs_f32());
        input.reader =
            Box::new(Guarded { reader, deadline, late: GivenUp(late.into()), refused: reason.map(|reason| GivenUp(reason.into())) });
    }
    refused
}

/// Why a layer was given up: the Gap's reason.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct GivenUp(pub Arc<str>);

impl GivenUp {
    /// The reason, if this is what an error of a reader says.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

struct Guarded {
    reader: Box<dyn Read + Send>,
    deadline: Option<Instant>,
    late: GivenUp,
    refused: Option<GivenUp>,
}

impl Read for Guarded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(refused) = &self.refused {
            return Err(io::Error::other(refused.clone()));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(io::Error::other(self.late.clone()));
        }
        self.reader.read(out)
    }
}
