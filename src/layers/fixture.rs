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

/// A tar of these files, which nobody but their owner may write.
pub(crate) fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    tar_with_links(files, &[])
}

/// A tar of these symbolic links, each with its target, and files.
pub(crate) fn tar_with_links(files: &[(&str, Vec<u8>)], links: &[(&str, &str)]) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(path, bytes)| (*path, 0o644, bytes.clone())).collect();
    tar_of(&files, links)
}

/// A tar of these files with their permissions; a path that ends with a slash is a folder.
pub(crate) fn tar_with_modes(files: &[(&str, u32, Vec<u8>)]) -> Vec<u8> {
    tar_of(files, &[])
}

fn tar_of(files: &[(&str, u32, Vec<u8>)], links: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, target) in links {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, path, target).expect("writable archive");
    }
    for (path, mode, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        if path.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        archive.append_data(&mut header, path, bytes.as_slice()).expect("writable archive");
    }
    archive.into_inner().expect("finished archive")
}
