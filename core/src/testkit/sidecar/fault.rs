//! What can go wrong with one call.

use tonic::Code;

/// Lets one call fail.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) applied: bool,
    pub(super) what: What,
}

/// How a call fails.
#[derive(Clone, Debug)]
pub enum What {
    /// It is answered with this status.
    Status(Code, String),
    /// It is reset without an answer; its connection lives on.
    Reset,
    /// Its connection is cut.
    Cut,
    /// It is answered with these bytes in place of a message and its length.
    Bytes(Vec<u8>),
    /// It goes on when the test says so; what it was to do is done then, or was done before.
    Hold,
}

impl Fault {
    /// Nothing of the call is done.
    pub fn before(what: What) -> Fault {
        Fault { applied: false, what }
    }

    /// The call is done, its answer fails.
    pub fn after(what: What) -> Fault {
        Fault { applied: true, what }
    }

    /// The status that it answers.
    pub fn status(code: Code, text: &str) -> Fault {
        Fault::before(What::Status(code, text.to_owned()))
    }
}
