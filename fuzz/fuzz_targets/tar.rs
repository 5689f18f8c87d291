//! Two layers as tars, plain or compressed: walked, merged and catalogued. The first byte says where the lower one ends.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use plimsoll::{
    inventory,
    layers::{self, LayerInput, Limits},
    model::{
        digest::Digest,
        image::{Descriptor, Layer},
    },
};

fn layer(index: usize, bytes: &[u8]) -> LayerInput {
    let digest = Digest::sha256_of(bytes);
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size: bytes.len() as u64,
        urls: Vec::new(),
        annotations: Default::default(),
        artifact_type: None,
        platform: None,
    };
    LayerInput { layer: Layer { index, descriptor, diff_id: digest, history: None, origin: None }, reader: Box::new(Cursor::new(bytes.to_vec())) }
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    let headers = plimsoll_fuzz::mend_checksums(&mut bytes);
    let at = headers.get(usize::from(cut) % headers.len().max(1)).copied().unwrap_or(0);
    let (lower, upper) = bytes.split_at(at);
    // Small limits, so that they are reached.
    let limits = Limits {
        threads: 1,
        entries: 200,
        path_bytes: 2_000,
        file_bytes: 20_000,
        kept_bytes: 30_000,
        older_bytes: 10_000,
        early_bytes: 5_000,
        layer_bytes: 8 << 20,
        link_steps: 100_000,
        scanned_file_bytes: 20_000,
        note_bytes: 2_000,
        marked_paths: 20,
        zstd_window_log: 20,
        ..Limits::default()
    };
    let inputs = vec![layer(0, lower), layer(1, upper)];
    let known: Vec<Layer> = inputs.iter().map(|input| input.layer.clone()).collect();
    if let Ok(view) = layers::walk(inputs, &inventory::Interests, &limits) {
        for file in view.files() {
            assert!(!file.path.split('/').any(|part| part == ".." || part.is_empty()), "{}", file.path);
        }
        let found = inventory::catalog(&view, &known);
        let _ = inventory::facts(&view, &known, &found);
    }
});
