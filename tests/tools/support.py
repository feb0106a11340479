"""What the tests of the tools share."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "lib"))


def run(*command, **environment):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **{name: str(value) for name, value in environment.items()}})


def assert_one_line(test, done, *words):
    """Exit code 2, and one line on stderr that holds these words."""
    test.assertEqual(done.returncode, 2, done.stderr)
    test.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
    for word in words:
        test.assertIn(word, done.stderr)
