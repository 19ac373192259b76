//! How a remote endpoint is reached: credentials and certificates.

use std::fmt;
use std::path::PathBuf;

use super::Environment;
use crate::error::{Error, Result};

/// Options of connections to Dapr. What is absent comes from the environment.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteOptions {
    /// The sidecar's API token, sent as `dapr-api-token`. Absent: `DAPR_API_TOKEN`.
    pub api_token: Option<String>,
    /// A PEM file of the certificate authorities to trust instead of the system's. Absent: `EVERSTEP_TLS_ROOTS`.
    pub tls_roots: Option<PathBuf>,
    /// A PEM file with the certificate chain that proves this client. Absent: `EVERSTEP_TLS_CERTIFICATE`.
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with the key of `tls_certificate`. Absent: `EVERSTEP_TLS_KEY`.
    pub tls_key: Option<PathBuf>,
}

// The token must not reach a log.
impl fmt::Debug for RemoteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteOptions")
            .field("api_token", &self.api_token.as_ref().map(|_| "…"))
            .field("tls_roots", &self.tls_roots)
            .field("tls_certificate", &self.tls_certificate)
            .field("tls_key", &self.tls_key)
            .finish()
    }
}

impl RemoteOptions {
    /// These options with what they leave open filled in.
    ///
    /// # Errors
    /// `invalid_argument` for a token that no header can carry, and for a certificate without its key or a key alone.
    pub(crate) fn complete(&self, environment: &Environment) -> Result<RemoteOptions> {
        let path = |given: &Option<PathBuf>, name| {
            given.clone().or_else(|| environment.variable(name).map(PathBuf::from))
        };
        let complete = RemoteOptions {
            api_token: self.api_token.clone().or_else(|| environment.variable("DAPR_API_TOKEN")),
            tls_roots: path(&self.tls_roots, "EVERSTEP_TLS_ROOTS"),
            tls_certificate: path(&self.tls_certificate, "EVERSTEP_TLS_CERTIFICATE"),
            tls_key: path(&self.tls_key, "EVERSTEP_TLS_KEY"),
        };
        if let Some(token) = &complete.api_token
            && !token.bytes().all(|byte| (0x21..0x7f).contains(&byte))
        {
            return Err(Error::invalid("the API token has a character that no header can carry"));
        }
        if complete.tls_certificate.is_some() != complete.tls_key.is_some() {
            return Err(Error::invalid(
                "tls_certificate and tls_key go together; one of them is missing (EVERSTEP_TLS_CERTIFICATE, EVERSTEP_TLS_KEY)",
            ));
        }
        Ok(complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn environment(name: &'static str, value: &'static str) -> Environment {
        Environment::new(move |asked| (asked == name).then(|| value.to_owned()), "/")
    }

    #[test]
    fn what_is_given_wins_over_the_environment() {
        let environment = environment("DAPR_API_TOKEN", "theirs");
        let found = RemoteOptions::default().complete(&environment).unwrap();
        assert_eq!(found.api_token.as_deref(), Some("theirs"));
        let given = RemoteOptions { api_token: Some("mine".into()), ..RemoteOptions::default() };
        assert_eq!(given.complete(&environment).unwrap().api_token.as_deref(), Some("mine"));
    }

    #[test]
    fn a_token_is_checked_and_never_shown() {
        let options = RemoteOptions { api_token: Some("a\nb".into()), ..RemoteOptions::default() };
        let error = options.complete(&Environment::new(|_| None, "/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let secret = RemoteOptions { api_token: Some("secret".into()), ..RemoteOptions::default() };
        assert!(!format!("{secret:?}").contains("secret"));
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let environment = environment("EVERSTEP_TLS_CERTIFICATE", "/c.pem");
        let error = RemoteOptions::default().complete(&environment).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
