//! Everything read and compared with its digest.

use std::collections::HashMap;
use std::fs::{self, File};

use lineclear_oci::{Algorithm, Hasher, RepositoryName};
use lineclear_store::{ImageDamage, ImageError, StoreError};

use super::contents::check;
use super::repository::{digest_of, names_in};
use crate::entry::folders;
use crate::fault;
use crate::store::Place;

impl Place {
    /// Contents that are not what they are called, links that lead nowhere, manifests whose bytes are missing.
    pub(super) fn verify_images(&self, seen: &mut dyn FnMut(u64)) -> Result<Vec<ImageDamage>, ImageError> {
        // By the hexadecimal digits of the digest.
        let mut damaged: HashMap<String, String> = HashMap::new();
        for folder in folders(&self.contents_folder())? {
            for hex in names_in(&folder)? {
                let path = folder.join(&hex);
                let Some(file) = fault::found(&path, File::open(&path))? else { continue };
                let mut whole = Hasher::new(Algorithm::Sha256);
                let checked = check(file, &path, &hex, |bytes| {
                    whole.update(bytes);
                    seen(bytes.len() as u64);
                });
                match checked {
                    Ok(_) if whole.finish().hex() == hex => {}
                    Ok(_) => drop(damaged.insert(hex, "its contents have another digest".into())),
                    Err(StoreError::Damaged { why, .. }) => drop(damaged.insert(hex, why)),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let mut places: HashMap<String, Vec<RepositoryName>> = HashMap::new();
        for repository in self.each_repository()? {
            let mut names = names_in(&repository.folder.join("blobs"))?;
            for name in names_in(&repository.folder.join("manifests"))? {
                names.extend(name.strip_suffix(".json").map(str::to_owned));
            }
            for hex in names {
                if hex.len() != 64 {
                    continue;
                }
                if !damaged.contains_key(&hex) && fs::metadata(self.content_path(&hex)).is_err() {
                    damaged.insert(hex.clone(), "it is missing".into());
                }
                if damaged.contains_key(&hex) {
                    places.entry(hex).or_default().push(repository.name.clone());
                }
            }
        }
        let mut report: Vec<ImageDamage> = damaged
            .into_iter()
            .filter_map(|(hex, why)| {
                let repositories = places.remove(&hex).unwrap_or_default();
                Some(ImageDamage { digest: digest_of(&hex)?, why, repositories })
            })
            .collect();
        report.sort_by(|one, other| one.digest.cmp(&other.digest));
        Ok(report)
    }
}
