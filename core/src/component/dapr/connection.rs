//! TLS and retry rules that the HTTP and the gRPC component share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::error::{Error, ErrorKind, Result};
use crate::options::RemoteOptions;

/// How long a connection that is refused is tried again. A sidecar often starts together with its application.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What a component takes of the time that a call has: a little less, so that the error of a call that is late is the
/// component's, which knows more of it than the caller's clock.
pub(super) fn budget(timeout: Duration) -> Duration {
    timeout.saturating_sub((timeout / 10).min(Duration::from_millis(500)))
}

/// The TLS settings of a client: rustls with ring, the system's authorities unless others are named. Not `used`, they trust
/// nobody and read no file.
///
/// # Errors
/// `invalid_argument` for files that cannot be read or hold something else, `failed_precondition` when the system has no
/// authorities.
pub(super) fn tls(options: &RemoteOptions, used: bool) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("TLS cannot be set up").with_source(error))?
        .with_root_certificates(if used {
            roots(options.tls_roots.as_deref())?
        } else {
            RootCertStore::empty()
        });
    match (&options.tls_certificate, &options.tls_key) {
        (Some(chain), Some(key)) if used => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("tls_key", key, error))?;
            builder.with_client_auth_cert(certificates("tls_certificate", chain)?, key).map_err(|error| {
                Error::invalid("tls_certificate and tls_key do not fit together").with_source(error)
            })
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in certificates("tls_roots", file)? {
                store.add(certificate).map_err(|error| unreadable("tls_roots", file, error))?;
            }
        }
        None => {
            // Some that a system has are of kinds that rustls does not take.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(Error::new(
                    ErrorKind::FailedPrecondition,
                    "this system has no certificate authorities; name a PEM file of them with EVERSTEP_TLS_ROOTS",
                ));
            }
        }
    }
    Ok(store)
}

fn certificates(what: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::invalid(format!("{what}: {} holds no certificate", file.display()))),
        Err(error) => Err(unreadable(what, file, error)),
    }
}

fn unreadable(what: &str, file: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::invalid(format!("{what}: {} is no PEM file that can be read", file.display())).with_source(error)
}

/// How long a state is given to be written wholly; once more with each attempt.
pub(super) const MOMENT: Duration = Duration::from_millis(5);

/// The pause before attempt `attempt` (from 1) of a connection: 50 ms, doubled up to 1 s, each time with up to half of it
/// taken off by chance, so that programs that lost the same sidecar do not come back at the same moment.
pub(crate) fn pause(attempt: u32) -> Duration {
    let longest = Duration::from_millis(50).saturating_mul(1 << attempt.min(5)).min(Duration::from_secs(1));
    let chance = uuid::Uuid::new_v4().as_u128() % 1000;
    longest.mul_f64(1.0 - f64::from(u16::try_from(chance).unwrap_or(0)) / 2000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_files_are_named() {
        for (roots, certificate) in
            [(Some("/nowhere.pem"), None), (Some("/dev/null"), None), (None, Some("/nowhere.pem"))]
        {
            let options = RemoteOptions {
                tls_roots: roots.map(Into::into),
                tls_certificate: certificate.map(Into::into),
                tls_key: certificate.map(Into::into),
                ..RemoteOptions::default()
            };
            let error = tls(&options, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        }
    }

    #[test]
    fn pauses_grow_and_differ() {
        for attempt in 1..40 {
            let pause = pause(attempt);
            assert!(pause >= Duration::from_millis(25) && pause <= Duration::from_secs(1));
        }
        assert!((0..20).map(|_| pause(3)).collect::<std::collections::HashSet<_>>().len() > 1);
    }
}
