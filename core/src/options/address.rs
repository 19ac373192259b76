//! Network addresses as people and Dapr's variables write them.

use crate::error::{Error, Result};

/// Host and port of a URL without its scheme, with the port filled in from `default_port`.
pub(super) fn host_and_port(what: &str, authority: &str, default_port: Option<u16>) -> Result<String> {
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    if authority.contains(['/', '?', '#', '@'])
        || authority.contains(|c: char| c.is_control() || c.is_whitespace())
    {
        return Err(Error::invalid(format!(
            "{what} takes a host and a port only: no path, query, user or space"
        )));
    }
    let (host, port) = split(authority);
    if host.is_empty() || host == "[]" {
        return Err(Error::invalid(format!("{what} has no host; write host:port")));
    }
    let port = match port {
        Some(port) => Some(parse_port(what, port)?),
        None => default_port,
    };
    match port {
        Some(port) => Ok(format!("{host}:{port}")),
        None => Err(Error::invalid(format!("{what} has no port; write host:port"))),
    }
}

/// A port number from text.
pub(super) fn parse_port(what: &str, text: &str) -> Result<u16> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Error::invalid(format!("{what} has no valid port; a port is a number from 1 to 65535"))),
    }
}

// An IPv6 address stands in brackets, so its colons do not begin a port.
fn split(authority: &str) -> (&str, Option<&str>) {
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[after_host..].find(':') {
        Some(colon) => (&authority[..after_host + colon], Some(&authority[after_host + colon + 1..])),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn hosts_and_ports_are_taken_apart() {
        let good = [
            ("localhost:3500", Some("localhost:3500")),
            ("localhost:3500/", Some("localhost:3500")),
            ("dapr.example", Some("dapr.example:443")),
            ("[::1]:50001", Some("[::1]:50001")),
            ("[::1]", Some("[::1]:443")),
            ("", None),
            (":80", None),
            ("h:0", None),
            ("h:65536", None),
            ("h:x", None),
            ("h:1/path", None),
            ("user@h:1", None),
            ("h h:1", None),
            ("[]:1", None),
        ];
        for (text, expected) in good {
            match (host_and_port("endpoint", text, Some(443)), expected) {
                (Ok(found), Some(expected)) => assert_eq!(found, expected),
                (Err(error), None) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert!(host_and_port("endpoint", "h", None).is_err());
    }
}
