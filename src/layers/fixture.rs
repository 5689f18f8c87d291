//! Layers made of bytes at hand. Tests only.

use std::{collections::BTreeMap, io::Cursor};

use crate::{
    layers::LayerInput,
    model::{
        digest::Digest,
        image::{Descriptor, Layer},
    },
};

/// A layer whose blob is this tar, uncompressed.
pub(crate) fn input(index: usize, tar: &[u8]) -> LayerInput {
    let digest = Digest::sha256_of(tar);
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size: tar.len() as u64,
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    };
    LayerInput {
        layer: Layer { index, descriptor, diff_id: digest, history: None, origin: None },
        reader: Box::new(Cursor::new(tar.to_vec())),
    }
}

/// A tar of these files.
pub(crate) fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, path, bytes.as_slice()).expect("writable archive");
    }
    archive.into_inner().expect("finished archive")
}
