"""IP addresses and blocks as 128-bit numbers, IPv4 in its mapped place (`::ffff:a.b.c.d`), as Lucene stores them."""

from __future__ import annotations

import ipaddress

_MAPPED = 0xFFFF << 32


def parse_address(text: str) -> int | None:
    """The 16 bytes of an address as a number, or None if the text is none. Zones (`fe80::1%eth0`) are not accepted."""
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return int(address) | _MAPPED if address.version == 4 else int(address)


def parse_block(text: str) -> tuple[int, int] | None:
    """First and last address of `network/length`, or of a lone address; host bits are tolerated. None: neither."""
    network, slash, length = text.partition("/")
    address = parse_address(network)
    if address is None or not slash:
        return None if address is None else (address, address)
    width = 128 if ":" in network else 32
    if not (length.isascii() and length.isdigit()) or len(length) > 3 or int(length) > width:
        return None
    host_bits = (1 << (width - int(length))) - 1
    return address & ~host_bits, address | host_bits


def address_text(address: int) -> str:
    """The canonical text: dotted for IPv4, compressed lower case for IPv6."""
    if address >> 32 == 0xFFFF:
        return str(ipaddress.IPv4Address(address & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(address))
