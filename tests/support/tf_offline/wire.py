"""The few bits of protobuf wire format the plugin protocol needs."""


def varint(n):
    out = bytearray()
    while True:
        b = n & 0x7F
        n >>= 7
        if n:
            out.append(b | 0x80)
        else:
            out.append(b)
            return bytes(out)


def num(field, value):
    return varint(field << 3) + varint(int(value)) if value else b""


def data(field, value):
    if isinstance(value, str):
        value = value.encode()
    return varint(field << 3 | 2) + varint(len(value)) + value


def parse(buf):
    """bytes -> {field: [values]}; varints as int, length-delimited as bytes."""
    out, i, n = {}, 0, len(buf)

    def read():
        nonlocal i
        shift = value = 0
        while True:
            b = buf[i]
            i += 1
            value |= (b & 0x7F) << shift
            if not b & 0x80:
                return value
            shift += 7

    while i < n:
        key = read()
        kind = key & 7
        if kind == 0:
            value = read()
        elif kind == 2:
            size = read()
            value = buf[i : i + size]
            i += size
        elif kind == 1:
            value = buf[i : i + 8]
            i += 8
        elif kind == 5:
            value = buf[i : i + 4]
            i += 4
        else:
            raise ValueError(f"wire type {kind}")
        out.setdefault(key >> 3, []).append(value)
    return out
