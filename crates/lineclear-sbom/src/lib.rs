//! What is inside an image: its packages, read from its layers, and written as SPDX and CycloneDX.
