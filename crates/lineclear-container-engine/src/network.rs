//! Networks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::EngineError;
use crate::engine::{CALL, Engine, Request, escaped};

/// A network in a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSummary {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Engine {
    /// Makes a network on a bridge of its own.
    ///
    /// # Errors
    /// [`EngineError`], also where the engine has no more address ranges to give.
    pub fn network_create(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<String, EngineError> {
        let body = json!({ "Name": name, "Driver": "bridge", "CheckDuplicate": true, "Labels": labels });
        let request = Request::new("POST", "/networks/create", "create a network");
        let created: NetworkSummary = self.json(request.json(body), CALL)?;
        Ok(created.id)
    }

    /// Removes a network. One that is not there is no error.
    ///
    /// # Errors
    /// [`EngineError`], where containers are still connected.
    pub fn network_remove(&self, id: &str) -> Result<(), EngineError> {
        match self.done(Request::new("DELETE", format!("/networks/{}", escaped(id)), "remove a network"), CALL) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// Disconnects a container from a network, by force.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn network_disconnect(&self, network: &str, container: &str) -> Result<(), EngineError> {
        let path = format!("/networks/{}/disconnect", escaped(network));
        let request = Request::new("POST", path, "disconnect a container from a network");
        self.done(request.json(json!({ "Container": container, "Force": true })), CALL)
    }

    /// The address of the engine's machine in a network, as its containers see it; `None` where the network has none.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn network_gateway(&self, network: &str) -> Result<Option<IpAddr>, EngineError> {
        let said = self.network_details(network)?;
        let configs: Vec<&Value> =
            said.pointer("/IPAM/Config").and_then(Value::as_array).into_iter().flatten().collect();
        let text = |name: &str| configs.iter().filter_map(|config| config.get(name)?.as_str()).collect::<Vec<_>>();
        // Docker writes one that it chose itself with the length of its network.
        let written = text("Gateway").into_iter().find_map(|gateway| gateway.split('/').next()?.parse().ok());
        Ok(written.or_else(|| text("Subnet").into_iter().find_map(first_of)))
    }

    /// The ids of containers that are connected to a network.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn network_members(&self, network: &str) -> Result<Vec<String>, EngineError> {
        let said = self.network_details(network)?;
        let members = said.get("Containers").and_then(Value::as_object);
        Ok(members.into_iter().flatten().map(|(id, _)| id.clone()).collect())
    }

    fn network_details(&self, network: &str) -> Result<Value, EngineError> {
        let request = Request::new("GET", format!("/networks/{}", escaped(network)), "tell of a network");
        self.json(request, CALL)
    }

    /// All networks with this label (`name=value`).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn networks(&self, label: &str) -> Result<Vec<NetworkSummary>, EngineError> {
        self.json(Request::new("GET", "/networks", "list networks").labelled(label), CALL)
    }
}

/// The first address of a network: the gateway that Docker gives to its default bridge, of which it does not always tell.
fn first_of(subnet: &str) -> Option<IpAddr> {
    match subnet.split('/').next()?.parse().ok()? {
        IpAddr::V4(network) => Some(IpAddr::V4((u32::from(network).wrapping_add(1)).into())),
        IpAddr::V6(network) => Some(IpAddr::V6((u128::from(network).wrapping_add(1)).into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_of_a_network_is_its_gateway() {
        assert_eq!(first_of("172.17.0.0/16"), "172.17.0.1".parse().ok());
        assert_eq!(first_of("fd00::/64"), "fd00::1".parse().ok());
        assert_eq!(first_of("nowhere"), None);
    }
}
