//! Having an image on this machine: pulled once, however many jobs ask for it at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::{ContainerError, Credentials, ImageRoute, Stop, Told};
use lineclear_container_engine::{Engine, EngineError, LoginFile, Patience, PullEvent, RegistryLogin, Surroundings};
use lineclear_oci::Reference;

use crate::Pull;
use crate::error::translate;

/// Pauses between three tries, as the hosted runner makes them.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// How long a pull may be silent: large layers are unpacked without a word.
const SILENCE: Duration = Duration::from_secs(15 * 60);

type Key = (String, Option<String>);

/// What was pulled in the life of this process, and what is being pulled.
#[derive(Debug, Default)]
pub(crate) struct Pulls {
    /// Locked while the image is pulled.
    running: Mutex<BTreeMap<Key, Arc<Mutex<()>>>>,
    done: Mutex<BTreeSet<Key>>,
}

/// An image to have.
pub(crate) struct Wanted<'w> {
    pub(crate) image: &'w str,
    pub(crate) platform: Option<&'w str>,
    pub(crate) credentials: Option<&'w Credentials>,
    pub(crate) pull: Pull,
    pub(crate) route: &'w ImageRoute,
}

/// An image that is here.
#[derive(Clone, Debug)]
pub(crate) struct Had {
    /// What containers are made from.
    pub(crate) name: String,
}

impl Pulls {
    /// Makes sure that the image is here, and tells its digest.
    pub(crate) fn have(
        &self,
        engine: &Engine,
        wanted: &Wanted<'_>,
        stop: Stop<'_>,
        told: &dyn Told,
    ) -> Result<Had, ContainerError> {
        let image = wanted.image;
        let reference = Reference::parse(image)
            .map_err(|error| ContainerError::ImageName { image: image.into(), problem: error.to_string() })?;
        let repository = reference.bare().familiar();
        if let Some(routed) = (wanted.route)(image) {
            // What is kept near is asked for each time: another job may just have pushed it.
            let login = routed.credentials.as_ref().map(|credentials| login(&routed.image, credentials));
            match self.pull(engine, &routed.image, login.as_ref(), wanted.platform, Tries::One, stop, told) {
                Ok(()) => {
                    if let Some(details) = engine.image(&routed.image).map_err(translate)? {
                        let digest = details.digest(routed.image.split(['@']).next().unwrap_or_default()).to_owned();
                        told.image(image, &digest);
                        return Ok(Had { name: routed.image });
                    }
                }
                Err(ContainerError::Cancelled) => return Err(ContainerError::Cancelled),
                Err(_) => {} // It is not there, so the name means what it says.
            }
        }
        let key = (image.to_owned(), wanted.platform.map(str::to_owned));
        let found = engine.image(image).map_err(translate)?;
        let was_pulled = || self.done.lock().unwrap_or_else(PoisonError::into_inner).contains(&key);
        let pulls = match wanted.pull {
            Pull::Never => false,
            // Of another platform, the engine alone knows whether it has it.
            Pull::Missing => found.is_none() || wanted.platform.is_some() && !was_pulled(),
            Pull::Always => !was_pulled(),
        };
        let details = match (found, pulls) {
            (Some(details), false) => details,
            (None, false) => return Err(ContainerError::NoSuchImage { image: image.into() }),
            (found, true) => {
                let login = wanted.credentials.map(|credentials| login(image, credentials));
                let login = login.or_else(|| login_of_user(&reference));
                let pulled = self.pull(engine, image, login.as_ref(), wanted.platform, Tries::Three, stop, told);
                match (pulled, found) {
                    (Ok(()), _) => {
                        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                        let details = engine.image(image).map_err(translate)?;
                        details.ok_or_else(|| ContainerError::Pull {
                            image: image.into(),
                            problem: "it was pulled, and the engine does not have it".into(),
                        })?
                    }
                    (Err(ContainerError::Cancelled), _) => return Err(ContainerError::Cancelled),
                    (Err(error), Some(found)) => {
                        told.line(&format!("{error}; the one that is here is used"));
                        found
                    }
                    (Err(error), None) => return Err(error),
                }
            }
        };
        told.image(image, details.digest(&repository));
        Ok(Had { name: image.into() })
    }

    #[expect(clippy::too_many_arguments, reason = "each is a different matter, and there are two callers")]
    fn pull(
        &self,
        engine: &Engine,
        image: &str,
        login: Option<&RegistryLogin>,
        platform: Option<&str>,
        tries: Tries,
        stop: Stop<'_>,
        told: &dyn Told,
    ) -> Result<(), ContainerError> {
        let key = (image.to_owned(), platform.map(str::to_owned));
        let lock =
            Arc::clone(self.running.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default());
        let began = Instant::now();
        let _pulling = loop {
            match lock.try_lock() {
                Ok(guard) => break guard,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    if (stop.is_cancelled)() {
                        return Err(ContainerError::Cancelled);
                    }
                    thread::sleep(Duration::from_millis(40));
                }
            }
        };
        // Somebody else pulled it while this waited: nothing is asked twice.
        let waited = began.elapsed() > Duration::from_millis(30);
        if waited && self.done.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        if matches!(tries, Tries::Three) {
            told.line(&format!("Pulling image {image}"));
        }
        let patience = Patience { silence: SILENCE, cancelled: Some(stop.is_cancelled) };
        let pauses: &[Duration] = if matches!(tries, Tries::Three) { &PAUSES } else { &[] };
        let mut pauses = pauses.iter();
        loop {
            let mut layers = Layers::default();
            let result =
                engine.image_pull(image, login, platform, patience, &mut |event| layers.take(image, event, told));
            let error = match result {
                Ok(()) => {
                    self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                    return Ok(());
                }
                Err(EngineError::Cancelled) => return Err(ContainerError::Cancelled),
                Err(error) => error,
            };
            let problem = match error {
                EngineError::Refused { message, .. } | EngineError::Failed { message, .. } => message,
                error => return Err(translate(error)),
            };
            if is_missing(&problem) {
                return Err(ContainerError::NoSuchImage { image: image.into() });
            }
            let Some(pause) = pauses.next() else {
                return Err(ContainerError::Pull { image: image.into(), problem });
            };
            told.line(&format!("Pulling {image} failed ({problem}); another try in {} s", pause.as_secs()));
            let until = Instant::now() + *pause;
            while Instant::now() < until {
                if (stop.is_cancelled)() {
                    return Err(ContainerError::Cancelled);
                }
                thread::sleep(Duration::from_millis(40));
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Tries {
    One,
    Three,
}

/// The registry answered, and another try would be told the same.
fn is_missing(problem: &str) -> bool {
    let problem = problem.to_ascii_lowercase();
    ["manifest unknown", "not found", "access denied", "does not exist", "name unknown", "unauthorized", "denied:"]
        .iter()
        .any(|sign| problem.contains(sign))
}

fn login(image: &str, credentials: &Credentials) -> RegistryLogin {
    let server = Reference::parse(image).map(|reference| reference.registry().as_str().to_owned());
    RegistryLogin {
        username: credentials.username.clone(),
        password: credentials.password.clone(),
        identity_token: String::new(),
        server: server.unwrap_or_default(),
    }
}

/// The login that the user of this machine has, as Docker's own command line would use it.
fn login_of_user(reference: &Reference) -> Option<RegistryLogin> {
    let config = Surroundings::of_this_process().docker_config?;
    LoginFile::read(&config).login(reference.registry().as_str())
}

/// How far each layer is.
#[derive(Debug, Default)]
struct Layers {
    layers: BTreeMap<String, (u64, u64)>,
    told: u64,
}

impl Layers {
    fn take(&mut self, image: &str, event: PullEvent, told: &dyn Told) {
        let (Some(layer), Some((done, total))) = (event.layer, event.progress) else { return };
        // Unpacking counts from the start again; what was fetched stays fetched.
        if event.status != "Downloading" {
            return;
        }
        self.layers.insert(layer, (done, total));
        let done: u64 = self.layers.values().map(|(done, _)| done).sum();
        let total: u64 = self.layers.values().map(|(_, total)| total).sum();
        if done >= self.told + (256 << 10) || done == total {
            self.told = done;
            told.progress(&format!("Pulling {image}"), done, Some(total));
        }
    }
}
