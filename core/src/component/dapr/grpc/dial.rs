//! How a sidecar's gRPC port is reached: by TCP, by TLS, by a Unix socket.

use std::io::{Error as IoError, ErrorKind as IoErrorKind};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::super::connection::{PATIENCE, tls};
use crate::error::{Error, Result};
use crate::options::RemoteOptions;

/// What a connection is to HTTP/2.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes connections to one address.
#[derive(Clone)]
pub(super) struct Dialer {
    address: Address,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

#[derive(Clone)]
enum Address {
    Host(String, u16),
    #[cfg(unix)]
    Socket(std::os::unix::net::SocketAddr),
}

impl Dialer {
    /// A dialer for `grpc://host:port`, `grpcs://host:port`, `unix:/path` or `unix-abstract:name`.
    ///
    /// # Errors
    /// `invalid_argument` for an address that cannot be called and for certificates that cannot be read,
    /// `failed_precondition` without certificate authorities.
    pub(super) fn new(endpoint: &str, options: &RemoteOptions) -> Result<Dialer> {
        if let Some(address) = socket(endpoint)? {
            return Ok(Dialer { address, tls: None });
        }
        let wrong = || Error::invalid("the endpoint has no host and port that can be called");
        let (scheme, authority) = endpoint.split_once("://").ok_or_else(wrong)?;
        let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let address = Address::Host(host.clone(), port.parse().map_err(|_| wrong())?);
        if scheme != "grpcs" {
            return Ok(Dialer { address, tls: None });
        }
        let name = ServerName::try_from(host).map_err(|error| wrong().with_source(error))?;
        let mut config = tls(options, true)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Dialer { address, tls: Some((TlsConnector::from(Arc::new(config)), name)) })
    }

    /// Whether it speaks TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// What requests name as the host.
    pub(super) fn authority(&self) -> String {
        match &self.address {
            Address::Host(host, port) if host.contains(':') => format!("[{host}]:{port}"),
            Address::Host(host, port) => format!("{host}:{port}"),
            #[cfg(unix)]
            Address::Socket(_) => "localhost".to_owned(),
        }
    }

    /// Connects.
    pub(super) async fn dial(&self) -> std::io::Result<Box<dyn Stream>> {
        let late = |_| IoError::new(IoErrorKind::TimedOut, "the connection is not made in time");
        tokio::time::timeout(PATIENCE, self.connect()).await.map_err(late)?
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let stream = match &self.address {
            Address::Host(host, port) => TcpStream::connect((host.as_str(), *port)).await?,
            #[cfg(unix)]
            Address::Socket(address) => {
                // A local socket connects at once or not at all.
                let stream = std::os::unix::net::UnixStream::connect_addr(address)?;
                stream.set_nonblocking(true)?;
                return Ok(Box::new(tokio::net::UnixStream::from_std(stream)?));
            }
        };
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), stream).await?)),
        }
    }
}

#[cfg(unix)]
fn socket(endpoint: &str) -> Result<Option<Address>> {
    use std::os::unix::net::SocketAddr;
    let found = if let Some(path) = endpoint.strip_prefix("unix:") {
        SocketAddr::from_pathname(path)
    } else if let Some(name) = endpoint.strip_prefix("unix-abstract:") {
        abstract_name(name)
    } else {
        return Ok(None);
    };
    let wrong =
        |error| Error::invalid("the endpoint names no Unix socket that can be called").with_source(error);
    found.map(|address| Some(Address::Socket(address))).map_err(wrong)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_name(name: &str) -> std::io::Result<std::os::unix::net::SocketAddr> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;
    std::os::unix::net::SocketAddr::from_abstract_name(name)
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn abstract_name(_: &str) -> std::io::Result<std::os::unix::net::SocketAddr> {
    Err(IoError::new(IoErrorKind::Unsupported, "only Linux has sockets without a path"))
}

#[cfg(not(unix))]
fn socket(endpoint: &str) -> Result<Option<Address>> {
    match endpoint.starts_with("unix") {
        true => Err(Error::invalid("this system has no Unix sockets; use grpc://host:port")),
        false => Ok(None),
    }
}
