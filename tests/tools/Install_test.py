"""The installed tree runs after being moved, with its own libraries, in an empty environment, without Python."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

GLIBC = ("ld-linux", "linux-vdso", "libc.so", "libm.so", "libdl.so", "librt.so", "libpthread.so", "libresolv.so", "libutil.so")


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        first = Path(cls.folder.name) / "first"
        subprocess.run(["cmake", "--install", os.environ["HRT_BUILD"], "--prefix", first], check=True, stdout=subprocess.DEVNULL)
        cls.tree = Path(cls.folder.name) / "moved" / "hrt tree"
        cls.tree.parent.mkdir()
        shutil.move(first, cls.tree)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_hrt(self, *arguments):
        return subprocess.run([self.tree / "bin" / "hrt", *arguments], cwd=self.folder.name, env={}, capture_output=True, text=True)

    def test_every_library_but_glibc_is_its_own(self):
        listed = subprocess.run(["ldd", self.tree / "bin" / "hrt"], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            if any(name in line for name in GLIBC):
                continue
            self.assertIn(str(self.tree / "lib"), os.path.realpath(line.split("=>")[1].split(" (")[0].strip()), line)

    def test_a_whole_run_from_another_folder(self):
        data = self.tree / "share" / "hrt"
        out = Path(self.folder.name) / "run"
        done = self.run_hrt("probe", "--config", data / "configs/zhao2025/fig3.json", "--data", data / "data/catalogs/organism.json",
                            "--limit", "10", "--device", "cpu", "--quiet", "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((out / "results.json").exists())

    def test_experiments_find_their_configs(self):
        done = self.run_hrt("reproduce", "--data", self.tree / "share/hrt/data/catalogs/organism.json", "--dry-run", "--out",
                            Path(self.folder.name) / "all")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("fig5_11_12", done.stdout)


if __name__ == "__main__":
    unittest.main()
