//! Moves of images: through a clear gate, by digest, whole or not at all.
