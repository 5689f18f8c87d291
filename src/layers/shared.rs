//! Layers that several images of one run have in common: whoever comes first reads one, the others wait for its record and take it.
//!
//! Nobody waits for ever: an image waits only for an image before it, and in its own image a layer only for the layers below it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::{
    layers::{LayerCache, limits::Limits, record::cache_key},
    model::digest::Digest,
};

/// Most bytes of records that wait for further images; what exceeds them is read again.
const WAITING_BYTES: usize = 32 << 20;

/// Records of the layers that more than one image has.
pub struct SharedLayers {
    cache: Option<Arc<dyn LayerCache + Send>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Of each shared layer, how many times it has yet to be come for.
    expected: BTreeMap<String, usize>,
    records: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    /// Which image is reading a layer.
    readers: BTreeMap<String, usize>,
}

/// One image's way to them.
struct ImageLayers {
    shared: Arc<SharedLayers>,
    image: usize,
}

impl SharedLayers {
    /// For images that have, all together, blobs of these digests; in front of what earlier runs know.
    #[must_use]
    pub fn new<'a>(blobs: impl IntoIterator<Item = &'a Digest>, limits: &Limits, cache: Option<Arc<dyn LayerCache + Send>>) -> Arc<Self> {
        let mut expected: BTreeMap<String, usize> = BTreeMap::new();
        for blob in blobs {
            *expected.entry(cache_key(blob, limits)).or_default() += 1;
        }
        expected.retain(|_, times| *times > 1);
        Arc::new(Self { cache, state: Mutex::new(State { expected, ..State::default() }), changed: Condvar::new() })
    }

    /// What the image at this place in the list takes for its cache. Images are to be read in the order of the list, several at a time if need be.
    #[must_use]
    pub fn of(self: &Arc<Self>, image: usize) -> impl LayerCache + use<> {
        ImageLayers { shared: Arc::clone(self), image }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LayerCache for ImageLayers {
    fn is_asked(&self, key: &str) -> bool {
        self.shared.cache.is_some() || self.shared.lock().expected.contains_key(key)
    }

    fn load(&self, key: &str) -> Option<Vec<u8>> {
        let shared = &*self.shared;
        let stored = || shared.cache.as_ref().and_then(|cache| cache.load(key));
        let mut state = shared.lock();
        if !state.expected.contains_key(key) {
            drop(state);
            return stored();
        }
        loop {
            if let Some(record) = state.records.get(key) {
                return Some(record.clone());
            }
            match state.readers.get(key) {
                Some(reader) if *reader < self.image => state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(_) => break,
                None => {
                    state.readers.insert(key.to_owned(), self.image);
                    break;
                }
            }
        }
        drop(state);
        stored()
    }

    fn save(&self, key: &str, entry: &[u8]) {
        if let Some(cache) = &self.shared.cache {
            cache.save(key, entry);
        }
        let mut state = self.shared.lock();
        // The one that saves has what it needs.
        if state.expected.contains_key(key) && state.bytes + entry.len() <= WAITING_BYTES && !state.records.contains_key(key) {
            state.bytes += entry.len();
            state.records.insert(key.to_owned(), entry.to_vec());
        }
    }

    fn discard(&self, key: &str) {
        let mut state = self.shared.lock();
        if let Some(entry) = state.records.remove(key) {
            state.bytes -= entry.len();
        }
        drop(state);
        if let Some(cache) = &self.shared.cache {
            cache.discard(key);
        }
    }

    fn done(&self, key: &str) {
        let mut state = self.shared.lock();
        if state.readers.get(key) == Some(&self.image) {
            state.readers.remove(key);
        }
        let is_last = state.expected.get_mut(key).is_some_and(|times| {
            *times = times.saturating_sub(1);
            *times == 0
        });
        if is_last && let Some(entry) = state.records.remove(key) {
            state.bytes -= entry.len();
        }
        drop(state);
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
        time::Duration,
    };

    use super::*;
    use crate::{
        layers::{
            LayerInput, Want,
            fixture::{input, tar},
            walk_with,
        },
        model::digest::Digest,
    };

    fn wants(path: &str) -> Want {
        if path.ends_with("want") { Want::Bytes } else { Want::No }
    }

    /// Counts how many blobs were begun.
    struct Counted(Box<dyn Read + Send>, Arc<AtomicUsize>, bool);

    impl Read for Counted {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if !std::mem::replace(&mut self.2, true) {
                self.1.fetch_add(1, Ordering::Relaxed);
                // Long enough for other images to come to the same layer.
                thread::sleep(Duration::from_millis(5));
            }
            self.0.read(out)
        }
    }

    fn view(layers: Vec<LayerInput>, limits: &Limits, cache: Option<&dyn LayerCache>) -> Option<String> {
        let view = walk_with(layers, &wants, limits, cache).ok()?;
        Some(format!("{:?}", view.files().map(|file| (file.path, file.layer, file.bytes().into_owned())).collect::<Vec<_>>()))
    }

    /// Reads every image of the list, one after another or all at once.
    fn all(images: Vec<Vec<LayerInput>>, limits: &Limits, at_once: bool) -> Vec<Option<String>> {
        let blobs = images.iter().flatten().map(|input| &input.layer.descriptor.digest);
        let shared = SharedLayers::new(blobs, limits, None);
        let views = thread::scope(|scope| {
            let mut views = Vec::new();
            let mut running = Vec::new();
            for (at, layers) in images.into_iter().enumerate() {
                let shared = Arc::clone(&shared);
                let thread = scope.spawn(move || view(layers, limits, Some(&shared.of(at))));
                if at_once {
                    running.push(thread);
                } else {
                    views.push(thread.join().unwrap());
                }
            }
            views.extend(running.into_iter().map(|thread| thread.join().unwrap()));
            views
        });
        let state = shared.lock();
        assert!(state.records.is_empty() && state.readers.is_empty() && state.bytes == 0);
        views
    }

    #[test]
    fn every_shared_layer_is_read_once_and_gives_what_reading_it_again_gives() {
        let tars: Vec<Vec<u8>> = (0..4).map(|at| tar(&[(&format!("{at}/want"), b"x".to_vec()), ("all/want", vec![b'0' + at])])).collect();
        // In two of them, layers stand in the opposite order; nobody may wait in a circle.
        let images: [&[usize]; 4] = [&[0, 1], &[0, 1, 2], &[2, 1, 0], &[3, 3]];
        for threads in [1, 4] {
            let limits = Limits { threads, ..Limits::default() };
            let opened = Arc::new(AtomicUsize::new(0));
            let inputs = |layers: &[usize]| -> Vec<LayerInput> {
                let counted = |(place, tar): (usize, &usize)| {
                    let mut input = input(place, &tars[*tar]);
                    input.reader = Box::new(Counted(input.reader, Arc::clone(&opened), false));
                    input
                };
                layers.iter().enumerate().map(counted).collect()
            };
            let expected: Vec<_> = images.iter().map(|layers| view(inputs(layers), &limits, None)).collect();
            assert!(expected.iter().all(Option::is_some));
            opened.store(0, Ordering::Relaxed);
            assert_eq!(all(images.iter().map(|layers| inputs(layers)).collect(), &limits, false), expected);
            let count = opened.load(Ordering::Relaxed);
            // The layer that an image has twice may be read twice.
            assert!(matches!(count, 4 | 5), "{count} blobs were read");
            for _ in 0..5 {
                assert_eq!(all(images.iter().map(|layers| inputs(layers)).collect(), &limits, true), expected);
            }
        }
    }

    #[test]
    fn a_layer_that_cannot_be_read_makes_nobody_wait() {
        let tar = tar(&[("a/want", b"x".to_vec())]);
        let broken = || {
            let mut input = input(0, &tar);
            input.layer.diff_id = Digest::sha256_of(b"something else");
            vec![input]
        };
        for at_once in [false, true] {
            let views = all(vec![broken(), broken(), vec![input(0, &tar)]], &Limits::default(), at_once);
            assert_eq!(views.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true]);
        }
    }
}
