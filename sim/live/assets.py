"""The front-end files of the live page: got once into the user's cache folder, then served from there.

Solara ships no front end of its own. The two packages below hold all that the page loads from outside this project;
both are under the MIT licence. They come through npm (6 MB are kept), or from Solara's own package of them, which pip
installs with the extra `page` (239 MB, and it may hold an earlier version), or are copied from another machine.
"""

import json
import os
import shutil
import subprocess
import sys
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
SHARED = Path(sys.prefix, "share", "solara", "cdn")  # where pip puts the files of Solara's own package
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


def get_assets() -> str:
    """Get the front-end files through npm, else from Solara's own package of them, and say where they are and whence.

    BadInput where neither can be had.
    """
    try:
        assets_folder().mkdir(parents=True, exist_ok=True)
        # beside the destination, so that finished packages can be moved into place
        with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
            way, packages = _files(Path(name))
            versions = [_put_in_place(files, package) for files, package in zip(packages, PACKAGES, strict=True)]
    except OSError as fault:
        raise BadInput(f"--get-assets: {fault.filename}: cannot be written ({fault.strerror})") from None
    return f"{assets_folder()}: the page's front-end files, {way} ({', '.join(versions)})"


def _files(workspace: Path) -> tuple[str, list[Path]]:
    """How the packages were got, and the folder of each."""
    if (npm := shutil.which("npm")) is not None:
        try:
            return "got through npm", [_unpacked(npm, package, workspace) for package in PACKAGES]
        except BadInput:
            if not SHARED.is_dir():
                raise
    return "copied from Solara's package of them", [_copied(package, workspace) for package in PACKAGES]


def _copied(package: str, workspace: Path) -> Path:
    """The files of a package as Solara's own package has them, in the version that is asked for or the latest."""
    found = sorted(SHARED.glob(f"{package.rpartition('@')[0]}@*"))
    if not found:
        raise BadInput(
            "--get-assets: npm was not found; install Node.js, or Solara's own package of the files (239 MB) with "
            f"pip install 'decoupling-race[page]', or copy the folder {assets_folder()} from a machine that has it"
        )
    source = SHARED / package if SHARED / package in found else found[-1]
    copied = workspace / "copied" / package
    for pattern in PACKAGES[package]:
        for file in source.glob(pattern):
            (copied / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied / file.relative_to(source))
    return copied


def _put_in_place(files: Path, package: str) -> str:
    """Move a package's files to where the page asks for them; returns its name and the version they are of."""
    version = json.loads((files / "package.json").read_text())["version"]
    destination = assets_folder() / package
    destination.parent.mkdir(exist_ok=True)
    if destination.exists():
        shutil.rmtree(destination)
    files.rename(destination)
    return f"{package.rpartition('@')[0]} {version}"


def _unpacked(npm: str, package: str, workspace: Path) -> Path:
    """A package's files through npm."""
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
            if member.isfile() and any(fnmatch(inside, pattern) for pattern in PACKAGES[package]):
                member.name = inside
                archive.extract(member, unpacked, filter="data")
    return unpacked
