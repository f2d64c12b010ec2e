//! Addresses of buses.

use rustix::net::SocketAddrUnix;

/// The unix sockets that an address names, in order: `unix:path=…` and `unix:abstract=…`, several parted by semicolons.
/// Other transports are passed over: this process opens no network socket and starts no program.
///
/// Source: the D-Bus specification, "Server Addresses".
pub(crate) fn sockets(address: &str) -> Vec<SocketAddrUnix> {
    address.split(';').filter_map(socket).collect()
}

fn socket(address: &str) -> Option<SocketAddrUnix> {
    let pairs = address.trim().strip_prefix("unix:")?;
    pairs.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = unescaped(value)?;
        match key {
            "path" => SocketAddrUnix::new(value).ok(),
            "abstract" => SocketAddrUnix::new_abstract_name(&value).ok(),
            _guid => None,
        }
    })
}

/// `%` and two hexadecimal digits stand for a byte, in addresses as in URIs.
pub(super) fn unescaped(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return None;
        };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        bytes.push((digit(high)? << 4 | digit(low)?) as u8);
        rest = after;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(address: &str) -> Vec<Vec<u8>> {
        let bytes = |socket: SocketAddrUnix| match socket.path_bytes() {
            Some(path) => path.to_vec(),
            None => [b"@", socket.abstract_name().unwrap()].concat(),
        };
        sockets(address).into_iter().map(bytes).collect()
    }

    #[test]
    fn unix_sockets_are_found_and_nothing_else() {
        let guid = "guid=896e13827da2fb4773702f156b027927";
        assert_eq!(
            paths(&format!("unix:path=/run/user/1000/bus,{guid}")),
            [b"/run/user/1000/bus"]
        );
        assert_eq!(
            paths(&format!(
                "unix:{guid},abstract=/tmp/dbus-%41%2c;unix:path=/b"
            )),
            [b"@/tmp/dbus-A,".to_vec(), b"/b".to_vec()]
        );
        for nothing in [
            "",
            "unix:",
            "unix:tmpdir=/tmp",
            "tcp:host=localhost,port=1",
            "nonce-tcp:host=localhost,port=1,noncefile=/x",
            "unixexec:path=/bin/sh",
            "autolaunch:",
            "unix:path=%",
            "unix:path=%4",
            "unix:path=%zz",
            "unix:path=a%00b",
            "/run/dbus/system_bus_socket",
        ] {
            assert_eq!(paths(nothing), Vec::<Vec<u8>>::new(), "{nothing}");
        }
        let long = format!("unix:path=/{}", "x".repeat(200));
        assert_eq!(paths(&long), Vec::<Vec<u8>>::new());
    }
}
