//! Waiting for futures without a runtime.
