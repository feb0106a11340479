"""The example workflow of docs/ci does what it says, with the binary of this build."""

import os
import re
import subprocess
import tempfile
import unittest

import support

WORKFLOW = support.ROOT / "docs" / "ci" / "reproduce.yml"
BINARY = "build/default/bin/hrt"


def commands():
    """The shell lines of all steps, in order."""
    lines = WORKFLOW.read_text().split("\n")
    found = []
    for number, line in enumerate(lines):
        match = re.match(r"(\s*)run: (.*)", line)
        if not match:
            continue
        if match[2] != "|":
            found.append(match[2])
            continue
        for block in lines[number + 1:]:
            if len(block) - len(block.lstrip()) <= len(match[1]):
                break
            found.append(block.strip())
    return found


class Workflow(unittest.TestCase):
    def test_names_tools_and_presets_that_are_there(self):
        text = "\n".join(commands())
        self.assertTrue((support.ROOT / "tools" / "setup").exists())
        self.assertIn("tools/setup --torch cpu", text)
        presets = (support.ROOT / "CMakePresets.json").read_text()
        for preset in re.findall(r"--preset (\S+)", text):
            self.assertIn(f'"name": "{preset}"', presets)
        for path in re.findall(r"data/\S+\.json", text):
            self.assertTrue((support.ROOT / path).exists(), path)

    def test_its_commands_of_hrt_run(self):
        binary = os.environ["HRT_BINARY"]
        with tempfile.TemporaryDirectory() as folder:
            for command in [c for c in commands() if BINARY in c]:
                command = command.replace(BINARY, binary).replace("runs/ci", f"{folder}/ci")
                if " reproduce " in command:
                    command += " --only fig3 --device cpu"
                done = subprocess.run(command, shell=True, cwd=support.ROOT, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
            for name in ("report.html", "figures", "results.json"):
                self.assertTrue(os.path.exists(f"{folder}/ci/{name}"), name)


if __name__ == "__main__":
    unittest.main()
