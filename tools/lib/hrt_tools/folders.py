"""The cache, and folders that appear under their name only when they are whole."""
import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

SUMS = "SHA256SUMS"  # in each finished folder, in the format of sha256sum


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hrt"


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def new_folder(path, replace=False):
    """Yields a temporary folder beside `path`, and renames it to `path` when the body ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
    try:
        yield partial
        partial.chmod(0o755)
        for file in partial.rglob("*"):
            flush(file)
        if replace and path.exists():
            shutil.rmtree(path)
        partial.rename(path)
        flush(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def flush(path):
    """Has the kernel write it to the disk, so that no power cut leaves a name with nothing behind it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def seal(folder):
    """Writes the checksums by which is_whole() knows that nothing is missing or changed."""
    files = sorted(file for file in folder.iterdir() if file.name != SUMS)
    (folder / SUMS).write_text("".join(f"{sha256(file)}  {file.name}\n" for file in files))


def is_whole(folder):
    try:
        lines = (folder / SUMS).read_text().splitlines()
        return bool(lines) and all(sha256(folder / name) == digest for digest, name in map(str.split, lines))
    except (OSError, ValueError):
        return False
