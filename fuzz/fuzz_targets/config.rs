//! An image's configuration, under a manifest of one, two and three layers, so that one of them fits what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::model::digest::Digest;
use plimsoll_fuzz::Memory;

fuzz_target!(|data: &[u8]| {
    let digest = Digest::sha256_of(data);
    for layers in 0..3_usize {
        let layer = format!(r#"{{"digest":"{digest}","size":1}}"#);
        let layers = vec![layer; layers].join(",");
        let root = format!(r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":{}}},"layers":[{layers}]}}"#, data.len());
        if let Ok(image) = (Memory { root: root.into_bytes(), blob: data.to_vec() }).resolve() {
            assert!(image.layers.iter().all(|layer| layer.history.is_none_or(|place| place < image.config.history.len())));
        }
    }
});
