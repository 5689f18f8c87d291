//! Layer blobs in, one merged file view out. Nothing is written to disk, no path of an image is ever opened.
