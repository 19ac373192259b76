//! Why a connection failed, where its errors tell: certificates, and ports that speak something else.

use std::error::Error as StdError;

use rustls::{AlertDescription as Alert, CertificateError, Error as Tls};

use crate::error::{Error, ErrorKind};

/// The error that says what to do, if something in the chain of causes shows it.
pub(super) fn of_chain(error: &(dyn StdError + 'static), endpoint: &str) -> Option<Error> {
    let (kind, message) = match find_tls(error) {
        Some(tls) => of_tls(tls, endpoint),
        // HTTP/2 keeps of an alert that comes after the handshake nothing but its text.
        None => of_alert(text_of(error).split_once("received fatal alert: ")?.1, endpoint),
    };
    Some(Error::new(kind, message))
}

fn find_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Tls> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        // An I/O error does not count what it holds among its causes.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(tls) = held.and_then(|held| find_tls(held)) {
            return Some(tls);
        }
        next = error.source();
    }
    None
}

/// The messages of an error and its causes.
pub(super) fn text_of(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// The error of an endpoint to which there is no connection.
pub(super) fn unreachable(error: &(dyn StdError + 'static), endpoint: &str) -> Error {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    let message = format!("nothing answers at {endpoint} ({deepest}); is the sidecar running?");
    Error::new(ErrorKind::Unavailable, message)
}

fn of_tls(error: &Tls, endpoint: &str) -> (ErrorKind, String) {
    let untrusted = |what: String| (ErrorKind::Unauthenticated, what);
    match error {
        Tls::InvalidCertificate(fault) => untrusted(match fault {
            CertificateError::UnknownIssuer => format!(
                "the certificate of {endpoint} is of no authority that is trusted here; name a PEM file with its authority \
                 by tls_roots or EVERSTEP_TLS_ROOTS"
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the certificate of {endpoint} is for another host; use a host that it names")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the certificate of {endpoint} has expired; renew it there")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("the certificate of {endpoint} is not valid yet; are both clocks right?")
            }
            other => format!("the certificate of {endpoint} cannot be trusted ({other:?})"),
        }),
        Tls::AlertReceived(alert) => of_alert(&format!("{alert:?}"), endpoint),
        Tls::InvalidMessage(_) => (
            ErrorKind::FailedPrecondition,
            format!("what answers at {endpoint} speaks no TLS; write {} instead", without_tls(endpoint)),
        ),
        other => untrusted(format!("TLS with {endpoint} fails: {other}")),
    }
}

fn of_alert(alert: &str, endpoint: &str) -> (ErrorKind, String) {
    let is = |one: Alert| alert.starts_with(&format!("{one:?}"));
    if is(Alert::CertificateRequired) || is(Alert::NoCertificate) {
        let message = format!(
            "{endpoint} asks for a certificate of this client; name it by tls_certificate and tls_key, or \
             EVERSTEP_TLS_CERTIFICATE and EVERSTEP_TLS_KEY"
        );
        return (ErrorKind::Unauthenticated, message);
    }
    if is(Alert::NoApplicationProtocol) {
        let message = format!("what answers at {endpoint} does not speak HTTP/2; is it a gRPC port?");
        return (ErrorKind::FailedPrecondition, message);
    }
    let alert: String = alert.chars().take_while(char::is_ascii_alphanumeric).collect();
    let message = format!(
        "{endpoint} refuses the TLS connection ({alert}); is the certificate of tls_certificate one that it trusts?"
    );
    (ErrorKind::Unauthenticated, message)
}

fn without_tls(endpoint: &str) -> String {
    endpoint.replacen("grpcs:", "grpc:", 1).replacen("https:", "http:", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(tls: Tls) -> Error {
        let io = std::io::Error::new(std::io::ErrorKind::InvalidData, tls);
        let outer = std::io::Error::other(std::io::Error::other(io));
        of_chain(&outer, "grpcs://h:1").unwrap()
    }

    #[test]
    fn each_fault_names_its_cure() {
        let table = [
            (
                Tls::InvalidCertificate(CertificateError::UnknownIssuer),
                ErrorKind::Unauthenticated,
                "tls_roots",
            ),
            (
                Tls::InvalidCertificate(CertificateError::NotValidForName),
                ErrorKind::Unauthenticated,
                "another host",
            ),
            (Tls::InvalidCertificate(CertificateError::Expired), ErrorKind::Unauthenticated, "expired"),
            (
                Tls::InvalidCertificate(CertificateError::BadSignature),
                ErrorKind::Unauthenticated,
                "BadSignature",
            ),
            (Tls::AlertReceived(Alert::CertificateRequired), ErrorKind::Unauthenticated, "tls_certificate"),
            (Tls::AlertReceived(Alert::UnknownCA), ErrorKind::Unauthenticated, "UnknownCA"),
            (Tls::AlertReceived(Alert::NoApplicationProtocol), ErrorKind::FailedPrecondition, "HTTP/2"),
            (
                Tls::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                ErrorKind::FailedPrecondition,
                "grpc://h:1",
            ),
        ];
        for (tls, kind, part) in table {
            let error = fault(tls);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn an_alert_is_known_by_its_text_too() {
        let error = std::io::Error::other("connection error: received fatal alert: CertificateRequired");
        assert!(of_chain(&error, "grpcs://h:1").unwrap().message().contains("tls_key"));
        assert!(of_chain(&std::io::Error::other("broken pipe"), "grpcs://h:1").is_none());
    }
}
