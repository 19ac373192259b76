//! What an operation of the core answers, as Java gets it.

use std::sync::Arc;

use everstep::Result;
use everstep::component::Pending;

use crate::convert::{NativeChange, NativeCount, NativePage, NativeStarted, NativeState, NativeStep};
use crate::error::NativeError;
use crate::history::NativeHistory;
use crate::worker::NativeWorker;

/// The answer of a call, whatever its operation.
#[derive(uniffi::Enum)]
pub enum NativeAnswer {
    Failed { error: NativeError },
    Nothing,
    Text { text: Option<String> },
    Number { number: i64 },
    Started { started: NativeStarted },
    State { state: NativeState },
    Change { change: Option<NativeChange> },
    Page { page: NativePage },
    Counts { counts: Vec<NativeCount> },
    Step { step: NativeStep },
    History { history: Arc<NativeHistory> },
    Worker { worker: Arc<NativeWorker> },
}

impl From<Result<NativeAnswer>> for NativeAnswer {
    fn from(result: Result<NativeAnswer>) -> NativeAnswer {
        result.unwrap_or_else(|error| NativeAnswer::Failed { error: NativeError::from(&error) })
    }
}

impl From<()> for NativeAnswer {
    fn from((): ()) -> NativeAnswer {
        NativeAnswer::Nothing
    }
}

impl From<u64> for NativeAnswer {
    fn from(number: u64) -> NativeAnswer {
        NativeAnswer::Number { number: number as i64 }
    }
}

impl From<Option<String>> for NativeAnswer {
    fn from(text: Option<String>) -> NativeAnswer {
        NativeAnswer::Text { text }
    }
}

macro_rules! answers {
    ($($variant:ident { $field:ident } from $core:ty;)*) => {
        $(impl From<$core> for NativeAnswer {
            fn from(value: $core) -> NativeAnswer {
                NativeAnswer::$variant { $field: value.into() }
            }
        })*
    };
}

answers! {
    Started { started } from everstep::model::Started;
    State { state } from everstep::model::WorkflowState;
    Page { page } from everstep::model::Page;
    Step { step } from everstep::model::BulkStep;
}

impl From<Option<everstep::model::Change>> for NativeAnswer {
    fn from(change: Option<everstep::model::Change>) -> NativeAnswer {
        NativeAnswer::Change { change: change.map(NativeChange::from) }
    }
}

impl From<everstep::model::StatusCounts> for NativeAnswer {
    fn from(counts: everstep::model::StatusCounts) -> NativeAnswer {
        NativeAnswer::Counts { counts: crate::convert::counts(&counts) }
    }
}

impl From<everstep::history::HistoryTree> for NativeAnswer {
    fn from(tree: everstep::history::HistoryTree) -> NativeAnswer {
        NativeAnswer::History { history: Arc::new(NativeHistory::from(tree)) }
    }
}

/// The same call, whose answer is converted on the way.
pub(crate) fn answering<T: Into<NativeAnswer> + Send + 'static>(
    pending: Pending<'static, T>,
) -> Pending<'static, NativeAnswer> {
    Box::pin(async move { pending.await.map(T::into) })
}
