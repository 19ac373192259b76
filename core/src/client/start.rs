//! Starting.

use uuid::Uuid;

use super::{Client, check, failed, shown};
use crate::component::Pending;
use crate::model::{StartRequest, Started};

impl Client {
    /// Starts a workflow; answers when the start is durable. An absent instance ID is generated (UUID v4).
    ///
    /// # Errors
    /// `invalid_argument`, `payload_too_large`, `not_implemented` for an option that the component cannot honour,
    /// `already_exists` while the ID's instance runs (or, with [`crate::model::Reuse::Never`], at all).
    pub fn start(&self, component: Option<&str>, mut request: StartRequest) -> Pending<'static, Started> {
        const OPERATION: &str = "start_workflow";
        let component = self.component(component).and_then(|component| {
            check::start(&mut request, self.options().max_payload_bytes)?;
            Ok(component)
        });
        let component = match component {
            Ok(component) => component,
            Err(error) => {
                let error = error.in_operation(OPERATION);
                return failed(match &request.instance_id {
                    Some(id) => error.of_instance(shown(id)),
                    None => error,
                });
            }
        };
        let id = request.instance_id.get_or_insert_with(|| Uuid::new_v4().to_string()).clone();
        Box::pin(async move {
            component.start(request).await.map_err(|error| error.in_operation(OPERATION).of_instance(id))
        })
    }
}
