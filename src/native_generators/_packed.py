"""How compressed data begins, by the names that `compression` has for it."""

MAGIC = {
    'gzip': b'\x1f\x8b',
    'bz2': b'BZh',
    'xz': b'\xfd7zXZ\0',
    'zstd': b'\x28\xb5\x2f\xfd',
    'zip': b'PK\x03\x04',
}


def packed(beginning: bytes) -> str | None:
    """What begins so; None for what is not compressed."""
    return next((name for name, magic in MAGIC.items() if beginning.startswith(magic)), None)
