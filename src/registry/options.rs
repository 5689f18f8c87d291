//! `Options`: how images are fetched. Plain values; the caller finds the files and reads the environment.

use std::{path::PathBuf, time::Duration};

use crate::{
    aws,
    registry::{Daemons, Mirror, Spool},
};

/// How images are fetched.
#[derive(Debug, Clone)]
pub struct Options {
    /// Docker's `config.json`; `None` means that there are no stored credentials.
    pub docker_config: Option<PathBuf>,
    /// Registries that are asked over plain HTTP: `host:port`, or `host` for every port.
    pub insecure_registries: Vec<String>,
    /// Registries that are asked over TLS even though they are on this machine. Without this list and without
    /// `ca_files`, loopback hosts (`127.0.0.0/8`, `::1`, `localhost`) are asked over plain HTTP, as Docker does.
    pub tls_registries: Vec<String>,
    /// Registries that are asked instead of others.
    pub mirrors: Vec<Mirror>,
    /// PEM files of certificate authorities, trusted besides those of the system.
    pub ca_files: Vec<PathBuf>,
    /// AWS settings for the login to private ECR registries.
    pub aws: aws::Settings,
    /// How often and how fast failed requests are repeated.
    pub retry: Retry,
    /// Total time for one opened source, retries and downloads included.
    pub deadline: Duration,
    /// Longest time to wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence within an answer.
    pub read_timeout: Duration,
    /// How requests introduce themselves.
    pub user_agent: &'static str,
    /// Where the Docker and Podman daemons are.
    pub daemons: Daemons,
    /// Where streams and compressed archives wait while they are read, and how large they may be.
    pub spool: Spool,
}

/// How often and how fast failed requests are repeated.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Wait before the second attempt; doubles each time, half of it at random.
    pub initial_backoff: Duration,
    /// Longest wait of our own accord; a server's `Retry-After` may ask for more, up to the deadline.
    pub max_backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, initial_backoff: Duration::from_millis(400), max_backoff: Duration::from_secs(30) }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            docker_config: None,
            insecure_registries: Vec::new(),
            tls_registries: Vec::new(),
            mirrors: Vec::new(),
            ca_files: Vec::new(),
            aws: aws::Settings::default(),
            retry: Retry::default(),
            deadline: Duration::from_secs(15 * 60),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            user_agent: concat!("plimsoll/", env!("CARGO_PKG_VERSION")),
            daemons: Daemons::default(),
            spool: Spool::default(),
        }
    }
}

impl Options {
    /// Whether `host` (with optional port) is asked over plain HTTP.
    #[must_use]
    pub fn plain_http(&self, host: &str) -> bool {
        let listed =
            |list: &[String]| list.iter().any(|entry| entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(host_name(host)));
        if listed(&self.insecure_registries) {
            return true;
        }
        is_loopback(host) && self.ca_files.is_empty() && !listed(&self.tls_registries)
    }
}

/// Whether `host` (with optional port) is this machine.
#[must_use]
pub(super) fn is_loopback(host: &str) -> bool {
    let name = host_name(host).trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host without its port; keeps the brackets of an IPv6 address.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_and_listed_hosts() {
        let plain = |change: fn(&mut Options), host: &str| {
            let mut options = Options::default();
            change(&mut options);
            options.plain_http(host)
        };
        for host in ["127.0.0.1:5000", "127.8.9.10", "localhost", "localhost:5000", "[::1]:5000"] {
            assert!(plain(|_| {}, host), "{host}");
            assert!(!plain(|o| o.ca_files.push("ca.pem".into()), host), "{host} with a CA file");
            assert!(
                !plain(
                    |o| o.tls_registries.extend([
                        "localhost".to_owned(),
                        "127.0.0.1".to_owned(),
                        "127.8.9.10".to_owned(),
                        "[::1]:5000".to_owned()
                    ]),
                    host
                ),
                "{host} listed for TLS"
            );
        }
        for host in ["docker.io", "128.0.0.1", "localhost.example.com", "r.example:5000"] {
            assert!(!plain(|_| {}, host), "{host}");
        }
        assert!(plain(|o| o.insecure_registries.push("r.example:5000".to_owned()), "r.example:5000"));
        assert!(!plain(|o| o.insecure_registries.push("r.example:5000".to_owned()), "r.example:5001"));
        assert!(plain(|o| o.insecure_registries.push("r.example".to_owned()), "r.example:5001"));
    }
}
