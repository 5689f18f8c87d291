//! A saved image in a tar file: indexed, resolved, and every blob of it read. The first byte chooses between the kinds of archives.
#![no_main]

use std::{io::Read as _, sync::Arc};

use libfuzzer_sys::fuzz_target;
use plimsoll::{
    model::{image::Platform, reference::ImageReference},
    progress::Silent,
    registry::{self, Options},
};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    plimsoll_fuzz::mend_checksums(&mut bytes);
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), &bytes).expect("file");
    let scheme = if kind & 1 == 0 { "docker-archive" } else { "oci-archive" };
    let Ok(reference) = ImageReference::parse(&format!("{scheme}:{}", file.path().display())) else { return };
    let host = Platform::parse("linux/amd64").expect("platform");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    runtime.block_on(async {
        let Ok(source) = registry::open(&reference, &Options::default(), Arc::new(Silent)).await else { return };
        let Ok(image) = registry::resolve(source.as_ref(), &reference, None, &host).await else { return };
        for layer in &image.layers {
            if let Ok(mut reader) = source.open_blob(&layer.descriptor).await {
                let _ = reader.read_to_end(&mut Vec::new());
            }
        }
    });
});
