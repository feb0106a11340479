#!/usr/bin/env python3
"""Times `hrt extract` and Hugging Face transformers side by side: same checkpoint, same tokens, same threads.

    tools/bench/extract_vs_transformers.py random                        a random Llama, rows of 256 prompts
    tools/bench/extract_vs_transformers.py smollm2 --prompts FILE...     a real model, rows and replies of 512 prompts

A development tool: needs torch, transformers and safetensors; hrt itself never does. Rounds are interleaved, medians
are printed. transformers is timed without loading; of hrt's wall time what it says it spent on loading is taken off.
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


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=["random", "smollm2"])
    parser.add_argument("--hrt", type=pathlib.Path, default=ROOT / "build/default/bin/hrt")
    parser.add_argument("--model", type=pathlib.Path, help="folder of SmolLM2 (default: where tools/fetch puts it)")
    parser.add_argument("--prompts", type=pathlib.Path, nargs="+", default=[], help="JSONL files with `instruction`")
    parser.add_argument("--count", type=int, help="prompts (default: 256 for random, 512 for smollm2)")
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/hrt-bench"))
    return parser.parse_args()


args = arguments()
os.environ["OMP_NUM_THREADS"] = str(args.threads)
# Threads that wait sleep: costs nothing on an idle machine, and on a busy one spares both sides a large part.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # noqa: E402  (after the number of threads is settled)
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM  # noqa: E402
from transformers.utils import logging  # noqa: E402

# --- the two cases ---


def random_case():
    """A random Llama and prompts of 12 to 60 tokens that have no prefix in common."""
    model = args.work / "random-llama"
    if not (model / "config.json").exists():
        torch.manual_seed(0)
        config = LlamaConfig(hidden_size=512, intermediate_size=1376, num_hidden_layers=16, num_attention_heads=8,
                             vocab_size=32000)
        LlamaForCausalLM(config).save_pretrained(model)
    generator = random.Random(0)
    prompts = [{"tokens": [generator.randrange(3, 32000) for _ in range(generator.randint(12, 60))]}
               for _ in range(args.count or 256)]
    return model, prompts, ["--template", "raw", "--positions", "-5,-1"]


def smollm2_case():
    """SmolLM2 and real prompts through its chat template, with replies."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    lines = [json.loads(line) for file in args.prompts for line in file.open()]
    texts = sorted({line["instruction"] for line in lines})
    prompts = [{"instruction": text} for text in random.Random(0).sample(texts, args.count or 512)]
    return args.model or cache / "hrt/smollm2", prompts, ["--positions", "t_inst,t_post_inst", "--outcomes",
                                                          "generate", "--max-new-tokens", str(args.new_tokens)]


# --- hrt ---


def run_hrt(model, prompts, options):
    """Wall time without loading, and the manifest."""
    out = args.work / "run"
    command = [args.hrt, "extract", "--model", model, "--prompts", prompts, "--dtype", "float32", "--device", "cpu",
               "--threads", args.threads, "--out", out, "--overwrite", "--quiet", *options]
    start = time.perf_counter()
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if result.returncode not in (0, 3):  # 3: a direction could not be had; the rows are there
        raise SystemExit(f"{' '.join(map(str, command))}\n{result.stderr}")
    manifest = json.loads((out / "manifest.json").read_text())
    return seconds - manifest["timing"].get("load_s", 0), manifest


def hrt_results():
    """Tokens and captured positions of each prompt, rows by position name, replies by id."""
    out = args.work / "run"
    prompts = [json.loads(line) for line in (out / "prompts.jsonl").open()]
    rows = load_file(out / "activations.safetensors")
    replies = out / "replies.jsonl"
    replies = {line["id"]: line["tokens"] for line in map(json.loads, replies.open())} if replies.exists() else {}
    return prompts, rows, replies


# --- transformers ---


class Transformers:
    def __init__(self, folder, tokens, positions):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokens = tokens
        self.positions = positions
        self.order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))

    def one_by_one(self):
        """As the paper's code runs: batch 1, hidden states and the head."""
        rows = []
        for tokens, positions in zip(self.tokens, self.positions):
            output = self.model(torch.tensor([tokens]), output_hidden_states=True)
            rows.append(torch.stack([hidden[0, positions] for hidden in output.hidden_states], 1))
        return rows

    def batches(self, size=32):
        """Sorted by length, padded on the left."""
        for start in range(0, len(self.order), size):
            chosen = self.order[start:start + size]
            longest = max(len(self.tokens[i]) for i in chosen)
            pads = [longest - len(self.tokens[i]) for i in chosen]
            ids = torch.tensor([[0] * pad + self.tokens[i] for i, pad in zip(chosen, pads)])
            mask = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in pads])
            yield chosen, pads, ids, mask

    def rows(self):
        """Hidden states in sorted batches, without the head."""
        rows = [None] * len(self.tokens)
        for chosen, pads, ids, mask in self.batches():
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            output = self.model.model(ids, attention_mask=mask, position_ids=positions, output_hidden_states=True)
            for row, (i, pad) in enumerate(zip(chosen, pads)):
                index = [pad + position for position in self.positions[i]]
                rows[i] = torch.stack([hidden[row, index] for hidden in output.hidden_states], 1)
        return rows

    def replies(self, new_tokens):
        replies = [None] * len(self.tokens)
        for chosen, _, ids, mask in self.batches():
            output = self.model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=new_tokens,
                                         pad_token_id=0)
            for row, i in enumerate(chosen):
                replies[i] = output[row, ids.shape[1]:].tolist()
        return replies


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


# --- the machine ---


def shapes(config):
    """Matrices of one block, [out, in], fused as hrt has them."""
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    query, keys = config.num_attention_heads * head, config.num_key_value_heads * head
    return [(query + 2 * keys, config.hidden_size), (config.hidden_size, query),
            (2 * config.intermediate_size, config.hidden_size), (config.hidden_size, config.intermediate_size)]


def gemm_speed(matrices, rows):
    """FLOP/s of plain matrix products of these shapes, best of 5."""
    weights = [torch.randn(shape) for shape in matrices]
    inputs = [torch.randn(rows, shape[1]) for shape in matrices]

    def once():
        for x, weight in zip(inputs, weights):
            torch.mm(x, weight.t())

    once()
    seconds = min(timed(once)[0] for _ in range(5))
    return 2 * rows * sum(out * width for out, width in matrices) / seconds


def shares(config, timing):
    """The share of the machine's GEMM speed that prefill and decode reach."""
    matrices, head = shapes(config), (config.vocab_size, config.hidden_size)
    block = sum(out * width for out, width in matrices)
    work = 2 * timing["prefill_tokens"] * config.num_hidden_layers * block
    print(f"prefill: {timing['prefill_tokens']} tokens, {work / timing['prefill_s'] / 1e9:.0f} GFLOP/s, "
          f"{work / timing['prefill_s'] / gemm_speed(matrices, 1024):.0%} of the GEMM speed")
    if timing["decode_tokens"]:
        layers = config.num_hidden_layers
        work = 2 * timing["decode_tokens"] * (layers * block + head[0] * head[1])
        speed = gemm_speed(matrices * layers + [head], timing.get("batch_size", 128))
        print(f"decode: {timing['decode_tokens']} tokens, {work / timing['decode_s'] / 1e9:.0f} GFLOP/s, "
              f"{work / timing['decode_s'] / speed:.0%} of the GEMM speed")


# --- comparison ---


def differences(names, theirs):
    """The largest relative difference of a row; the last row is after the final norm in transformers: left out."""
    prompts, rows, _ = hrt_results()
    worst = 0.0
    for i in range(len(prompts)):
        for k, name in enumerate(names):
            ours, other = rows[name][i][:-1], theirs[i][k][:-1]
            worst = max(worst, ((ours - other).norm(dim=-1) / other.norm(dim=-1)).max().item())
    return worst


def equal_replies(theirs, stop):
    prompts, _, replies = hrt_results()
    cut = [next((reply[:k] for k, token in enumerate(reply) if token in stop), reply) for reply in theirs]
    return sum(replies[prompt["id"]] == reply for prompt, reply in zip(prompts, cut))


def main():
    args.work.mkdir(parents=True, exist_ok=True)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder, prompts, options = random_case() if args.case == "random" else smollm2_case()
    file = args.work / "prompts.jsonl"
    file.write_text("".join(json.dumps(prompt) + "\n" for prompt in prompts))
    fast = [*options, "--verify", "0"]

    run_hrt(folder, file, fast)  # warms the page cache, and tells which tokens the prompts have
    known = hrt_results()[0]
    names = list(known[0]["positions"])
    peer = Transformers(folder, [prompt["tokens"] for prompt in known],
                        [[prompt["positions"][name]["index"] for name in names] for prompt in known])
    config = peer.model.config
    stop = peer.model.generation_config.eos_token_id
    last_row = ["--layers", str(config.num_hidden_layers)]

    seconds = {}
    rows = replies = manifest = None
    for _ in range(args.rounds):
        def note(name, value):
            seconds.setdefault(name, []).append(value)

        took, manifest = run_hrt(folder, file, fast)
        note("hrt", took)
        took, rows = timed(peer.rows)
        if args.case == "smollm2":
            generating, replies = timed(peer.replies, args.new_tokens)
            note("transformers, sorted batches of 32", took + generating)
        else:
            note("transformers, sorted batches of 32, no head", took)
            note("transformers, batch 1 with head", timed(peer.one_by_one)[0])
            note("hrt, one row", run_hrt(folder, file, [*fast, *last_row])[0])
        note("hrt with its default --verify", run_hrt(folder, file, options)[0])

    for name, values in seconds.items():
        ratio = statistics.median(value / ours for value, ours in zip(values, seconds["hrt"]))
        print(f"{name:44} {statistics.median(values):8.2f} s ({min(values):.2f}-{max(values):.2f})  "
              f"{ratio:5.2f} times hrt")
    run_hrt(folder, file, fast)
    print(f"rows differ by at most {differences(names, rows):.1e} of their norm")
    if replies:
        stop = stop if isinstance(stop, list) else [stop]
        print(f"{equal_replies(replies, stop)} of {len(replies)} replies are equal")
    shares(config, manifest["timing"])


if __name__ == "__main__":
    torch.set_num_threads(args.threads)
    with torch.inference_mode():
        main()
