#!/usr/bin/env python3
"""Times a sweep (16 layers x 2 coefficients over 32 prompts of 40 tokens, 32 new tokens) on a random Llama: all cells
in one call of hrt's engine, one batched generation a cell in the same engine, and the published way, Hugging Face
transformers with hooks, one prompt at a time, of which a sample is timed.

    tools/bench/sweep_vs_transformers.py --bench build/default/bin/sweep_bench     (configured with -DHRT_BENCHMARKS=ON)

A development tool: needs torch and transformers; hrt itself never does. Rounds are interleaved, medians are printed.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT_TOKENS, NEW_TOKENS = 40, 32


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/default/bin/sweep_bench")
    parser.add_argument("--sample", type=int, default=8, help="generations of transformers in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/hrt-bench"))
    return parser.parse_args()


args = arguments()
os.environ["OMP_NUM_THREADS"] = str(args.threads)
# Threads that wait sleep: costs nothing on an idle machine, and on a busy one spares all sides a large part.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # noqa: E402  (after the number of threads is settled)
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM  # noqa: E402
from transformers.utils import logging  # noqa: E402


def checkpoint():
    folder = args.work / "random-llama"
    if not (folder / "config.json").exists():
        torch.manual_seed(0)
        config = LlamaConfig(hidden_size=512, intermediate_size=1376, num_hidden_layers=16, num_attention_heads=8,
                             vocab_size=32000)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def hrt_round(folder):
    """One sweep each way; the last line that is printed is JSON."""
    result = subprocess.run([args.bench, folder, "1"], check=True, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    print("\n".join(lines[:-1]), flush=True)
    return json.loads(lines[-1])


class Transformers:
    def __init__(self, folder):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.model.generation_config.eos_token_id = None
        self.random = random.Random(0)
        self.vector = 0.02 * torch.randn(self.model.config.hidden_size, generator=torch.Generator().manual_seed(1))

    def generation(self):
        """Seconds for one cell of one prompt: a hook adds to every prompt token at a block's input."""
        def add(_module, inputs):
            hidden = inputs[0]
            return (hidden + self.vector, *inputs[1:]) if hidden.shape[1] > 1 else None

        layer = self.random.randrange(self.model.config.num_hidden_layers)
        prompt = torch.tensor([[self.random.randrange(self.model.config.vocab_size) for _ in range(PROMPT_TOKENS)]])
        handle = self.model.model.layers[layer].register_forward_pre_hook(add)
        start = time.perf_counter()
        reply = self.model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False,
                                    max_new_tokens=NEW_TOKENS, pad_token_id=0)
        seconds = time.perf_counter() - start
        handle.remove()
        assert reply.shape[1] == PROMPT_TOKENS + NEW_TOKENS
        return seconds


def main():
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    args.work.mkdir(parents=True, exist_ok=True)
    folder = checkpoint()
    peer = Transformers(folder)
    peer.generation()  # warms up
    rounds = []
    for _ in range(args.rounds):
        ours = hrt_round(folder)
        generation = statistics.mean(peer.generation() for _ in range(args.sample))
        generations = ours["cells"] * ours["prompts"]
        rounds.append({"in one call": ours["in_one_call_s"], "cell by cell": ours["cell_by_cell_s"],
                       "transformers": generation * generations})
        print(f"transformers   {generation:7.3f} s a generation, {args.sample} timed of {generations}", flush=True)
    for way in rounds[0]:
        values = [r[way] for r in rounds]
        ratio = statistics.median(r[way] / r["in one call"] for r in rounds)
        print(f"{way:14} {statistics.median(values):8.2f} s ({min(values):.2f}-{max(values):.2f})  "
              f"{ratio:6.2f} times the time of one call")


if __name__ == "__main__":
    torch.set_num_threads(args.threads)
    with torch.inference_mode():
        main()
