//! Layers, files and documents in; inventories and documents out.

mod archives;
mod catalogs;
mod documents;
mod layers;
mod programs;
mod rpm;
