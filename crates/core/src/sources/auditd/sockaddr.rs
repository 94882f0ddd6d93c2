//! The socket address of a SOCKADDR record, from the bytes of the kernel's `struct sockaddr`. It knows not whose
//! address it is.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::record::unhex;

/// A decoded address. Families that have no form of their own keep their number and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SocketAddress {
    /// `ipv4`, `ipv6`, `unix`, `netlink`, else the family's number.
    pub family: String,
    /// The address of an Internet socket.
    pub address: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The flow label of IPv6, if there is one.
    pub flow: Option<u32>,
    /// The path of a Unix socket; an abstract name begins with `@`.
    pub path: Option<String>,
    /// The bytes in hexadecimal, of other families.
    pub raw: Option<String>,
}

/// Decodes `saddr=`. `None`: the bytes end too early, or are no hexadecimal.
pub(super) fn read(hexadecimal: &str) -> Option<SocketAddress> {
    let bytes = unhex(hexadecimal)?;
    let family = u16::from_le_bytes(*bytes.first_chunk()?);
    let raw = || Some(hexadecimal.to_owned());
    let port = || Some(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?));
    Some(match family {
        1 => SocketAddress { family: "unix".into(), path: unix_path(&bytes[2..]), ..Default::default() },
        2 => SocketAddress {
            family: "ipv4".into(),
            address: Some(Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?).to_string()),
            port: Some(port()?),
            ..Default::default()
        },
        10 => {
            let flow = u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
            SocketAddress {
                family: "ipv6".into(),
                address: Some(Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?).to_string()),
                port: Some(port()?),
                flow: (flow > 0).then_some(flow),
                ..Default::default()
            }
        }
        16 => SocketAddress { family: "netlink".into(), raw: raw(), ..Default::default() },
        other => SocketAddress { family: other.to_string(), raw: raw(), ..Default::default() },
    })
}

fn unix_path(bytes: &[u8]) -> Option<String> {
    let (sign, name) = match bytes {
        [0, name @ ..] => ("@", name),
        name => ("", name),
    };
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    (end > 0).then(|| format!("{sign}{}", String::from_utf8_lossy(&name[..end])))
}
