"""The front-end files of the live page: fetched once through npm into the user's cache folder, then served from there.

Solara ships no front end of its own. The two packages below hold all that the page loads from outside this project;
both are under the MIT licence. Without npm, the folder can be copied from another machine.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from sim.errors import BadInput

# Package and version as Solara's page template asks for them, with the files that it uses.
PACKAGES = {
    "@widgetti/solara-vuetify3-app@5.2.0": (
        "package.json",
        "dist/main8.css",
        "dist/fonts.css",
        "dist/solara-vuetify-app8.min.js",
        "dist/*.woff2",
    ),
    "requirejs@2.3.6": ("package.json", "require.js"),
}
NPM_SECONDS = 300
TEMPORARY = "decoupling-"  # and the user: a cache folder where there is no better place


def cache_folder() -> Path:
    """The folder for what can be fetched again: `decoupling` in $XDG_CACHE_HOME, else in ~/.cache.

    Where that holds no files yet and cannot be written, as without a home, a folder among the system's temporary ones.
    """
    try:
        usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "decoupling"
    except RuntimeError:  # there is no home folder
        return _temporary_folder()
    return usual if (usual / "assets").is_dir() or _is_writable(usual) else _temporary_folder()


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _temporary_folder() -> Path:
    """A folder of this user alone, since pages run what lies in it; BadInput if somebody else was there first."""
    user = os.getuid() if hasattr(os, "getuid") else "own"  # on Windows the temporary folder is the user's already
    folder = Path(tempfile.gettempdir()) / f"{TEMPORARY}{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.lstat().st_uid != user:
        raise BadInput(f"{folder}: belongs to somebody else; set XDG_CACHE_HOME to a folder that you can write")
    return folder


def assets_folder() -> Path:
    """Where the packages are, each in a folder named name@version."""
    return cache_folder() / "assets"


def missing_assets() -> list[str]:
    """The files, or patterns of files, that are not there; empty when the page can be shown."""
    return [
        f"{package}/{pattern}"
        for package, patterns in PACKAGES.items()
        for pattern in patterns
        if not any((assets_folder() / package).glob(pattern))
    ]


def get_assets() -> Path:
    """Fetch the front-end files and return their folder. BadInput when npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None:
        raise BadInput(
            f"--get-assets: npm was not found; install Node.js, or copy the folder {assets_folder()} from a machine "
            "that has it"
        )
    try:
        assets_folder().mkdir(parents=True, exist_ok=True)
        # beside the destination, so that finished packages can be moved into place
        with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
            for package, patterns in PACKAGES.items():
                _get_package(npm, package, patterns, Path(name))
    except OSError as fault:
        raise BadInput(f"--get-assets: {fault.filename}: cannot be written ({fault.strerror})") from None
    return assets_folder()


def _get_package(npm: str, package: str, patterns: tuple[str, ...], workspace: Path) -> None:
    archives = workspace / "archives" / package
    archives.mkdir(parents=True)
    try:
        subprocess.run(
            [npm, "pack", "--silent", "--ignore-scripts", package],
            cwd=archives,
            check=True,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"--get-assets: npm pack {package}: no answer within {NPM_SECONDS} seconds") from None
    except subprocess.CalledProcessError as fault:
        complaint = " ".join((fault.stderr or fault.stdout).split())[-300:]
        raise BadInput(f"--get-assets: npm pack {package}: {complaint or 'failed'}") from None
    unpacked = workspace / "unpacked" / package
    unpacked.mkdir(parents=True)
    with tarfile.open(next(archives.glob("*.tgz"))) as archive:
        for member in archive:
            inside = member.name.removeprefix("package/")
            if member.isfile() and any(fnmatch(inside, pattern) for pattern in patterns):
                member.name = inside
                archive.extract(member, unpacked, filter="data")
    destination = assets_folder() / package
    destination.parent.mkdir(exist_ok=True)
    if destination.exists():
        shutil.rmtree(destination)
    unpacked.rename(destination)
