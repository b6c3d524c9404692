//! Numbers that are given out once.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use lineclear_store::StoreError;

use crate::fault;
use crate::store::Place;

impl Place {
    /// The next number of counter `name`, from one. `lost` gives the highest number known to be in use; it is asked when the
    /// counter's file is new or unreadable, so that a lost file never gives a number twice.
    pub(crate) fn next_number(
        &self,
        name: &str,
        lost: impl FnOnce() -> Result<u64, StoreError>,
    ) -> Result<u64, StoreError> {
        let path = self.root.join("counters").join(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let file = match options.open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let folder = self.root.join("counters");
                fs::create_dir_all(&folder).map_err(|error| self.full_or(&folder, error))?;
                options.open(&path)
            }
            opened => opened,
        }
        .map_err(|error| self.full_or(&path, error))?;
        file.lock().map_err(|error| fault::at(&path, error))?;
        let mut text = [0; 21];
        let read = file.read_at(&mut text, 0).map_err(|error| fault::at(&path, error))?;
        let known = std::str::from_utf8(&text[..read]).ok().and_then(|text| text.trim_end().parse::<u64>().ok());
        let last = match known {
            Some(last) => last,
            None => lost()?,
        };
        let next = last.saturating_add(1);
        // One write of fixed width: a kill leaves the old number or the new one.
        file.write_all_at(format!("{next:<20}\n").as_bytes(), 0).map_err(|error| self.full_or(&path, error))?;
        Ok(next)
    }
}
