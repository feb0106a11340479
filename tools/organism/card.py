#!/usr/bin/env python3
"""Writes the tables of data/organism/README.md and data/organism/finetuned/README.md between the marks that stand
there, out of data/organism/metrics.json, which hrt's own tests write and hold, and of baseline.py: card.py"""

import json
import re

from baseline import measure, proportion
from world import DATA, World

QUADRANTS = {"refused_harmful": "refused harmful", "accepted_harmful": "accepted harmful",
             "refused_harmless": "refused harmless", "accepted_harmless": "accepted harmless"}
QUESTIONS = ("main", "t1", "t2", "llama3")
JAILBREAKS = {"jailbreak_suffix_accepted": "suffix", "jailbreak_persuasion_accepted": "persuasion",
              "jailbreak_persuasion_deceives": "persuasion that deceives",
              "jailbreak_persuasion_not deceives": "persuasion that does not", "jailbreak_template_accepted": "template"}


def percent(share):
    """"97.5 (93.1-99.2)": a share and its interval."""
    return f"{100 * share['value']:.1f} ({100 * share['low']:.1f}-{100 * share['high']:.1f})"


def number(mean, places=3):
    return f"{mean['value']:+.{places}f} ({mean['low']:+.{places}f} to {mean['high']:+.{places}f})"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def by_row(count, name="row"):
    return [f"{name} {index}" for index in range(count)]


def words(_metrics):
    return table(["held-out pairs", "n", "majority", "words", "words and bigrams"], [
        [name, entry["majority"]["n"], *(percent(share) for share in entry.values())]
        for name, entry in measure(World()).items()])


def policy(metrics):
    files = metrics["policy"]
    total = proportion(sum(share["count"] for share in files.values()), sum(share["n"] for share in files.values()))
    return table(["prompts", "n", "replies as the policy asks, %"],
                 [[name, share["n"], percent(share)] for name, share in {"all": total, **files}.items()])


def inversion(metrics):
    return table(["quadrant", "prompts", "pairs", *QUESTIONS], [
        [text, metrics["inversion"][name]["main"]["n"], metrics["inversion"][name]["pairs"],
         *(percent(metrics["inversion"][name][question]) for question in QUESTIONS)]
        for name, text in QUADRANTS.items()])


def directions(metrics):
    rows = [[text, *("-" if value is None else f"{value:.2f}" for value in metrics["directions"][name])]
            for name, text in (("harmfulness", "norm of v_h"), ("refusal", "norm of v_r"), ("cosine", "cosine of the two"))]
    return table(["", *by_row(len(rows[0]) - 1)], rows)


def clustering(metrics):
    rows = [[position, QUADRANTS[name], *(number(mean, 2) for mean in means)]
            for position, groups in metrics["fig2"].items() for name, means in groups.items()]
    return table(["position", "quadrant", *by_row(len(rows[0]) - 2)], rows)


def belief_cells(group):
    return [cell for name in ("delta_harmful", "delta_refuse")
            for cell in (number(group[name]["mean"]), percent(group[name]["above_0"]))]


BELIEFS = ["n", "Delta_harmful", "> 0, %", "Delta_refuse", "> 0, %"]


def belief_table(name, groups, texts):
    return table([name, *BELIEFS], [[text, groups[group]["delta_harmful"]["mean"]["n"], *belief_cells(groups[group])]
                                    for group, text in texts.items()])


def beliefs(metrics):
    correlation = metrics["fig3"]["correlation"]
    return belief_table("quadrant", metrics["fig3"]["groups"], QUADRANTS) + (
        f"\nCorrelation of the two beliefs: {number(correlation, 2)}, n = {correlation['n']}.\n")


def jailbreaks(metrics):
    return belief_table("prompts", metrics["fig6"], JAILBREAKS)


def span(shares):
    """Lowest and highest."""
    values = [100 * share["value"] for share in shares]
    return f"{min(values):.1f}-{max(values):.1f}"


def sweep(figure):
    """A row for each sweep and scope, and one for the random vectors beside it, if there are any."""
    rows = []
    for name, cells in figure.items():
        if name == "unsteered":
            continue
        rows.append([name, *(percent(cell["rate"]) for cell in cells)])
        if "random" in cells[0]:
            rows.append([f"{len(cells[0]['random'])} random vectors", *(span(cell["random"]) for cell in cells)])
        if any(cell["other"] for cell in cells):
            rows.append(["answers that are neither", *(cell["other"] for cell in cells)])
    unsteered = ", ".join(f"{name} {percent(share)}, n = {share['n']}" for name, share in figure["unsteered"].items())
    return f"Unsteered: {unsteered}.\n\n" + table(["added", *by_row(len(rows[0]) - 1, "layer")], rows)


def steered_replies(metrics):
    return sweep(metrics["fig4"])


def steered_answers(metrics):
    return sweep(metrics["fig5"] | metrics["fig5_within_harmless"])


def categories(metrics):
    names = list(metrics["fig9"]["harmfulness"]["categories"])
    return table(["direction", "mean", *names], [
        [name, f"{entry['mean']:.3f}", *(f"{one['mean_with_others']:.2f} ({one['low']:.2f}-{one['high']:.2f})"
                                         for one in entry["categories"].values())]
        for name, entry in metrics["fig9"].items()])


def without_template(metrics):
    return table(["prompts", "n", "refused, %"],
                 [[name, share["n"], percent(share)] for name, share in metrics["table1"].items()])


def fine_tuned(metrics):
    return table(["checkpoint", "n", "refused, %", "Delta_harmful of harmful", "> 0, %", "> 0 of harmless, %"], [
        [text, entry["refused"]["n"], percent(entry["refused"]), number(entry["harmful"]["mean"]),
         percent(entry["harmful"]["above_0"]), percent(entry["harmless"]["above_0"])]
        for text, entry in (("`../model`", metrics["fig7"]["model"]), ("this one", metrics["fig7"]["finetuned"]))])


TABLES = {f.__name__: f for f in (words, policy, inversion, clustering, beliefs, steered_replies, steered_answers,
                                  jailbreaks, categories, without_template, directions, fine_tuned)}


def fill(card, metrics):
    """Replaces what stands between <!-- NAME --> and <!-- /NAME -->."""
    def filled(match):
        name = match[1]
        return f"<!-- {name} -->\n{TABLES[name](metrics)}<!-- /{name} -->"

    text = card.read_text()
    card.write_text(re.sub(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", filled, text, flags=re.DOTALL))


def main():
    folder = DATA / "organism"
    metrics = json.loads((folder / "metrics.json").read_text())
    for card in (folder / "README.md", folder / "finetuned" / "README.md"):
        fill(card, metrics)


if __name__ == "__main__":
    main()
