//! Which addresses callbacks may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far callbacks reach. The deployer decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// To public addresses only, with TLS.
    Public,
    /// To the deployer's own network and machine as well, without TLS if need be.
    Private,
}

/// IPv4 networks that no callback leads to: this network, multicast, broadcast, and where clouds tell
/// their machines about themselves (AWS and others, AWS containers, Alibaba, Azure, Oracle).
const NEVER_V4: [([u8; 4], u8); 8] = [
    ([0, 0, 0, 0], 8),
    ([100, 100, 100, 200], 32),
    ([168, 63, 129, 16], 32),
    ([169, 254, 169, 0], 24),
    ([169, 254, 170, 0], 24),
    ([192, 0, 0, 192], 32),
    ([224, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];
/// Other IPv4 networks that are not public: private, shared, loopback, link-local, for protocols, for
/// documentation, the old 6to4 relays, benchmarks, reserved.
const NOT_PUBLIC_V4: [([u8; 4], u8); 13] = [
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([240, 0, 0, 0], 4),
];
/// IPv6 networks that no callback leads to: unspecified, multicast, and where clouds tell their
/// machines about themselves (AWS, Google).
const NEVER_V6: [([u16; 8], u8); 4] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 128),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32),
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0], 32),
];
/// The one IPv6 network that is given out to the public. Whatever is mapped, compatible, translated
/// (NAT64), unique-local or link-local lies outside.
const GLOBAL_V6: ([u16; 8], u8) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// What is not public inside it: for protocols (Teredo among them), for documentation, 6to4.
const NOT_PUBLIC_V6: [([u16; 8], u8); 4] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];
/// IPv6 networks whose last 32 bits are an IPv4 address: compatible, mapped, translated (NAT64).
const HOLDS_V4: [([u16; 8], u8); 4] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 96),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
];

impl Reach {
    /// Whether a callback may be connected to `address`.
    pub fn admits(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Public, IpAddr::V4(v4)) => !is_never_v4(v4) && !is_in_v4(v4, &NOT_PUBLIC_V4),
            (Self::Public, IpAddr::V6(v6)) => {
                is_in_v6(v6, &[GLOBAL_V6]) && !is_in_v6(v6, &NOT_PUBLIC_V6)
            }
            (Self::Private, IpAddr::V4(v4)) => !is_never_v4(v4),
            (Self::Private, IpAddr::V6(v6)) => {
                let held = is_in_v6(v6, &HOLDS_V4) && v6 != Ipv6Addr::LOCALHOST;
                let holds_never = held && is_never_v4(last_32_bits(v6));
                !is_in_v6(v6, &NEVER_V6) && !holds_never
            }
        }
    }
}

fn is_never_v4(address: Ipv4Addr) -> bool {
    is_in_v4(address, &NEVER_V4)
}

fn is_in_v4(address: Ipv4Addr, networks: &[([u8; 4], u8)]) -> bool {
    let is_in = |(network, bits): &([u8; 4], u8)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(*bits)).unwrap_or(0);
        address.to_bits() & mask == Ipv4Addr::from(*network).to_bits()
    };
    networks.iter().any(is_in)
}

fn is_in_v6(address: Ipv6Addr, networks: &[([u16; 8], u8)]) -> bool {
    let is_in = |(network, bits): &([u16; 8], u8)| {
        let mask = u128::MAX.checked_shl(128 - u32::from(*bits)).unwrap_or(0);
        address.to_bits() & mask == Ipv6Addr::from(*network).to_bits()
    };
    networks.iter().any(is_in)
}

fn last_32_bits(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, public: bool, private: bool) {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(Reach::Public.admits(address), public, "{address} in public");
        assert_eq!(Reach::Private.admits(address), private, "{address} in private");
    }

    #[test]
    fn public_addresses_are_admitted() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            check(address, true, true);
        }
    }

    #[test]
    fn private_addresses_are_admitted_only_where_the_deployer_allows_them() {
        for address in [
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "240.0.0.1",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::10.0.0.1",
            "100::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:0a00:0001::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
        ] {
            check(address, false, true);
        }
    }

    #[test]
    fn what_leads_nowhere_or_to_a_clouds_own_data_is_never_admitted() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "100.100.100.200",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "192.0.0.192",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::ffff:0.0.0.0",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "fd00:ec2::254",
            "fd20:ce::254",
            "ff02::1",
        ] {
            check(address, false, false);
        }
    }
}
