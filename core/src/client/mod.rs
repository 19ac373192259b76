//! The client: one method per operation of the API. What is wrong is refused here, before a component sees it.
//!
//! Payloads are encoded text; encoding and decoding is the hosts' part. Every method gives a future that owns what it
//! needs, so a host may hand it to another thread; dropping it gives the call up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::component::{DEFAULT_COMPONENT, Pending, Registry, Workflow, open_component};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::WorkflowHandle;
use crate::options::{ClientOptions, Endpoint, Environment, resolve};

pub(crate) mod check;
mod closing;
mod manage;
mod query;
mod start;
pub(crate) mod time;
mod tree;
mod wait;
mod watch;

#[cfg(test)]
mod tests;

/// Starts workflows, controls them and asks about them. Clones share everything, and all are closed together.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    registry: Registry,
    options: ClientOptions,
    warnings: Vec<String>,
    closed: AtomicBool,
    closing: Arc<closing::Closing>,
    process: u32,
}

impl Client {
    /// Opens a client in the environment of this process.
    ///
    /// # Errors
    /// `invalid_argument` for options that break a rule, `failed_precondition` where there is no endpoint to fall back
    /// on, `not_implemented` for endpoints of a later version, and what opening the store answers.
    pub fn open(options: ClientOptions) -> Result<Client> {
        Client::open_in(&Environment::of_process()?, Registry::default(), options)
    }

    /// Opens a client in a given environment, with components of the program's own. One that is registered as `dapr`
    /// is the default, and then no endpoint is opened.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn open_in(
        environment: &Environment,
        mut registry: Registry,
        mut options: ClientOptions,
    ) -> Result<Client> {
        options.check()?;
        options.remote = options.remote.complete(environment)?;
        let mut warnings = Vec::new();
        for (name, text) in &options.components {
            let endpoint = Endpoint::parse(text, environment)?;
            registry.register(name, open_component(&endpoint, &options)?)?;
        }
        let has_default = registry.get(None).is_ok();
        if has_default && options.endpoint.is_some() {
            return Err(Error::invalid("both endpoint and a component \"dapr\" are given; give one of them"));
        }
        if !has_default {
            let resolved = resolve(options.endpoint.as_deref(), environment)?;
            warnings.extend(resolved.prepare()?);
            registry.register(DEFAULT_COMPONENT, open_component(&resolved.endpoint, &options)?)?;
        }
        let (closed, process) = (AtomicBool::new(false), std::process::id());
        let closing = Arc::default();
        Ok(Client(Arc::new(Inner { registry, options, warnings, closed, closing, process })))
    }

    /// The endpoint of the default component.
    pub fn endpoint(&self) -> String {
        self.0.registry.get(None).map(|component| component.endpoint().to_owned()).unwrap_or_default()
    }

    /// What the user should be told about the opening, for example that the default file is new.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// How long a call waits for its answer. Hosts pass it to [`crate::runtime::block_on`].
    pub fn call_timeout(&self) -> Duration {
        self.0.options.call_timeout
    }

    /// The options that the client was opened with.
    pub fn options(&self) -> &ClientOptions {
        &self.0.options
    }

    /// The component with this name; the default one for none.
    ///
    /// # Errors
    /// `invalid_argument` with the known names, `closed`, `forked`.
    pub fn component(&self, name: Option<&str>) -> Result<Arc<dyn Workflow>> {
        if self.0.process != std::process::id() {
            return Err(Error::new(
                ErrorKind::Forked,
                "this client was opened before the process forked; open one in the child",
            ));
        }
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the client is closed; open another one"));
        }
        self.0.registry.get(name).cloned()
    }

    /// A handle of an instance that is there already. Without an execution ID it means whatever run has the instance ID.
    pub fn handle(
        &self,
        component: Option<&str>,
        instance_id: &str,
        execution_id: Option<&str>,
    ) -> WorkflowHandle {
        WorkflowHandle::new(self.clone(), component, instance_id, execution_id)
    }

    /// Closes the client and its components. Calls in flight and later ones are `closed`. Closing twice is closing once.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the client is closed.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Calls a component for an existing instance, with the checks and the error context that all operations share.
    fn of_instance<T: Send + 'static>(
        &self,
        operation: &'static str,
        component: Option<&str>,
        id: &str,
        checked: Result<()>,
        call: impl for<'a> FnOnce(&'a dyn Workflow, &'a str) -> Pending<'a, T> + Send + 'static,
    ) -> Pending<'static, T> {
        let component = self.component(component).and_then(|component| {
            check::id(id)?;
            checked.map(|()| component)
        });
        let component = match component {
            Ok(component) => component,
            Err(error) => return failed(error.in_operation(operation).of_instance(shown(id))),
        };
        let id = id.to_owned();
        Box::pin(async move {
            let answer = call(&*component, &id).await;
            answer.map_err(|error| located(error, &*component).in_operation(operation).of_instance(&id))
        })
    }

    /// Calls a component for no instance in particular.
    fn of_all<T: Send + 'static>(
        &self,
        operation: &'static str,
        component: Option<&str>,
        checked: Result<()>,
        call: impl for<'a> FnOnce(&'a dyn Workflow) -> Pending<'a, T> + Send + 'static,
    ) -> Pending<'static, T> {
        let component = self.component(component).and_then(|component| checked.map(|()| component));
        match component {
            Ok(component) => {
                Box::pin(
                    async move { call(&*component).await.map_err(|error| error.in_operation(operation)) },
                )
            }
            Err(error) => failed(error.in_operation(operation)),
        }
    }
}

impl Inner {
    fn close(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) && self.process == std::process::id() {
            self.closing.close();
            self.registry.components().for_each(|component| component.close());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            self.close();
        } else {
            // The engine's thread is not in a forked child: waiting for it in a destructor would be for ever.
            std::mem::forget(std::mem::take(&mut self.registry));
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint())
            .field("closed", &self.is_closed())
            .finish()
    }
}

fn failed<T: Send + 'static>(error: Error) -> Pending<'static, T> {
    Box::pin(std::future::ready(Err(error)))
}

/// An id as an error shows it: one that breaks the rule may be of any length.
fn shown(id: &str) -> String {
    id.chars().take(64).collect()
}

/// A file that nobody remembers choosing is the usual reason why an instance is not found, so the error says where it
/// was looked for.
fn located(error: Error, component: &dyn Workflow) -> Error {
    if error.kind() != ErrorKind::NotFound || error.message().contains(component.endpoint()) {
        return error;
    }
    let message = format!("{}; looked for in {}", error.message(), component.endpoint());
    Error::new(ErrorKind::NotFound, message).with_source(error)
}
