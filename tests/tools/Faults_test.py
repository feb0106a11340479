"""What goes wrong on clusters, on the real binary: kills, full disks, read-only folders, two jobs on one run, odd locales."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from support import ROOT

sys.path.insert(0, str(ROOT / "tools" / "dev"))
import kill_and_resume as killing  # noqa: E402

HRT = os.environ["HRT_BINARY"]
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000


def can_mount():
    """A mount namespace of this process's own, as root or as a user that may have one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        made = libc.unshare(CLONE_NEWNS) == 0
    else:
        user = os.geteuid()
        made = libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0
        if made:
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    return made and subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0


def extract(out, *more, **environment):
    command = killing.command(HRT, out) + [str(part) for part in more]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def assert_fails(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Faults(Folder):
    def test_killed_at_random_moments_it_resumes_to_the_same_bytes(self):
        different, hits = killing.kill_and_resume(HRT, times=10, seed=time.time_ns())
        self.assertEqual(different, [])
        self.assertGreater(hits, 0)

    def test_two_jobs_on_one_run(self):
        out = self.folder / "run"
        first = subprocess.Popen(killing.command(HRT, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (out / "work").exists() and first.poll() is None:
            time.sleep(0.001)
        self.assert_fails(extract(out), 2, str(out), "another process")
        self.assertEqual(first.wait(), 0)

    def test_locale_and_time_zone_change_nothing(self):
        self.assertEqual(extract(self.folder / "usual").returncode, 0)
        locales = self.folder / "locales"
        locales.mkdir()
        # A locale that writes decimal commas, where the machine has what it takes to make one.
        made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", locales / "de_DE.UTF-8"], capture_output=True)
        settings = [{"LC_ALL": "C", "TZ": ""}]
        if made.returncode in (0, 1):  # 1: with warnings
            settings.append({"LC_ALL": "de_DE.UTF-8", "LOCPATH": str(locales), "TZ": "Pacific/Chatham"})
        for number, setting in enumerate(settings):
            out = self.folder / str(number)
            done = extract(out, **setting)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(killing.contents(out), killing.contents(self.folder / "usual"), setting)


    def stopped_with_mapped(self, weights):
        """An extraction of a copy of the organism, stopped at the moment it has its weights mapped."""
        model = weights.parent
        if not model.exists():
            shutil.copytree(ROOT / "data/organism/model", model)
        process = subprocess.Popen(killing.command(HRT, self.folder / "run") + ["--model", model], stderr=subprocess.PIPE, text=True)
        while str(weights) not in Path(f"/proc/{process.pid}/maps").read_text() and process.poll() is None:
            pass
        process.send_signal(signal.SIGSTOP)
        return process

    def assert_ends_in_one_line(self, process, *words):
        process.send_signal(signal.SIGCONT)
        error = process.communicate()[1]
        self.assert_fails(subprocess.CompletedProcess([], process.returncode, stderr=error), 1, *words)

    def test_a_checkpoint_that_is_cut_while_it_is_read(self):
        weights = self.folder / "model" / "model.safetensors"
        process = self.stopped_with_mapped(weights)
        os.truncate(weights, 65536)
        self.assert_ends_in_one_line(process, str(weights), "shorter than when it was opened")

    def test_a_checkpoint_that_changes_while_it_is_read(self):
        weights = self.folder / "model" / "model.safetensors"
        process = self.stopped_with_mapped(weights)
        with open(weights, "r+b") as file:
            file.seek(-2, os.SEEK_END)
            file.write(b"\0\0")
        self.assert_ends_in_one_line(process, str(weights), "changed")


class FaultsOfDisks(Folder):
    @classmethod
    def setUpClass(cls):
        if not can_mount():
            raise unittest.SkipTest("no mount namespace to be had")

    def mounted(self, *options):
        folder = self.folder / "disk"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", *options, "none", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder])
        return folder

    def test_a_disk_too_small_is_seen_before_anything_is_computed(self):
        out = self.mounted("-o", "size=2m") / "run"
        self.assert_fails(extract(out), 1, str(out), "are needed", "are free")
        self.assertFalse(out.exists())

    def test_a_resumed_run_needs_only_the_rest(self):
        plan = extract(self.folder / "plan", "--dry-run", "--json")
        disk = self.mounted("-o", f"size={json.loads(plan.stdout)['disk_bytes'] + 65536}")
        out = disk / "run"
        process = subprocess.Popen(killing.command(HRT, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list(out.glob("work/*.safetensors"))) < 2 and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        self.assertLess(process.wait(), 0)
        done = extract(out)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_disk_that_fills_up_loses_nothing(self):
        self.assertEqual(extract(self.folder / "whole").returncode, 0)
        disk = self.mounted("-o", "size=32m")
        out = disk / "run"
        process = subprocess.Popen(killing.command(HRT, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not list(out.glob("work/*.safetensors")) and process.poll() is None:
            time.sleep(0.001)
        ballast = disk / "ballast"
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4096"], stderr=subprocess.DEVNULL)  # to the last byte
        error = process.communicate()[1]
        self.assertEqual(process.returncode, 1, error)
        self.assertEqual(len(error.splitlines()), 1, error)
        self.assertRegex(error, "disk full|No space left")
        kept = list(out.glob("work/*.safetensors"))
        self.assertTrue(kept)
        ballast.unlink()
        self.assertEqual(extract(out).returncode, 0)
        self.assertEqual(killing.contents(out), killing.contents(self.folder / "whole"))

    def test_a_folder_that_cannot_be_written(self):
        folder = self.mounted()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        self.assert_fails(extract(folder / "run"), 2, str(folder / "run"), "Read-only file system")


if __name__ == "__main__":
    unittest.main()
