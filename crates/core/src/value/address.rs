//! IP addresses as 16 bytes (IPv4 as `::ffff:a.b.c.d`), and blocks of them.

use std::net::{IpAddr, Ipv6Addr};

/// Reads an address; IPv6 zones are refused.
pub fn parse(text: &str) -> Option<u128> {
    // The standard parser accepts nothing longer; a hostile value is not looked at further.
    if text.len() > 45 {
        return None;
    }
    Some(match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    })
}

/// The canonical text: IPv4 dotted, IPv6 compressed in lower case (RFC 5952).
pub fn text(address: u128) -> String {
    let address = Ipv6Addr::from(address);
    address.to_ipv4_mapped().map_or_else(|| address.to_string(), |address| address.to_string())
}

/// Addresses from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    first: u128,
    last: u128,
}

impl Block {
    /// Reads `address/bits` (bits of the address after them may be set) or a single address.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((address, bits)) = text.split_once('/') else {
            let address = parse(text)?;
            return Some(Self { first: address, last: address });
        };
        let width = if address.contains(':') { 128 } else { 32 };
        let address = parse(address)?;
        if bits.is_empty() || bits.len() > 3 || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= width)?;
        let host = u128::MAX.checked_shr(128 - width + bits).unwrap_or(0);
        Some(Self { first: address & !host, last: address | host })
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: u128) -> bool {
        (self.first..=self.last).contains(&address)
    }

    /// Its lowest address.
    pub fn first(&self) -> u128 {
        self.first
    }

    /// Its highest address.
    pub fn last(&self) -> u128 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_both_families() {
        let inside = |block: &str, address: &str| {
            Block::parse(block).zip(parse(address)).is_some_and(|(block, address)| block.contains(address))
        };
        assert!(inside("10.0.0.0/8", "10.255.0.1") && !inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("10.1.2.3/8", "10.0.0.1"), "host bits are tolerated");
        assert!(inside("0.0.0.0/0", "1.2.3.4") && !inside("0.0.0.0/0", "2001:db8::1"));
        assert!(inside("::/0", "1.2.3.4") && inside("fe80::/10", "fe80::1") && inside("::1", "::1"));
        assert!(inside("1.2.3.4/32", "1.2.3.4") && inside("::1/128", "::1"));
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "x", "10.0.0.0/+8"] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }

    #[test]
    fn canonical_text() {
        assert_eq!(parse("2001:DB8:0:0:0:0:0:1").map(text).as_deref(), Some("2001:db8::1"));
        assert_eq!(parse("::ffff:1.2.3.4").map(text).as_deref(), Some("1.2.3.4"));
    }
}
