"""tools/setup on machines that lack something: a PATH of our own decides what is there."""
import shutil
import tempfile
import unittest
from pathlib import Path

import support

BASICS = ["bash", "dirname", "awk", "sed", "grep", "env", "realpath", "ln", "mkdir", "g++", "cmake", "ninja",
          "pkg-config", "python3", "ccache", "mold", "gnuplot"]


class Setup(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name) / "project"
        shutil.copytree(support.ROOT / "tools", self.root / "tools")
        self.bin = Path(temporary.name) / "bin"
        self.bin.mkdir()
        for name in BASICS:
            if found := shutil.which(name):
                # A script rather than a link: compilers and Python look at the path they are called by.
                self.command(name, f'exec {found} "$@"')
        self.torch = Path(temporary.name) / "torch"
        for file in ("include/ATen/core/Tensor.h", "lib/libtorch.so"):
            (self.torch / file).parent.mkdir(parents=True, exist_ok=True)
            (self.torch / file).touch()

    def command(self, name, body):
        (self.bin / name).write_text(f"#!/bin/bash\n{body}\n")
        (self.bin / name).chmod(0o755)

    def setup_with(self, *arguments):
        return support.run("/bin/bash", self.root / "tools" / "setup", *arguments, PATH=self.bin)

    def test_uses_an_existing_torch_and_says_which(self):
        done = self.setup_with("--torch", self.torch)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(str(self.torch), done.stdout)
        self.assertEqual((self.root / ".venv" / "torch").resolve(), self.torch.resolve())
        again = self.setup_with()  # remembered, and nothing to do
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(str(self.torch), again.stdout)

    def test_refuses_a_folder_without_torch(self):
        (self.torch / "lib/libtorch.so").unlink()
        support.assert_one_line(self, self.setup_with("--torch", self.torch), str(self.torch))

    def test_lists_what_it_cannot_install(self):
        (self.bin / "cmake").unlink()
        (self.bin / "ninja").unlink()
        support.assert_one_line(self, self.setup_with("--torch", self.torch), "cmake ninja-build")

    def test_goes_on_without_what_is_optional(self):
        (self.bin / "mold").unlink(missing_ok=True)
        done = self.setup_with("--torch", self.torch)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("mold", done.stdout)

    def test_installs_what_is_missing_and_nothing_else(self):
        (self.bin / "cmake").unlink()
        log = self.root / "apt.log"
        self.command("sudo", 'while [[ $1 == -* ]]; do shift; done; exec "$@"')
        self.command("apt-get", f'echo "$*" >> {log}; [[ $* != *install* ]] || '
                                f'{{ echo "#!/bin/bash" > {self.bin}/cmake; {shutil.which("chmod")} +x {self.bin}/cmake; }}')
        done = self.setup_with("--torch", self.torch)
        self.assertEqual(done.returncode, 0, done.stderr)
        update, install = log.read_text().splitlines()
        self.assertIn("update", update)
        self.assertTrue(install.endswith("--no-install-recommends cmake"), install)


if __name__ == "__main__":
    unittest.main()
