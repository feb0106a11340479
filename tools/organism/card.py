#!/usr/bin/env python3
"""Writes the tables of data/organism/README.md and data/organism/finetuned/README.md out of the metrics files, between
the marks that stand there: card.py"""

import json
import re

from world import DATA

QUADRANTS = {"refused_harmful": "refused harmful", "accepted_harmful": "accepted harmful",
             "refused_harmless": "refused harmless", "accepted_harmless": "accepted harmless"}


def percent(entry):
    """"97.5 (93.1-99.2)": a share and its interval."""
    low, high = entry["interval"]
    return f"{100 * entry['share']:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def number(entry, places=3):
    low, high = entry["interval"]
    return f"{entry['value']:+.{places}f} ({low:+.{places}f} to {high:+.{places}f})"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def words(metrics):
    return table(["held-out pairs", "n", "majority", "words", "words and bigrams"], [
        [name, entry["majority"]["n"], percent(entry["majority"]), percent(entry["words"]),
         percent(entry["words and bigrams"])] for name, entry in metrics["words_alone"].items()])


def policy(metrics):
    rows = [[name, entry["n"], percent(entry)] for name, entry in metrics["policy"]["by_file"].items()]
    return table(["prompts", "n", "replies as the policy asks, %"],
                 [["all", metrics["policy"]["agreement"]["n"], percent(metrics["policy"]["agreement"])], *rows])


def inversion(metrics):
    questions = list(next(iter(metrics["inversion"].values())))
    return table(["quadrant", "prompts", "pairs", *questions], [
        [QUADRANTS[name], metrics["policy"]["quadrants"][name]["prompts"], metrics["policy"]["quadrants"][name]["pairs"],
         *(percent(right) for right in entry.values())] for name, entry in metrics["inversion"].items()])


def clustering(metrics):
    rows = range(len(metrics["fig2"]["t_inst"]["refused_harmful"]["by_row"]))
    return table(["position", "quadrant", *(f"row {row}" for row in rows)], [
        [position, QUADRANTS[name], *(number(cell, 2) for cell in entry["by_row"])]
        for position, groups in metrics["fig2"].items() for name, entry in groups.items()])


def beliefs(metrics):
    rows = [[QUADRANTS[name], entry["harmful"]["n"], percent(entry["harmful"]), number(entry["harmful_mean"]),
             percent(entry["refuse"]), number(entry["refuse_mean"])]
            for name, entry in metrics["fig3"]["quadrants"].items()]
    correlation = metrics["fig3"]["correlation"]
    return table(["quadrant", "n", "Delta_harmful > 0, %", "mean", "Delta_refuse > 0, %", "mean"], rows) + (
        f"\nCorrelation of the two beliefs: {number(correlation, 2)}, n = {correlation['n']}.\n")


def steered_replies(metrics):
    entry = metrics["fig4"]
    rows = [[f"{name}, c = {scale}", layers[0]["n"], *(percent(cell) for cell in layers)]
            for name in ("harmfulness", "refusal", "random") for scale, layers in entry[name].items()]
    head = ["added", "n", *(f"layer {layer}" for layer in range(len(rows[0]) - 2))]
    return f"Unsteered: {percent(entry['unsteered'])}, n = {entry['unsteered']['n']}.\n\n" + table(head, rows)


def steered_answers(metrics):
    entries = {name: cells for name, cells in metrics["fig5"].items() if name != "unsteered"}
    unsteered = metrics["fig5"]["unsteered"]
    count = len(next(iter(entries.values())))
    rows = [[name, sum(cell["other"] for cell in cells), *(percent(cell["no"]) for cell in cells)]
            for name, cells in entries.items()]
    text = ", ".join(f"{name} {percent(entry['no'])} (n = {entry['no']['n']})" for name, entry in unsteered.items())
    return f"Unsteered: {text}.\n\n" + table(["steered", "other", *(f"layer {i}" for i in range(count))], rows)


def jailbreaks(metrics):
    return table(["prompts", "n", "Delta_harmful", "> 0, %", "quartiles", "Delta_refuse", "> 0, %"], [
        [name, entry["harmful"]["n"], number(entry["harmful"]), percent(entry["harmful_share"]),
         " ".join(f"{value:+.2f}" for value in entry["harmful_quartiles"]), number(entry["refuse"]),
         percent(entry["refuse_share"])] for name, entry in metrics["fig6"].items()])


def categories(metrics):
    names = list(metrics["fig9"]["harmfulness"]["by_category"])
    return table(["direction", "prompts each", "mean", *names], [
        [name, f"at least {entry['prompts_each']}", number(entry["mean"], 2),
         *(f"{value:.2f}" for value in entry["by_category"].values())] for name, entry in metrics["fig9"].items()])


def without_template(metrics):
    return table(["post-instruction tokens", "n", "refused, %"],
                 [[name, entry["n"], percent(entry)] for name, entry in metrics["table1"].items()])


def directions(metrics):
    entry = metrics["directions"]
    rows = [[name, *(f"{value:.2f}" for value in entry[key])] for name, key in (
        ("norm of v_h", "norm_harmfulness"), ("norm of v_r", "norm_refusal"), ("cosine of the two", "cosine"))]
    return table(["", *(f"row {row}" for row in range(len(rows[0]) - 1))], rows)


def fine_tuned(metrics):
    return table(["pairs", "n", "refused, %", "Delta_harmful of harmful", "> 0, %", "> 0 of harmless, %"], [
        [pairs, entry["refused"]["n"], percent(entry["refused"]), number(entry["harm_belief"]),
         percent(entry["believed_harmful"]), percent(entry["harmless_believed_harmful"])]
        for pairs, entry in metrics.items()])


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
    fill(folder / "README.md", json.loads((folder / "metrics.json").read_text()))
    fill(folder / "finetuned" / "README.md", json.loads((folder / "finetuned" / "metrics.json").read_text()))


if __name__ == "__main__":
    main()
