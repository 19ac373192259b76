//! Where workflows run: the grammar of an endpoint and the order in which one is looked for.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Environment;
use super::address::{host_and_port, parse_port};
use crate::error::{Error, ErrorKind, Result};

const GRAMMAR: &str = "memory:, memory:NAME, test:, test:NAME, sqlite:PATH, http://host:port, https://host:port, grpc://host:port, grpcs://host:port, unix:PATH, dapr:";
const DIRECTORY: &str = ".everstep";
const FILE: &str = "workflows.db";

/// Where workflows run. `Display` writes it as a client takes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// An engine in this process that keeps nothing. One with a name is shared by the clients of the process.
    Memory(Option<String>),
    /// The same, for tests: while somebody waits for a workflow and nothing else can happen, its time skips to the next
    /// timer.
    Test(Option<String>),
    /// An engine in this process on a SQLite file, by its absolute path.
    Sqlite(PathBuf),
    /// Dapr's HTTP API, `http://host:port` or `https://host:port`.
    Http(String),
    /// Dapr's gRPC API, `grpc://host:port`, `grpcs://host:port`, `unix:/path` or `unix-abstract:name`.
    Grpc(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Memory(name) => write!(f, "memory:{}", name.as_deref().unwrap_or_default()),
            Endpoint::Test(name) => write!(f, "test:{}", name.as_deref().unwrap_or_default()),
            Endpoint::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Endpoint::Http(url) | Endpoint::Grpc(url) => f.write_str(url),
        }
    }
}

impl Endpoint {
    /// Reads an endpoint. `dapr:` and relative paths are resolved in `environment`.
    ///
    /// # Errors
    /// `invalid_argument` with the known schemes.
    pub fn parse(text: &str, environment: &Environment) -> Result<Endpoint> {
        parse("endpoint", text, environment)
    }
}

/// An endpoint, what named it, and whether it is the embedded default, whose directory is made on demand.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) endpoint: Endpoint,
    /// The environment variable that names it; absent for an argument and for the default.
    pub(crate) variable: Option<&'static str>,
    default_directory: Option<PathBuf>,
}

/// Finds the endpoint: argument, `EVERSTEP_ENDPOINT`, Dapr's variables, embedded default.
///
/// # Errors
/// `invalid_argument`, naming where the bad text stood; `failed_precondition` for the default inside a Kubernetes pod.
pub(crate) fn resolve(argument: Option<&str>, environment: &Environment) -> Result<Resolved> {
    const OWN: &str = "EVERSTEP_ENDPOINT";
    if let Some(text) = argument {
        let endpoint = parse("endpoint", text, environment)?;
        return Ok(Resolved { endpoint, variable: None, default_directory: None });
    }
    let found = match environment.variable(OWN) {
        Some(text) => Some((OWN, parse(OWN, &text, environment)?)),
        None => from_dapr(environment)?,
    };
    match found {
        Some((variable, endpoint)) => {
            Ok(Resolved { endpoint, variable: Some(variable), default_directory: None })
        }
        None => embedded_default(environment),
    }
}

fn parse(what: &str, text: &str, environment: &Environment) -> Result<Endpoint> {
    let unknown = || Error::invalid(format!("{what} has no known scheme; known are {GRAMMAR}"));
    let (scheme, rest) = text.split_once(':').ok_or_else(unknown)?;
    let url = |default_port| {
        let authority = rest.strip_prefix("//").ok_or_else(|| {
            Error::invalid(format!("{what} misses the slashes: write {scheme}://host:port"))
        })?;
        Ok(format!("{scheme}://{}", host_and_port(what, authority, default_port)?))
    };
    match scheme {
        "memory" => name(what, scheme, rest).map(Endpoint::Memory),
        "test" => name(what, scheme, rest).map(Endpoint::Test),
        "sqlite" => sqlite(what, rest, &environment.directory),
        "http" => url(Some(80)).map(Endpoint::Http),
        "https" => url(Some(443)).map(Endpoint::Http),
        "grpc" | "grpcs" => url(None).map(Endpoint::Grpc),
        "unix" => socket(what, rest, environment).map(Endpoint::Grpc),
        "unix-abstract" => abstract_socket(what, rest).map(Endpoint::Grpc),
        "dapr" if rest.is_empty() => sidecar(environment),
        "dapr" => Err(Error::invalid(format!(
            "{what} says more than dapr:; its address comes from Dapr's variables"
        ))),
        _ => Err(unknown()),
    }
}

fn name(what: &str, scheme: &str, name: &str) -> Result<Option<String>> {
    if name.is_empty() {
        return Ok(None);
    }
    if name.len() > 64 || !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
        return Err(Error::invalid(format!(
            "{what} has a bad name after {scheme}:; it takes 1 to 64 bytes of letters, digits, '_', '-' and '.'"
        )));
    }
    Ok(Some(name.to_owned()))
}

fn sqlite(what: &str, path: &str, directory: &Path) -> Result<Endpoint> {
    let bad = |rule: &str| Err(Error::invalid(format!("{what}: {rule}")));
    if path.is_empty() || path.ends_with('/') {
        return bad("sqlite: takes the path of a file, for example sqlite:workflows.db");
    }
    // In other libraries' URLs two slashes mean a host and three a relative path: nobody can tell what was meant.
    if path.starts_with("//") {
        return bad("write sqlite:PATH without the two slashes");
    }
    if path == ":memory:" {
        return bad("write memory: for an engine that keeps nothing");
    }
    if path.chars().any(char::is_control) {
        return bad("the path after sqlite: has a control character");
    }
    Ok(Endpoint::Sqlite(directory.join(path)))
}

// As gRPC names them: `unix:relative`, `unix:/absolute`, `unix:///absolute`.
fn socket(what: &str, text: &str, environment: &Environment) -> Result<String> {
    let path = match text.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => return Err(Error::invalid(format!("{what} takes unix:PATH or unix:///PATH"))),
        None => text,
    };
    if path.is_empty()
        || path.ends_with('/')
        || path.contains(['?', '#'])
        || path.chars().any(char::is_control)
    {
        return Err(Error::invalid(format!("{what} has no path of a socket after unix:")));
    }
    Ok(format!("unix:{}", environment.directory.join(path).display()))
}

fn abstract_socket(what: &str, name: &str) -> Result<String> {
    if name.is_empty() || name.contains(['?', '#']) || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} has no name of a socket after unix-abstract:")));
    }
    Ok(format!("unix-abstract:{name}"))
}

// `dapr:` asks for a sidecar, so it falls back to Dapr's own default address instead of the embedded engine.
fn sidecar(environment: &Environment) -> Result<Endpoint> {
    match grpc_from_dapr(environment)? {
        Some((_, endpoint)) => Ok(endpoint),
        None => Ok(Endpoint::Grpc(format!("grpc://{}:50001", runtime_host(environment)))),
    }
}

type Found = Option<(&'static str, Endpoint)>;

fn from_dapr(environment: &Environment) -> Result<Found> {
    const URL: &str = "DAPR_HTTP_ENDPOINT";
    const PORT: &str = "DAPR_HTTP_PORT";
    if let Some(found) = grpc_from_dapr(environment)? {
        return Ok(Some(found));
    }
    if let Some(text) = environment.variable(URL) {
        let endpoint = parse(URL, &text, environment)?;
        return match endpoint {
            Endpoint::Http(_) => Ok(Some((URL, endpoint))),
            _ => Err(Error::invalid("DAPR_HTTP_ENDPOINT takes http://host:port or https://host:port")),
        };
    }
    let url = port_from_dapr(PORT, "http", environment)?;
    Ok(url.map(|url| (PORT, Endpoint::Http(url))))
}

fn grpc_from_dapr(environment: &Environment) -> Result<Found> {
    const URL: &str = "DAPR_GRPC_ENDPOINT";
    const PORT: &str = "DAPR_GRPC_PORT";
    if let Some(text) = environment.variable(URL) {
        return dapr_grpc_endpoint(&text, environment).map(|endpoint| Some((URL, endpoint)));
    }
    let url = port_from_dapr(PORT, "grpc", environment)?;
    Ok(url.map(|url| (PORT, Endpoint::Grpc(url))))
}

fn port_from_dapr(name: &str, scheme: &str, environment: &Environment) -> Result<Option<String>> {
    let Some(text) = environment.variable(name) else { return Ok(None) };
    Ok(Some(format!("{scheme}://{}:{}", runtime_host(environment), parse_port(name, &text)?)))
}

fn runtime_host(environment: &Environment) -> String {
    environment.variable("DAPR_RUNTIME_HOST").unwrap_or_else(|| "127.0.0.1".to_owned())
}

// Dapr's SDKs take gRPC's names there: `[dns:]host[:port]`, `dns:///host[:port]`, `unix:PATH`, `unix-abstract:NAME`; and
// `http://` or `https://host[:port]`. The port is 443 unless it is given, and `?tls=true` asks for TLS.
fn dapr_grpc_endpoint(text: &str, environment: &Environment) -> Result<Endpoint> {
    const WHAT: &str = "DAPR_GRPC_ENDPOINT";
    let (text, tls) = match text.split_once('?') {
        None => (text, None),
        Some((text, "tls=true")) => (text, Some(true)),
        Some((text, "tls=false")) => (text, Some(false)),
        Some(_) => return Err(Error::invalid(format!("{WHAT} takes no query but tls=true or tls=false"))),
    };
    if let Some((scheme @ ("unix" | "unix-abstract"), rest)) = text.split_once(':') {
        if tls == Some(true) {
            return Err(Error::invalid(format!(
                "{WHAT} names a Unix socket, and those are used without TLS"
            )));
        }
        let found =
            if scheme == "unix" { socket(WHAT, rest, environment) } else { abstract_socket(WHAT, rest) };
        return found.map(Endpoint::Grpc);
    }
    let (scheme, rest) = scheme_of(text);
    let secure = match scheme {
        "https" | "grpcs" if tls == Some(false) => {
            return Err(Error::invalid(format!("{WHAT} says both {scheme}:// and tls=false")));
        }
        "https" | "grpcs" => true,
        "http" | "grpc" | "dns" => tls.unwrap_or(false),
        _ => {
            return Err(Error::invalid(format!(
                "{WHAT} takes host:port, dns:host:port, https://host:port, unix:PATH or unix-abstract:NAME"
            )));
        }
    };
    let address = host_and_port(WHAT, rest, Some(443))?;
    Ok(Endpoint::Grpc(format!("{}://{address}", if secure { "grpcs" } else { "grpc" })))
}

/// The scheme and what follows it; `dns` where there is none, as gRPC has it.
fn scheme_of(text: &str) -> (&str, &str) {
    match (text.split_once("://"), text.strip_prefix("dns:")) {
        // Between the slashes stands a name server to ask; with one, this is refused for its path.
        (Some(("dns", rest)), _) => ("dns", rest.strip_prefix('/').unwrap_or("/")),
        (Some(found), _) => found,
        (None, rest) => ("dns", rest.unwrap_or(text)),
    }
}

fn embedded_default(environment: &Environment) -> Result<Resolved> {
    if environment.variable("KUBERNETES_SERVICE_HOST").is_some() {
        return Err(Error::new(
            ErrorKind::FailedPrecondition,
            "no endpoint is given, and in a Kubernetes pod the embedded default would be lost with the pod: add Dapr's \
             sidecar to the pod, or name a file on a volume, for example EVERSTEP_ENDPOINT=sqlite:/data/workflows.db",
        ));
    }
    let nearest =
        environment.directory.ancestors().map(|place| place.join(DIRECTORY)).find(|place| place.is_dir());
    let directory = nearest.unwrap_or_else(|| environment.directory.join(DIRECTORY));
    let endpoint = Endpoint::Sqlite(directory.join(FILE));
    Ok(Resolved { endpoint, variable: None, default_directory: Some(directory) })
}

impl Resolved {
    /// Whether nothing named it.
    pub(crate) fn is_default(&self) -> bool {
        self.default_directory.is_some()
    }

    /// Makes the directory of the embedded default with a `.gitignore` inside. Answers what the user should be told
    /// when the file is new.
    ///
    /// # Errors
    /// `failed_precondition` when the directory cannot be written.
    pub(crate) fn prepare(&self) -> Result<Option<String>> {
        let Some(directory) = &self.default_directory else { return Ok(None) };
        if directory.join(FILE).exists() {
            return Ok(None);
        }
        make_private(directory).and_then(|()| ignore_in_git(directory)).map_err(|error| {
            Error::new(
                ErrorKind::FailedPrecondition,
                format!(
                    "the embedded default cannot be made in {}; name another place, for example \
                     EVERSTEP_ENDPOINT=sqlite:/data/workflows.db",
                    directory.display()
                ),
            )
            .with_source(error)
        })?;
        Ok(Some(format!(
            "no endpoint is given, so workflows are kept in {}; set EVERSTEP_ENDPOINT or pass an endpoint to choose",
            directory.join(FILE).display()
        )))
    }
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn ignore_in_git(directory: &Path) -> std::io::Result<()> {
    let file = directory.join(".gitignore");
    if file.exists() { Ok(()) } else { std::fs::write(file, "*\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)], directory: &Path) -> Environment {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment::new(
            move |name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
            directory,
        )
    }

    fn found(argument: Option<&str>, variables: &[(&str, &str)]) -> Result<String> {
        resolve(argument, &environment(variables, Path::new("/nowhere/at/all")))
            .map(|found| found.endpoint.to_string())
    }

    struct Place(PathBuf);

    impl Place {
        fn new() -> Place {
            let place = std::env::temp_dir().join(format!("everstep-{}", uuid::Uuid::new_v4()));
            std::fs::create_dir_all(place.join("a/b")).unwrap();
            Place(place)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_grammar_is_read() {
        let good = [
            ("memory:", "memory:"),
            ("memory:tests-1", "memory:tests-1"),
            ("test:", "test:"),
            ("test:a", "test:a"),
            ("sqlite:a.db", "sqlite:/nowhere/at/all/a.db"),
            ("sqlite:/data/a b.db", "sqlite:/data/a b.db"),
            ("http://localhost:3500", "http://localhost:3500"),
            ("https://dapr.example/", "https://dapr.example:443"),
            ("grpc://[::1]:50001", "grpc://[::1]:50001"),
            ("grpcs://dapr.example:443", "grpcs://dapr.example:443"),
            ("unix:/run/dapr.sock", "unix:/run/dapr.sock"),
            ("unix:dapr.sock", "unix:/nowhere/at/all/dapr.sock"),
            ("unix-abstract:dapr", "unix-abstract:dapr"),
            ("dapr:", "grpc://127.0.0.1:50001"),
        ];
        for (text, expected) in good {
            assert_eq!(found(Some(text), &[]).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        let bad = [
            "",
            "workflows.db",
            "ftp://h:1",
            "Memory:",
            "memory:a/b",
            "test:a/b",
            "sqlite:",
            "sqlite:dir/",
            "sqlite:///a.db",
            "sqlite::memory:",
            "sqlite:a\0b",
            "http:localhost",
            "http://",
            "grpc://host",
            "grpc://host:0",
            "http://h:1/path",
            "dapr:x",
        ];
        for text in bad {
            assert_eq!(found(Some(text), &[]).unwrap_err().kind(), ErrorKind::InvalidArgument, "{text:?}");
        }
        let unknown = found(Some("ftp://h:1"), &[]).unwrap_err();
        assert!(
            ["memory:", "sqlite:PATH", "grpcs://", "dapr:"].iter().all(|s| unknown.message().contains(s))
        );
    }

    #[test]
    fn the_first_source_that_says_something_wins() {
        let sources = [
            ("EVERSTEP_ENDPOINT", "memory:env", "memory:env"),
            ("DAPR_GRPC_ENDPOINT", "https://dapr.example", "grpcs://dapr.example:443"),
            ("DAPR_GRPC_PORT", "50002", "grpc://127.0.0.1:50002"),
            ("DAPR_HTTP_ENDPOINT", "http://dapr.example:8080", "http://dapr.example:8080"),
            ("DAPR_HTTP_PORT", "3501", "http://127.0.0.1:3501"),
        ];
        for first in 0..sources.len() {
            let variables: Vec<_> = sources[first..].iter().map(|(name, value, _)| (*name, *value)).collect();
            assert_eq!(found(None, &variables).unwrap(), sources[first].2);
            assert_eq!(found(Some("memory:argument"), &variables).unwrap(), "memory:argument");
        }
        assert_eq!(
            found(None, &[("EVERSTEP_ENDPOINT", ""), sources_pair(sources[2])]).unwrap(),
            sources[2].2
        );
    }

    fn sources_pair<'a>((name, value, _): (&'a str, &'a str, &str)) -> (&'a str, &'a str) {
        (name, value)
    }

    #[test]
    fn daprs_variables_are_read_as_its_sdks_do() {
        let grpc = |value| found(Some("dapr:"), &[("DAPR_GRPC_ENDPOINT", value)]);
        assert_eq!(grpc("localhost:50005").unwrap(), "grpc://localhost:50005");
        assert_eq!(grpc("localhost:50005?tls=true").unwrap(), "grpcs://localhost:50005");
        assert_eq!(grpc("http://h:1").unwrap(), "grpc://h:1");
        assert_eq!(grpc("dapr.example").unwrap(), "grpc://dapr.example:443");
        assert_eq!(grpc("https://dapr.example").unwrap(), "grpcs://dapr.example:443");
        assert_eq!(grpc("dns:h:1?tls=true").unwrap(), "grpcs://h:1");
        assert_eq!(grpc("dns:///h:1").unwrap(), "grpc://h:1");
        assert_eq!(grpc("[::1]:1").unwrap(), "grpc://[::1]:1");
        assert_eq!(grpc("unix:/run/dapr.sock").unwrap(), "unix:/run/dapr.sock");
        assert_eq!(grpc("unix:///run/dapr.sock").unwrap(), "unix:/run/dapr.sock");
        assert_eq!(grpc("unix:dapr.sock").unwrap(), "unix:/nowhere/at/all/dapr.sock");
        assert_eq!(grpc("unix-abstract:dapr").unwrap(), "unix-abstract:dapr");
        for bad in [
            "dns://8.8.8.8/h:1",
            "dns://h:1",
            "vsock:1:2",
            "https://h:1?tls=false",
            "unix:/run/dapr.sock?tls=true",
            "unix://run/dapr.sock",
            "unix:",
            "unix-abstract:",
            "h:1?other=1",
            "h:1/p",
        ] {
            assert_eq!(grpc(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
        }
        let host = [("DAPR_RUNTIME_HOST", "10.0.0.7"), ("DAPR_GRPC_PORT", "1")];
        assert_eq!(found(Some("dapr:"), &host).unwrap(), "grpc://10.0.0.7:1");
        assert!(found(None, &[("DAPR_GRPC_PORT", "many")]).unwrap_err().message().contains("DAPR_GRPC_PORT"));
        assert!(found(None, &[("DAPR_HTTP_ENDPOINT", "memory:")]).is_err());
    }

    #[test]
    fn the_default_is_the_nearest_directory_upwards() {
        let place = Place::new();
        let here = environment(&[], &place.0.join("a/b"));
        let made = resolve(None, &here).unwrap();
        assert_eq!(made.endpoint, Endpoint::Sqlite(place.0.join("a/b/.everstep/workflows.db")));
        std::fs::create_dir(place.0.join(".everstep")).unwrap();
        let nearest = resolve(None, &here).unwrap();
        assert_eq!(nearest.endpoint, Endpoint::Sqlite(place.0.join(".everstep/workflows.db")));
    }

    #[test]
    fn the_default_is_made_once_and_kept_out_of_git() {
        let place = Place::new();
        let resolved = resolve(None, &environment(&[], &place.0)).unwrap();
        let directory = place.0.join(".everstep");
        assert!(resolved.prepare().unwrap().unwrap().contains(directory.to_str().unwrap()));
        assert_eq!(std::fs::read_to_string(directory.join(".gitignore")).unwrap(), "*\n");
        std::fs::write(directory.join("workflows.db"), "").unwrap();
        assert!(resolved.prepare().unwrap().is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_default_that_cannot_be_made_says_so() {
        let place = Place::new();
        std::fs::write(place.0.join("file"), "").unwrap();
        let resolved = resolve(None, &environment(&[], &place.0.join("file"))).unwrap();
        assert_eq!(resolved.prepare().unwrap_err().kind(), ErrorKind::FailedPrecondition);
    }

    #[test]
    fn a_pod_has_no_embedded_default() {
        let pod = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        let error = found(None, &[pod]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FailedPrecondition);
        assert!(error.message().contains("sidecar") && error.message().contains("EVERSTEP_ENDPOINT=sqlite:"));
        assert_eq!(found(None, &[pod, ("DAPR_GRPC_PORT", "50001")]).unwrap(), "grpc://127.0.0.1:50001");
        assert_eq!(found(Some("sqlite:/data/a.db"), &[pod]).unwrap(), "sqlite:/data/a.db");
    }
}
