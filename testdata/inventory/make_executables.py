#!/usr/bin/env python3
"""Writes the executables among the fixtures: only headers, tables and the bytes that a reader looks for, nothing that could run.

    make_executables.py [FOLDER]        (default: the folder of this file)
"""
import gzip
import json
import os
import struct
import sys
import zlib

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def write(name, data):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def pad(data, to):
    return data + b"\0" * (-len(data) % to)


def elf(sections, bits=64, order="<", kind=2, tables=True, base=0x400000):
    """sections: (name, flags, bytes[, link, entry size]); flags 2 loaded, 3 loaded and written, 0 not loaded."""
    wide = bits == 64
    sections = [s if len(s) == 5 else (*s, 0, 0) for s in sections]
    head = 64 if wide else 52
    entry, segment = (64, 56) if wide else (40, 32)
    loaded = [s for s in sections if s[1]]
    data, places = b"\0" * (head + segment * len(loaded)), []
    for name, flags, body, link, size in sections:
        data = pad(data, 16)
        places.append(len(data))
        data += body
    names = b"\0" + b"".join(s[0].encode() + b"\0" for s in sections) + b".shstrtab\0"
    names_at = len(data)
    segments = b""
    for (name, flags, body, link, size), at in zip(sections, places):
        if not flags:
            continue
        access = 6 if flags & 1 else 4
        if wide:
            segments += struct.pack(order + "IIQQQQQQ", 1, access, at, base + at, 0, len(body), len(body), 16)
        else:
            segments += struct.pack(order + "IIIIIIII", 1, at, base + at, 0, len(body), len(body), access, 16)
    count, table_at, table = 0, 0, b""
    if tables:
        data = pad(data + names, 16)
        table_at = len(data)
        word = "Q" if wide else "I"

        def header(name, kind, flags, address, at, size, link=0, entries=0):
            return struct.pack(f"{order}II{word}{word}{word}{word}II{word}{word}", name, kind, flags, address, at, size, link, 0, 16, entries)

        table = header(0, 0, 0, 0, 0, 0)
        for (name, flags, body, link, size), at in zip(sections, places):
            number = {".dynsym": 11, ".dynstr": 3}.get(name, 1)
            table += header(names.index(b"\0" + name.encode() + b"\0") + 1, number, flags, base + at if flags else 0, at, len(body), link, size)
        table += header(names.index(b".shstrtab"), 3, 0, 0, names_at, len(names))
        count = len(sections) + 2
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + b"\0" * 9
    word = "Q" if wide else "I"
    machine = {"<": 62 if wide else 3, ">": 21 if wide else 20}[order]
    header = ident + struct.pack(f"{order}HHI{word}{word}{word}IHHHHHH", kind, machine, 1, base, head if loaded else 0, table_at, 0, head, segment,
                                 len(loaded), entry, count, count - 1 if count else 0)
    return header + segments + data[len(header) + len(segments):] + table


def pe(sections, managed=False, resources=None):
    """sections: (name, characteristics, bytes); resources: function from the address of `.rsrc` to its bytes."""
    count = len(sections) + (1 if resources else 0)
    head = b"MZ" + b"\0" * 58 + struct.pack("<I", 64)
    base, at, address = 0x140000000, 0x400, 0x1000
    directories = [(0, 0)] * 16
    table, bodies = b"", b""
    if resources:
        sections = [*sections, (".rsrc", 0x40000040, None)]
    for name, flags, body in sections:
        if body is None:
            body = resources(address)
            directories[2] = (address, len(body))
        body = pad(body, 0x200)
        table += name.encode().ljust(8, b"\0") + struct.pack("<IIIIIIHHI", len(body), address, len(body), at, 0, 0, 0, 0, flags)
        bodies += body
        at += len(body)
        address += (len(body) + 0xFFF) // 0x1000 * 0x1000
    if managed:
        directories[14] = (0x1000, 72)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0, 0, 0, 0, 0) + struct.pack("<QIIHHHHHHIIIIHHQQQQII", base, 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0,
                                                                                     address, 0x400, 0, 3, 0, 0, 0, 0, 0, 0, 16)
    optional += b"".join(struct.pack("<II", *d) for d in directories)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, count, 0, 0, 0, len(optional), 0x22)
    return pad(head + coff + optional + table, 0x400)[:0x400] + bodies


def macho(sections):
    """sections: (segment, section, access, bytes)"""
    size = len(sections) * 152
    at, base, commands, bodies = 32 + size, 0x100000000, b"", b""
    for segment, section, access, body in sections:
        gap = -at % 16
        bodies += b"\0" * gap
        at += gap
        commands += struct.pack("<II16sQQQQIIII", 0x19, 152, segment.encode(), base + at, len(body), at, len(body), access, access, 1, 0)
        commands += struct.pack("<16s16sQQIIIIIIII", section.encode(), segment.encode(), base + at, len(body), at, 4, 0, 0, 0, 0, 0, 0)
        bodies += body
        at += len(body)
    return struct.pack("<IIIIIIII", 0xFEEDFACF, 0x01000007, 3, 2, len(sections), size, 0, 0) + commands + bodies


def fat(body):
    return pad(struct.pack(">IIIIIII", 0xCAFEBABE, 1, 0x01000007, 3, 4096, len(body), 12), 4096) + body


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


MODULES = """path\texample.com/tool/cmd/tool
mod\texample.com/tool\t(devel)\t
dep\texample.com/bare\tv1.1.0\th1:AAAA=
=>\t./bare\t\t
dep\texample.com/old\tv1.0.0\th1:AAAA=
=>\texample.com/moved/v2\tv2.0.1\th1:AAAA=
dep\texample.com/plain\tv1.0.0\th1:AAAA=
build\t-compiler=gc
build\t-ldflags="-s -w -X main.version=1.4.2 -X main.commit=abc"
build\tvcs.revision=2a18b3d6ab3d1003afbcfcb4a6ffca61e04fcb57
build\tvcs.time=2023-01-14T04:33:15Z
"""
GUARDED = b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6" + MODULES.encode() + b"\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"
MAGIC = b"\xff Go buildinf:"


def inline(toolchain=b"go1.22.1", modules=GUARDED):
    return MAGIC + b"\x08\x02" + b"\0" * 16 + varint(len(toolchain)) + toolchain + varint(len(modules)) + modules


def pointers(at):
    """Build information at address `at` in the form before Go 1.18: two pointers to texts, which are pointers and lengths."""
    info = MAGIC + b"\x08\0" + struct.pack("<QQ", at + 32, at + 48)
    texts = at + 64
    info += struct.pack("<QQ", texts, 8) + struct.pack("<QQ", texts + 8, len(GUARDED))
    return info + b"go1.22.1" + GUARDED


TEXT = (".text", 6, b"\x90" * 64)
DATA = (".data", 3, b"data" * 16)

# Go.
write("go-binary/elf64", elf([TEXT, (".go.buildinfo", 3, inline())]))
write("go-binary/elf64-be", elf([TEXT, (".go.buildinfo", 3, inline())], order=">"))
write("go-binary/elf32", elf([TEXT, (".go.buildinfo", 3, inline())], bits=32, base=0x8000000))
write("go-binary/elf64-no-sections", elf([TEXT, (".data", 3, b"\0" * 160 + inline())], tables=False))
head = elf([TEXT, (".go.buildinfo", 3, b"")])
place = 0x400000 + (64 + 2 * 56 + 15) // 16 * 16 + 64
write("go-binary/elf64-pointers", elf([TEXT, (".go.buildinfo", 3, pointers(place))]))
write("go-binary/pe", pe([(".text", 0x60000020, b"\x90" * 64), (".data", 0xC0000040, b"\0" * 48 + inline())]))
write("go-binary/macho", macho([("__TEXT", "__text", 5, b"\x90" * 64), ("__DATA", "__go_buildinfo", 3, inline())]))
write("go-binary/macho-fat", fat(macho([("__TEXT", "__text", 5, b"\x90" * 64), ("__DATA", "__go_buildinfo", 3, inline())])))
write("go-binary/malformed-length", elf([TEXT, (".go.buildinfo", 3, MAGIC + b"\x08\x02" + b"\0" * 16 + b"\xff\xff\xff\x7f" + b"go")]))
write("go-binary/malformed-pointer", elf([TEXT, (".go.buildinfo", 3, MAGIC + b"\x08\0" + b"\xff" * 16)]))
write("go-binary/malformed-section", elf([TEXT, (".go.buildinfo", 3, b"\0" * 64)]))

# Rust.
LIST = {"packages": [{"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"},
                     {"name": "pay", "version": "0.3.0", "source": "local", "dependencies": [0, 2], "root": True},
                     {"name": "smallvec", "version": "0.6.13", "source": "crates.io"}]}
CRATES = zlib.compress(json.dumps(LIST).encode())
write("rust-binary/elf64", elf([TEXT, (".dep-v0", 0, CRATES)]))
write("rust-binary/elf32-be", elf([TEXT, (".dep-v0", 0, CRATES)], bits=32, order=">", base=0x10000))
write("rust-binary/pe", pe([(".text", 0x60000020, b"\x90" * 64), (".dep-v0", 0x40000040, CRATES)]))
write("rust-binary/macho", macho([("__TEXT", "__text", 5, b"\x90" * 64), ("__DATA", ".dep-v0", 3, CRATES)]))
write("rust-binary/malformed", elf([TEXT, (".dep-v0", 0, zlib.compress(b'{"packages":3}'))]))
write("rust-binary/malformed-zlib", elf([TEXT, (".dep-v0", 0, b"\x78\x9c" + b"\xff" * 64)]))
write("rust-binary/malformed-bomb", elf([TEXT, (".dep-v0", 0, zlib.compress(b" " * (9 << 20), 9))]))

# GraalVM.
SBOM = gzip.compress(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
    {"type": "library", "group": "io.netty", "name": "netty-codec", "version": "4.1.94.Final", "purl": "pkg:maven/io.netty/netty-codec@4.1.94.Final"},
    {"type": "library", "group": "org.example", "name": "lib", "version": "1.0.0"}]}).encode(), mtime=0)


def native(length):
    strings = b"\0__svm_version_info\0sbom\0sbom_length\0"
    first = 64 + 4 * 56
    text_at = (first + 15) // 16 * 16
    data_at = 0x400000 + text_at + 64
    data = struct.pack("<QQ", length, 0) + SBOM
    symbols = b"\0" * 24
    for name, value in ((b"sbom", data_at + 16), (b"sbom_length", data_at)):
        symbols += struct.pack("<IBBHQQ", strings.index(b"\0" + name + b"\0") + 1, 0x11, 0, 2, value, 0)
    return elf([TEXT, (".data", 3, data), (".dynsym", 2, symbols, 4, 24), (".dynstr", 2, strings)])


write("native-image/server", native(len(SBOM)))
write("native-image/malformed", native(1 << 20))

# Programs told by texts.
write("binary/hello", elf([TEXT, (".rodata", 2, b"hello\0world 1.2.3\0"), DATA]))
write("binary/busybox", elf([TEXT, (".rodata", 2, b"\0" * 32 + b"BusyBox v1.36.1 (2023-11-07 18:53:09 UTC)\0" + b"multi-call binary\0")]))
write("binary/python3.11", elf([TEXT, (".rodata", 2, b"\0" + b"3.40.1\0" + b"3.10.1\0" + b"3.11.2\0")]))
packed = bytearray(elf([TEXT, DATA], tables=False))
stub = 64 + 2 * 56
packed[stub:stub] = struct.pack("<I4sHBB", 0, b"UPX!", 0x700, 13, 22) + b"\0" * 4
write("binary/packed", bytes(packed))
cut = bytearray(elf([TEXT, (".rodata", 2, b"x" * 16)])[:256].ljust(256, b"\0"))
struct.pack_into("<Q", cut, 40, 512)
struct.pack_into("<HHH", cut, 58, 64, 5, 4)
write("binary/malformed", bytes(cut))


# .NET.
def block(key, value=b"", children=(), text=False, length=None):
    head = key.encode("utf-16-le") + b"\0\0"
    body = pad(b"\0" * 6 + head, 4) + value
    for child in children:
        body = pad(body, 4) + child
    return struct.pack("<HHH", len(body), len(value) // 2 if text and length is None else length if length is not None else len(value), int(text)) + body[6:]


def string(key, value):
    return block(key, (value + "\0").encode("utf-16-le"), text=True)


def version_info(strings, size_lies=False):
    fixed = struct.pack("<IIIIII", 0xFEEF04BD, 0x10000, 13 << 16, 1 << 16, 13 << 16, 1 << 16) + b"\0" * 28
    table = block("040904b0", children=[string(k, v) for k, v in strings], text=True, length=0)
    info = block("VS_VERSION_INFO", fixed, [block("StringFileInfo", children=[table], text=True, length=0)])
    return b"\xff\xff" + info[2:] if size_lies else info


def rsrc(info):
    def made(address):
        out = b""
        for number, offset in ((16, 0x80000018), (1, 0x80000030), (1033, 0x48)):
            out += struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 1) + struct.pack("<II", number, offset)
        return out + struct.pack("<IIII", address + 0x58, len(info), 0, 0) + info
    return made


CODE = [(".text", 0x60000020, b"\x90" * 64)]
STRINGS = [("CompanyName", "Acme"), ("FileVersion", "13.0.1.27908"), ("InternalName", "Acme.Json.dll"), ("ProductName", "Acme Json"),
           ("ProductVersion", "13.0.1+ae9fe44e")]
write("dotnet-binary/Acme.Json.dll", pe(CODE, managed=True, resources=rsrc(version_info(STRINGS))))
write("dotnet-binary/malformed.dll", pe(CODE, managed=True, resources=rsrc(version_info(STRINGS, size_lies=True))))
write("dotnet-binary/App.deps.json", b'{"libraries": {}}\n')
DEPS = b'{"libraries": {"Acme.Json/13.0.1": {"type": "package"}}}'
SIGNATURE = bytes.fromhex("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae")


def bundle(major, deps=DEPS):
    size = len(elf([TEXT, (".data", 3, b"\0" * 40)]))
    program = elf([TEXT, (".data", 3, struct.pack("<Q", size + len(deps)) + SIGNATURE)])
    header = struct.pack("<III", major, 0, 1) + varint(12) + b"bundle-id-01"
    if major >= 2:
        header += struct.pack("<QQQQQ", size, len(deps), 0, 0, 0)
    else:
        header += struct.pack("<QQB", size, len(deps), 3) + varint(13) + b"App.deps.json"
    return program + deps + header


write("dotnet-binary/bundle-1", bundle(1))
write("dotnet-binary/bundle-6", bundle(6))
