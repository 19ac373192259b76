//! Components by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dapr::{DaprGrpc, DaprHttp};
use super::{DEFAULT_COMPONENT, Embedded, Workflow};
use crate::error::{Error, Result};
use crate::options::{ClientOptions, Endpoint};

/// The components of a client, by name. `dapr` is the default one; Dapr itself ignores the name.
#[derive(Clone, Default)]
pub struct Registry {
    components: BTreeMap<String, Arc<dyn Workflow>>,
}

impl Registry {
    /// Adds a component under a name.
    ///
    /// # Errors
    /// `invalid_argument` when the name is empty, longer than 256 bytes, has a control character or is taken.
    pub fn register(&mut self, name: impl Into<String>, component: Arc<dyn Workflow>) -> Result<()> {
        let name = name.into();
        crate::client::check::name("component", &name)?;
        if self.components.contains_key(&name) {
            return Err(Error::invalid(format!("component {name:?} is registered already")));
        }
        self.components.insert(name, component);
        Ok(())
    }

    /// The component with this name; the default one for none.
    ///
    /// # Errors
    /// `invalid_argument` with the known names.
    pub fn get(&self, name: Option<&str>) -> Result<&Arc<dyn Workflow>> {
        let name = name.unwrap_or(DEFAULT_COMPONENT);
        self.components.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            let name: String = name.chars().take(64).collect();
            Error::invalid(format!("component {name:?} is unknown; known are {}", known.join(", ")))
        })
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.components.keys().map(String::as_str)
    }

    pub(crate) fn components(&self) -> impl Iterator<Item = &Arc<dyn Workflow>> {
        self.components.values()
    }
}

/// Opens the component that serves an endpoint.
///
/// # Errors
/// `not_implemented` for endpoints that have none yet; what opening the store answers.
pub fn open_component(endpoint: &Endpoint, options: &ClientOptions) -> Result<Arc<dyn Workflow>> {
    match endpoint {
        Endpoint::Memory(_) | Endpoint::Test(_) | Endpoint::Sqlite(_) => {
            Ok(Arc::new(Embedded::open(endpoint, options)?))
        }
        Endpoint::Http(url) => Ok(Arc::new(DaprHttp::open(url, options)?)),
        Endpoint::Grpc(url) => Ok(Arc::new(DaprGrpc::open(url, options)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::options::Environment;

    struct Named(&'static str);

    impl Workflow for Named {
        fn endpoint(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn components_are_found_by_name() {
        let mut registry = Registry::default();
        registry.register("dapr", Arc::new(Named("one"))).unwrap();
        registry.register("archive", Arc::new(Named("two"))).unwrap();
        assert_eq!(registry.get(None).unwrap().endpoint(), "one");
        assert_eq!(registry.get(Some("dapr")).unwrap().endpoint(), "one");
        assert_eq!(registry.get(Some("archive")).unwrap().endpoint(), "two");
        let error = registry.get(Some("other")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains("archive, dapr"));
    }

    #[test]
    fn names_are_checked_and_unique() {
        let mut registry = Registry::default();
        registry.register("a", Arc::new(Named("one"))).unwrap();
        for bad in ["a", "", "a\nb"] {
            let error = registry.register(bad, Arc::new(Named("two"))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn remote_endpoints_open_without_a_connection() {
        let environment = Environment::new(|_| None, "/");
        for text in ["dapr:", "http://localhost:3500", "grpc://127.0.0.1:1"] {
            let endpoint = Endpoint::parse(text, &environment).unwrap();
            let component = open_component(&endpoint, &ClientOptions::default()).unwrap();
            assert_eq!(component.endpoint(), endpoint.to_string());
        }
    }
}
