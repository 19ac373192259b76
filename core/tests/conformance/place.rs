//! Where and how a case runs.

use std::env;

/// How a worker of a case works, and what happens between its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    Cached,
    Replayed,
    Restarted,
}

impl Mode {
    pub(crate) const ALL: [Mode; 3] = [Mode::Cached, Mode::Replayed, Mode::Restarted];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mode::Cached => "cached",
            Mode::Replayed => "replayed",
            Mode::Restarted => "restarted",
        }
    }

    pub(crate) const fn max_cached(self) -> usize {
        match self {
            Mode::Replayed => 0,
            Mode::Cached | Mode::Restarted => 1000,
        }
    }
}

/// What a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Memory,
    Sqlite,
    /// A real Dapr, over gRPC.
    DaprGrpc,
    /// A real Dapr: the client over HTTP, the worker over gRPC.
    DaprHttp,
}

impl Place {
    pub(crate) const ALL: [Place; 4] = [Place::Memory, Place::Sqlite, Place::DaprGrpc, Place::DaprHttp];
    /// Those that need nothing but this process.
    pub(crate) const EMBEDDED: [Place; 2] = [Place::Memory, Place::Sqlite];

    /// What `coverage.json` and the argument `--place` call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Place::Memory => "memory:",
            Place::Sqlite => "sqlite:",
            Place::DaprGrpc => "dapr_grpc",
            Place::DaprHttp => "dapr_http",
        }
    }

    /// Its column of `capabilities.json`.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Place::Memory | Place::Sqlite => "embedded",
            Place::DaprGrpc => "dapr_grpc",
            Place::DaprHttp => "dapr_http",
        }
    }

    pub(crate) const fn is_dapr(self) -> bool {
        matches!(self, Place::DaprGrpc | Place::DaprHttp)
    }
}

/// The ports of a sidecar on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Sidecar {
    grpc: u16,
    http: u16,
}

impl Sidecar {
    /// The sidecars of `EVERSTEP_DAPR_GRPC_PORTS` and `EVERSTEP_DAPR_HTTP_PORTS`, or the one that Dapr's own variables name.
    pub(crate) fn all() -> Vec<Sidecar> {
        let ports = |list: &str, single: &str| -> Vec<u16> {
            let text = env::var(list).or_else(|_| env::var(single)).unwrap_or_default();
            let port =
                |text: &str| text.trim().parse().unwrap_or_else(|_| panic!("{list}: {text:?} is no port"));
            text.split(',').filter(|text| !text.is_empty()).map(port).collect()
        };
        let grpc = ports("EVERSTEP_DAPR_GRPC_PORTS", "DAPR_GRPC_PORT");
        let http = ports("EVERSTEP_DAPR_HTTP_PORTS", "DAPR_HTTP_PORT");
        assert_eq!(grpc.len(), http.len(), "each sidecar has a port for gRPC and one for HTTP");
        grpc.into_iter().zip(http).map(|(grpc, http)| Sidecar { grpc, http }).collect()
    }

    pub(crate) fn grpc(&self) -> String {
        format!("grpc://127.0.0.1:{}", self.grpc)
    }

    pub(crate) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// The address for gRPC as a transport of its own takes it.
    pub(crate) fn http2(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }
}
