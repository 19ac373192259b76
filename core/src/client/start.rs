//! Starting, and starting again in the middle.

use uuid::Uuid;

use super::{Client, check, failed, shown};
use crate::component::Pending;
use crate::model::{RerunRequest, StartRequest, Started};

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
    /// Goes on from an event of a finished instance, in a new instance: what was done before the event stays done, the
    /// event's activity, timer or child and whatever was open then is done anew, and all that followed is asked for again. The
    /// new one keeps the workflow's name, input, version and tags; its activities have new keys, its children new IDs, and
    /// timers keep the time that they are due. Of an instance that continued as new only the last generation is there.
    /// Answers when the new instance is durable.
    ///
    /// # Errors
    /// `invalid_argument` (also for an event of another kind, an input for a timer, and a child), `payload_too_large`,
    /// `not_found` for the instance or the event, `failed_precondition` while the instance has not finished,
    /// `already_exists` if the new ID is in use.
    pub fn rerun(&self, component: Option<&str>, mut request: RerunRequest) -> Pending<'static, Started> {
        let checked = check::rerun(&request, self.options().max_payload_bytes);
        request.new_instance_id.get_or_insert_with(|| Uuid::new_v4().to_string());
        let id = request.instance_id.clone();
        self.of_instance("rerun_workflow", component, &id, checked, move |component, _| {
            component.rerun(request)
        })
    }
}
