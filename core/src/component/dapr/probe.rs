//! What these components read of a sidecar's answers, for tests and fuzzing.

use prost::Message;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tonic::{Code, Status};

use super::errors::{Body, of_answer, of_status};
use super::metadata::{Answer, Metadata};
use super::{grpc, http};
use crate::error::Error;
use crate::history::wire;
use crate::model::WorkflowState;

/// The state that the task hub service answers.
pub(crate) fn grpc_state(bytes: &[u8]) -> Option<WorkflowState> {
    let answer = wire::GetInstanceResponse::decode(bytes).ok()?;
    answer.workflow_state.map(grpc::state::read)
}

/// The state that the HTTP API answers.
pub(crate) fn http_state(bytes: &[u8]) -> Option<WorkflowState> {
    http::state::read(bytes).ok()
}

/// The error of an answer over HTTP.
pub(crate) fn http_error(status: u16, body: &[u8]) -> Error {
    of_answer(status, &Body::read(body))
}

/// The error of an answer over gRPC.
pub(crate) fn grpc_error(code: u8, text: &str, details: &[u8]) -> Error {
    let details = bytes::Bytes::copy_from_slice(details);
    of_status(
        &Status::with_details(Code::from(i32::from(code)), text, details),
        "/TaskHubSidecarService/GetInstance",
    )
}

/// What a sidecar says of itself, in both forms.
pub(crate) fn metadata(bytes: &[u8]) {
    let json = Metadata::of_json(bytes);
    let message = Answer::decode(bytes).ok().map(Metadata::from);
    let _ = [json, message].map(|found| found.is_some_and(|found| found.is_at_least(1, 19)));
}

/// Certificates and a key, as a client takes them.
pub(crate) fn pem(bytes: &[u8]) {
    let certificates: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(bytes).collect();
    let mut store = rustls::RootCertStore::empty();
    let certificates = certificates.unwrap_or_default();
    for certificate in certificates.clone() {
        let _ = store.add(certificate);
    }
    if let Ok(key) = PrivateKeyDer::from_pem_slice(bytes) {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let _ = builder
            .map(|builder| builder.with_root_certificates(store).with_client_auth_cert(certificates, key));
    }
}
