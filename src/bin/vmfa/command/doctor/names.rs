//! Names of hosts where the C library is linked statically: such a program can't load the system's lookup modules (a name
//! service such as systemd-resolved's would crash it). So the system's own program is asked, which can.

#![cfg_attr(
    not(all(target_env = "gnu", target_feature = "crt-static")),
    allow(dead_code, reason = "only the tests use it there")
)]

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Asks `getent`, which is part of the C library.
#[derive(Debug)]
pub(super) struct Getent;

impl Resolver for Getent {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host_and_port = uri
            .scheme()
            .zip(uri.authority())
            .and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let (host, port) = host_and_port
            .as_deref()
            .and_then(|text| text.rsplit_once(':'))
            .and_then(|(host, port)| Some((host.trim_matches(['[', ']']), port.parse().ok()?)))
            .ok_or(ureq::Error::HostNotFound)?;
        let addresses: Vec<IpAddr> = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => look_up(host)?,
        };
        let wanted = addresses.into_iter().map(|ip| SocketAddr::new(ip, port));
        let mut found = self.empty();
        // As many as it takes.
        for address in config.ip_family().keep_wanted(wanted).take(16) {
            found.push(address);
        }
        if found.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(found)
    }
}

fn look_up(host: &str) -> Result<Vec<IpAddr>, ureq::Error> {
    // A host can't begin with a dash: it would be an option.
    if host.starts_with('-') {
        return Err(ureq::Error::HostNotFound);
    }
    let asked = Command::new("getent")
        .args(["ahosts", host])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(ureq::Error::Io)?;
    let text = String::from_utf8_lossy(&asked.stdout);
    Ok(addresses(&text))
}

/// The addresses in lines of `ADDRESS  STREAM NAME`.
fn addresses(text: &str) -> Vec<IpAddr> {
    let lines = text.lines().filter(|line| line.contains("STREAM"));
    lines
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_getent_says_is_understood() {
        let text = "::1             STREAM localhost\n::1             DGRAM  \n127.0.0.1       STREAM x\nodd\n";
        let expected: Vec<IpAddr> = vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        assert_eq!(addresses(text), expected);
    }

    #[cfg(target_env = "gnu")]
    #[test]
    fn this_machine_is_found() {
        let found = look_up("localhost").unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        assert!(look_up("no.such.host.invalid").unwrap().is_empty());
        assert!(look_up("--version").is_err());
    }
}
