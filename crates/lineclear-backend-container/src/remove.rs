//! Removing what bears a label, and looking whether something is left.

use std::thread;

use lineclear_container_engine::{Engine, EngineError};

/// Removes containers with their anonymous volumes, then networks, volumes and images. Returns what was removed.
///
/// What cannot be removed is found again by whoever [`look`]s.
pub(crate) fn labelled(engine: &Engine, label: &str) -> Result<Vec<String>, EngineError> {
    let mut removed = Vec::new();
    let containers = engine.containers(label)?;
    thread::scope(|scope| {
        for container in &containers {
            scope.spawn(|| engine.container_remove(&container.id));
        }
    });
    removed.extend(containers.iter().map(|container| format!("container `{}`", container.name())));
    for network in engine.networks(label)? {
        // Whoever else is connected does not hold it.
        match engine.network_remove(&network.id) {
            Ok(()) => removed.push(format!("network `{}`", network.name)),
            Err(error) => disconnect_all(engine, &network.id, &error),
        }
    }
    for volume in engine.volumes(label)? {
        if engine.volume_remove(&volume.name).is_ok() {
            removed.push(format!("volume `{}`", volume.name));
        }
    }
    for image in engine.images(label)? {
        let names = image.repo_tags.clone().unwrap_or_default();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.starts_with("<none>")).collect();
        let gone = match names.is_empty() {
            true => engine.image_remove(&image.id).is_ok(),
            false => names.iter().all(|name| engine.image_remove(name).is_ok()),
        };
        if gone {
            removed.push(format!("image `{}`", names.first().copied().unwrap_or(&image.id)));
        }
    }
    Ok(removed)
}

fn disconnect_all(engine: &Engine, network: &str, error: &EngineError) {
    if let EngineError::Refused { .. } = error {
        for container in engine.network_members(network).unwrap_or_default() {
            let _ = engine.network_disconnect(network, &container);
        }
        // Whether that helped is seen by the look that follows.
        let _ = engine.network_remove(network);
    }
}

/// What bears the label, one phrase each.
pub(crate) fn look(engine: &Engine, label: &str) -> Result<Vec<String>, EngineError> {
    let (containers, networks, volumes, images) = thread::scope(|scope| {
        let networks = scope.spawn(|| engine.networks(label));
        let volumes = scope.spawn(|| engine.volumes(label));
        let images = scope.spawn(|| engine.images(label));
        let containers = engine.containers(label);
        (
            containers,
            networks.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            volumes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            images.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    let mut found: Vec<String> =
        containers?.iter().map(|container| format!("container `{}`", container.name())).collect();
    found.extend(networks?.into_iter().map(|network| format!("network `{}`", network.name)));
    found.extend(volumes?.into_iter().map(|volume| format!("volume `{}`", volume.name)));
    found.extend(images?.into_iter().map(|image| {
        let name = image.repo_tags.and_then(|names| names.into_iter().next()).unwrap_or(image.id);
        format!("image `{name}`")
    }));
    Ok(found)
}
