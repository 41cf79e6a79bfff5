"""What the machine is on which a benchmark ran: ratios move with its caches, so every benchmark tells them."""

from pathlib import Path


def caches() -> str:
    """The caches that the first processor has, as Linux tells; "not told" elsewhere."""
    found = []
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = (cache / "type").read_text().strip()
        if kind != "Instruction":
            found.append(f"L{(cache / 'level').read_text().strip()} {(cache / 'size').read_text().strip()}")
    return f"caches of a processor: {', '.join(found) or 'not told'}"
