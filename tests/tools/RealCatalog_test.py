"""The catalog of the real model against the fetched prompt sets."""
import json
import unittest

from support import ROOT
from hrt_tools import folders

CATALOG = ROOT / "data" / "catalogs" / "smollm2.json"
COUNTS = {"do_not_answer": 939, "harmbench": 200, "past_tense": 730, "jailbreak_wrappers": 666, "harmful_pairs": 150,
          "harmless_pairs": 150, "edgy": 150}


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def prompts(entry):
    path = folders.cache() / entry["cache"] if "cache" in entry else CATALOG.parent / entry["file"]
    wanted = entry.get("where", {})
    rows = [row for row in read(path) if wanted.items() <= row.items()][entry.get("skip", 0):]
    return rows[:entry.get("limit")]


class RealCatalog(unittest.TestCase):
    def setUp(self):
        if not (folders.cache() / "prompts").is_dir():
            self.skipTest("run tools/fetch")
        self.roles = json.loads(CATALOG.read_text())["roles"]

    def test_every_set_is_complete(self):
        for name, count in COUNTS.items():
            rows = read(folders.cache() / "prompts" / f"{name}.jsonl")
            self.assertEqual(len(rows), count, name)
            self.assertEqual(len({row["id"] for row in rows}), count, name)
            self.assertTrue(all(row["instruction"] for row in rows), name)

    def test_every_entry_finds_prompts(self):
        for role, entries in self.roles.items():
            for entry in entries:
                self.assertGreater(len(prompts(entry)), 9, f"{role}: {entry}")

    def test_the_main_job_has_a_hundred_prompts_of_either_label(self):
        for label in ("harmful", "harmless"):
            rows = [row for entry in self.roles[f"{label}_train"] for row in prompts(entry)]
            self.assertGreaterEqual(len(rows), 100)
            self.assertEqual({row["label"] for row in rows}, {label})

    def test_no_prompt_stands_in_two_roles(self):
        role_of = {}
        for role, entries in self.roles.items():
            for row in (row for entry in entries for row in prompts(entry)):
                self.assertEqual(role_of.setdefault(row["instruction"], role), role, row["instruction"])


if __name__ == "__main__":
    unittest.main()
