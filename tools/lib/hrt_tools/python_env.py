"""A virtual environment of the tools' own, in the cache: pip, and what the GGUF conversion needs."""
import importlib.util
import os
import subprocess
import sys

from . import folders
from .command import Failure, say

GGUF = "gguf==0.19.0"  # brings numpy


def python():
    """The environment's interpreter; made when it is not there, or when the system's Python moved."""
    root = folders.cache() / "venv"
    interpreter = root / "bin" / "python"
    if not works(interpreter):
        say(f"making a virtual environment for the tools: {root}")
        with folders.new_folder(root, replace=True) as partial:
            made = subprocess.run([sys.executable, "-m", "venv", partial], capture_output=True, text=True)
            if made.returncode != 0:
                raise Failure("python3 -m venv does not work here: run tools/setup, or install python3-venv")
    return interpreter


def works(interpreter):
    try:
        return subprocess.run([interpreter, "-c", "import pip"], capture_output=True).returncode == 0
    except OSError:
        return False


def pip(*arguments):
    """Runs pip; raises with the last error line that it printed."""
    command = [python(), "-m", "pip", "--disable-pip-version-check", "--retries", "2", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["pip failed"]
        raise Failure(next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1]))


def with_gguf():
    """The environment's interpreter, with the gguf package in it."""
    root = folders.cache() / "venv"
    mark = root / f".has-{GGUF}"  # written last: an interrupted installation is done again
    if not (works(root / "bin" / "python") and mark.exists()):
        interpreter = python()
        say(f"installing {GGUF} into {root}")
        try:
            pip("install", "--quiet", GGUF)
        except Failure as failure:
            raise Failure(f"cannot install {GGUF} (is there a network?): {failure}") from None
        mark.touch()
        return interpreter
    return root / "bin" / "python"


def need_gguf():
    """Returns when gguf can be imported here; else starts this very script again where it can."""
    if importlib.util.find_spec("gguf"):
        return
    interpreter = with_gguf()
    os.execv(interpreter, [str(interpreter), *sys.argv])
