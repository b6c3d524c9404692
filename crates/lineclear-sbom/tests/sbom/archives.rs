//! Archives as tests want them.

use std::io::Write;

use lineclear_sbom::{Described, Inventory, Limits, Package, Reader};

/// A layer under construction.
pub(crate) struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    pub(crate) fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    /// A file; a path of any length and with any parts.
    pub(crate) fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if path.starts_with('/') || path.contains("..") {
            // The library refuses to write what hostile archives have.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            self.0.append(&header, bytes).expect("it is written");
        } else {
            self.0.append_data(&mut header, path, bytes).expect("it is written");
        }
        self
    }

    pub(crate) fn link(self, path: &str, target: &str, kind: tar::EntryType) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(kind);
        let mut layer = self;
        layer.0.append_link(&mut header, path, target).expect("it is written");
        layer
    }

    pub(crate) fn folder(self, path: &str) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Directory);
        let mut layer = self;
        layer.0.append_data(&mut header, path, std::io::empty()).expect("it is written");
        layer
    }

    pub(crate) fn tar(self) -> Vec<u8> {
        self.0.into_inner().expect("it is written")
    }

    pub(crate) fn gzip(self) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&self.tar()).expect("it is written");
        packer.finish().expect("it is written")
    }
}

/// The inventory of an image of these layers, whose digests are `sha256:0`, `sha256:1` …
pub(crate) fn image(layers: Vec<Vec<u8>>) -> Inventory {
    let mut reader = Reader::of_image(Limits::default());
    for (number, layer) in layers.iter().enumerate() {
        reader.layer(&format!("sha256:{number}"), layer.as_slice()).expect("a layer");
    }
    reader.finish(Described::default())
}

/// The inventory of one file.
pub(crate) fn file_of_image(path: &str, bytes: impl AsRef<[u8]>) -> Inventory {
    image(vec![Layer::new().file(path, bytes).tar()])
}

pub(crate) fn file_of_folder(path: &str, bytes: impl AsRef<[u8]>) -> Inventory {
    let mut reader = Reader::of_folder(Limits::default());
    reader.file(path, bytes.as_ref()).expect("a file");
    reader.finish(Described::default())
}

/// `name version`, in the inventory's order.
pub(crate) fn names(inventory: &Inventory) -> Vec<String> {
    inventory.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
}

pub(crate) fn one(inventory: &Inventory) -> &Package {
    let [one] = inventory.packages.as_slice() else { panic!("one package, not {:?}", names(inventory)) };
    one
}
