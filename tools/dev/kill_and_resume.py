#!/usr/bin/env python3
"""Kills an extraction with replies at random moments, resumes it, and compares every result with an undisturbed run.

    tools/dev/kill_and_resume.py HRT [--times 100] [--seed 0]

SIGKILL comes at a moment drawn evenly over the run's own duration, and as often as drawn (once to three times) before the
run is let to its end. Bytes must be the same, the manifest (which holds times) aside. Exit code 1 when a run differs.
"""
import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ("prompts.jsonl", "replies.jsonl", "activations.safetensors", "centroids.safetensors", "directions.safetensors")


def command(hrt, out):
    return [str(hrt), "extract", "--data", str(ROOT / "data/catalogs/organism.json"), "--config", str(ROOT / "configs/extract.json"),
            "--outcomes", "generate", "--max-new-tokens", "16", "--group-size", "8", "--device", "cpu", "--quiet",
            "--out", str(out), "--resume"]


def run(hrt, out):
    done = subprocess.run(command(hrt, out), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr}")


def killed(hrt, out, after):
    """Starts the run and kills it after so many seconds; whether it was still running then."""
    process = subprocess.Popen(command(hrt, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() < 0


def contents(out):
    return {name: (out / name).read_bytes() for name in RESULTS}


def kill_and_resume(hrt, times, seed, tell=lambda text: None):
    """The trials whose results differ from the undisturbed run's, as texts; and how many kills hit a running process."""
    drawn = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.monotonic()
        run(hrt, folder / "whole")
        duration = time.monotonic() - start
        expected = contents(folder / "whole")
        different, hits = [], 0
        for trial in range(times):
            out = folder / f"{trial}"
            moments = [drawn.uniform(0, duration) for _ in range(drawn.randint(1, 3))]
            hits += sum(killed(hrt, out, moment) for moment in moments)
            run(hrt, out)
            found = contents(out)
            wrong = [name for name in RESULTS if found[name] != expected[name]]
            if wrong:
                different.append(f"trial {trial}, killed after {moments} s: {', '.join(wrong)}")
            tell(f"{trial + 1}/{times}: {len(different)} different, {hits} kills in mid-run")
        return different, hits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hrt", type=Path)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    different, hits = kill_and_resume(options.hrt, options.times, options.seed, tell=lambda text: print(text, end="\r", flush=True))
    print(f"\n{options.times - len(different)} of {options.times} resumed to the same bytes ({hits} kills in mid-run)")
    print("\n".join(different))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
