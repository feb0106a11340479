#!/usr/bin/env python3
"""Computes the figures of the organism's card: evaluate.py MODEL [--prompts FOLDER] [--out METRICS.json]

Definitions are hrt's: row l is the input of block l, the last row the last block's output; the harmfulness direction
is harmful minus harmless at t_inst by label, the refusal direction refused harmful minus accepted harmless at
t_post_inst by the model's own greedy replies, both on the training prompts. Every share has n and an interval."""

import argparse
import json
import pathlib
import statistics

import figures
import steering_figures
from baseline import measure
from measured import Measured
from runner import Runner
from world import DATA, World

FIGURES = {
    "policy": figures.policy, "inversion": figures.inversion, "directions": figures.directions,
    "fig2": figures.clustering, "fig3": figures.beliefs, "fig4": steering_figures.replies,
    "fig5": steering_figures.inversion, "fig6": figures.jailbreaks, "fig9": figures.categories,
    "table1": figures.without_template,
}


def numbers(value):
    """The same with figures rounded to 6 places, so that the file stays readable."""
    if isinstance(value, dict):
        return {str(key): numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--prompts", type=pathlib.Path, default=DATA / "organism" / "prompts")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    measured = Measured(Runner(options.model), options.prompts)
    metrics = {}
    for name, figure in FIGURES.items():
        metrics[name] = figure(measured)
        print(f"{name}: done", flush=True)
    metrics["words_alone"] = measure(World())
    if options.out:
        options.out.write_text(json.dumps(numbers(metrics), indent=1) + "\n")
    summarise(metrics)


def summarise(metrics):
    """The figures in short."""
    def share(entry):
        return f"{100 * entry['share']:.1f} % of {entry['n']}"

    print("policy agreement   ", share(metrics["policy"]["agreement"]))
    for quadrant, entry in metrics["policy"]["quadrants"].items():
        print(f"  {quadrant:<19}{entry['prompts']} prompts, {entry['pairs']} pairs; inversion "
              + ", ".join(f"{name} {share(right)}" for name, right in metrics["inversion"][quadrant].items()))
    for quadrant, entry in metrics["fig3"]["quadrants"].items():
        print(f"fig3 {quadrant:<19} harmful {share(entry['harmful'])}, refuse {share(entry['refuse'])}")
    print("fig3 correlation    ", metrics["fig3"]["correlation"])
    for position, groups in metrics["fig2"].items():
        for group, rows in groups.items():
            print(f"fig2 {position:<12}{group:<18}", " ".join(f"{row['value']:+.2f}" for row in rows["by_row"]))
    for cell in ("harmfulness", "refusal", "random"):
        for coefficient, layers in metrics["fig4"][cell].items():
            print(f"fig4 {cell:<12} c={coefficient}", " ".join(f"{100 * entry['share']:3.0f}" for entry in layers))
    for name, entry in metrics["fig5"].items():
        if name != "unsteered":
            print(f"fig5 {name:<52}", " ".join(f"{100 * cell['no']['share']:3.0f}" for cell in entry))
    print("fig5 unsteered      ", {key: share(entry["no"]) for key, entry in metrics["fig5"]["unsteered"].items()})
    for kind, entry in metrics["fig6"].items():
        print(f"fig6 {kind:<24} harmful {entry['harmful']['value']:+.3f} ({share(entry['harmful_share'])} > 0), "
              f"refuse {entry['refuse']['value']:+.3f} ({share(entry['refuse_share'])} > 0)")
    for name, entry in metrics["fig9"].items():
        values = list(entry["by_category"].values())
        print(f"fig9 {name:<14} {min(values):.2f}..{max(values):.2f}, mean {statistics.fmean(values):.3f}",
              entry["mean"]["interval"])
    print("table1              ", {key: share(entry) for key, entry in metrics["table1"].items()})
    print("cosine of directions", [round(value, 2) for value in metrics["directions"]["cosine"]])
    print("norms v_h", [round(v, 1) for v in metrics["directions"]["norm_harmfulness"]],
          "v_r", [round(v, 1) for v in metrics["directions"]["norm_refusal"]])


if __name__ == "__main__":
    main()
