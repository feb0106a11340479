import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support
from hrt_tools import folders


class Folders(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.parent = Path(temporary.name)
        self.path = self.parent / "made"

    def make(self, text="one"):
        with folders.new_folder(self.path, replace=True) as partial:
            (partial / "file").write_text(text)
            folders.seal(partial)

    def test_appears_only_when_the_body_ended(self):
        with folders.new_folder(self.path):
            self.assertFalse(self.path.exists())
        self.assertTrue(self.path.is_dir())

    def test_an_error_leaves_nothing(self):
        with self.assertRaises(ValueError), folders.new_folder(self.path) as partial:
            (partial / "file").write_text("half")
            raise ValueError
        self.assertEqual(list(self.parent.iterdir()), [])

    def test_a_killed_process_leaves_nothing_under_the_name(self):
        code = ("import os, pathlib, signal, sys; from hrt_tools import folders\n"
                "with folders.new_folder(pathlib.Path(sys.argv[1])) as partial:\n"
                "    (partial / 'file').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)")
        done = subprocess.run([sys.executable, "-c", code, self.path], cwd=support.ROOT / "tools" / "lib")
        self.assertEqual(done.returncode, -signal.SIGKILL)
        self.assertFalse(self.path.exists())
        self.make()
        self.assertTrue(folders.is_whole(self.path))

    def test_a_missing_or_changed_file_is_seen(self):
        self.assertFalse(folders.is_whole(self.path))
        self.make()
        self.assertTrue(folders.is_whole(self.path))
        (self.path / "file").write_text("two")
        self.assertFalse(folders.is_whole(self.path))
        (self.path / "file").unlink()
        self.assertFalse(folders.is_whole(self.path))

    def test_replaces_what_was_there(self):
        self.make("one")
        self.make("two")
        self.assertEqual((self.path / "file").read_text(), "two")


if __name__ == "__main__":
    unittest.main()
