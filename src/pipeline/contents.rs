//! Images in, their packages out: layers are streamed through the unpacker on blocking threads, and what it keeps is catalogued. A layer that several
//! images have is read once. After the first error, of whatever stage, every read ends.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{runtime::Handle, sync::watch};

use crate::{
    Error, inventory,
    layers::{self, LayerCache, LayerInput, Limits, SharedLayers},
    model::{
        facts::ImageFacts,
        image::{Descriptor, Layer, ResolvedImage},
        package::Inventory,
    },
    pipeline::{FolderCache, ImageInput, Inputs},
    progress::{SharedProgress, Task},
    registry::ImageSource,
};

/// The layers of all images of a run, and whether the run goes on.
pub(super) struct Contents {
    /// Of each image what is read: every layer that is not elsewhere.
    images: Vec<Vec<Layer>>,
    platforms: Vec<String>,
    source: Arc<dyn ImageSource>,
    shared: Arc<SharedLayers>,
    cache: Option<Arc<FolderCache>>,
    limits: Limits,
    progress: SharedProgress,
    given_up: watch::Sender<bool>,
    failure: Mutex<Option<Error>>,
}

impl Contents {
    pub(super) fn new(images: &[ResolvedImage], input: &ImageInput, inputs: &Inputs) -> Self {
        let read = |image: &ResolvedImage| image.layers.iter().filter(|layer| !is_foreign(&layer.descriptor)).cloned().collect();
        let platforms = images.iter().map(|image| image.platform.to_string()).collect();
        let images: Vec<Vec<Layer>> = images.iter().map(read).collect();
        let known = input.cache.clone().map(|cache| -> Arc<dyn LayerCache + Send> { cache });
        let blobs = images.iter().flatten().map(|layer| &layer.descriptor.digest);
        Self {
            shared: SharedLayers::new(blobs, &inputs.limits, known),
            images,
            platforms,
            source: Arc::clone(&input.source),
            cache: input.cache.clone(),
            limits: inputs.limits.clone(),
            progress: Arc::clone(&inputs.progress),
            given_up: watch::Sender::new(false),
            failure: Mutex::new(None),
        }
    }

    /// The packages of the image at this place of the list, and what else is in it.
    ///
    /// # Errors
    /// When a layer is not what its digests promise or cannot be read, and when the run was given up meanwhile.
    pub(super) async fn read(&self, at: usize) -> Result<(Inventory, ImageFacts), Error> {
        let layers = self.images.get(at).cloned().unwrap_or_default();
        let total = layers.iter().map(|layer| layer.descriptor.size).sum();
        let task: Arc<dyn Task> = Arc::from(self.progress.start("layers", Some(total)));
        let blob = |layer: &Layer| LazyBlob {
            source: Arc::clone(&self.source),
            descriptor: layer.descriptor.clone(),
            handle: Handle::current(),
            task: Arc::clone(&task),
            given_up: self.given_up.subscribe(),
            open: None,
        };
        let inputs = layers.iter().map(|layer| LayerInput { layer: layer.clone(), reader: Box::new(blob(layer)) }).collect();
        let (shared, limits, cache) = (Arc::clone(&self.shared), self.limits.clone(), self.cache.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let view = layers::walk_with(inputs, &inventory::Interests, &limits, Some(&shared.of(at)))?;
            if let Some(cache) = cache {
                cache.trim();
            }
            let mut found = inventory::catalog(&view, &layers);
            let facts = inventory::facts(&view, &layers, &found);
            // The last question may have been the one too many.
            found.gaps.extend(view.unfollowed());
            found.gaps.sort();
            Ok((found, facts))
        });
        reading.await.map_err(|error| Error::Internal(format!("reading layers: {error}")))?
    }

    /// Ends the run: of several errors the first one is told, with the platform where there are several.
    pub(super) fn fail(&self, at: usize, error: Error) {
        let error = match self.platforms.get(at) {
            Some(platform) if self.platforms.len() > 1 => Error::Platform { platform: platform.clone(), source: Box::new(error) },
            _ => error,
        };
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.given_up.send_replace(true);
    }

    /// Whether there was an error.
    pub(super) fn is_given_up(&self) -> bool {
        *self.given_up.borrow()
    }

    /// What comes of `work`, or nothing as soon as the run is given up.
    pub(super) async fn unless_given_up<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut given_up = self.given_up.subscribe();
        tokio::select! {
            done = work => Some(done),
            _ = given_up.wait_for(|given_up| *given_up) => None,
        }
    }

    /// The error that ended the run.
    pub(super) fn into_failure(self) -> Option<Error> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a layer is said to be somewhere else.
pub(super) fn is_foreign(descriptor: &Descriptor) -> bool {
    !descriptor.urls.is_empty() || descriptor.media_type.contains("nondistributable") || descriptor.media_type.contains(".foreign.")
}

/// A blob that is opened when its first byte is asked for, so that a worker holds one connection at a time.
struct LazyBlob {
    source: Arc<dyn ImageSource>,
    descriptor: Descriptor,
    handle: Handle,
    task: Arc<dyn Task>,
    given_up: watch::Receiver<bool>,
    open: Option<Box<dyn Read + Send>>,
}

impl Read for LazyBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if *self.given_up.borrow() {
            return Err(io::Error::other("the run was given up"));
        }
        let reader = match &mut self.open {
            Some(reader) => reader,
            None => {
                let opened = self.handle.block_on(self.source.open_blob(&self.descriptor)).map_err(io::Error::other)?;
                self.open.insert(opened)
            }
        };
        let read = reader.read(buffer)?;
        self.task.advance(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}
