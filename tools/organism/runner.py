"""The organism through transformers in float32: rows of the residual stream, greedy replies, steering by hooks."""

import dataclasses
import json

import torch
from documents import Templates
from tokenizer import Encoder
from transformers import LlamaForCausalLM
from world import DATA

BATCH = 64
NEW_TOKENS = 24


@dataclasses.dataclass
class Steering:
    """Adds `vector` to the input of block `layer`, at the tokens of each prompt that `scope` gives: (begin, end)."""
    layer: int
    vector: torch.Tensor
    scope: object


def instruction(prompt):
    return prompt.start, prompt.end


def before_question(prompt):
    return 0, prompt.end


def whole(prompt):
    return 0, len(prompt.ids)


class Runner:
    def __init__(self, folder):
        self.model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.encoder = Encoder(folder)
        self.templates = Templates(self.encoder)
        self.blocks = self.model.model.layers
        self._refusals = [phrase.lower() for phrase in
                          json.loads((DATA / "judges" / "arditi2024.json").read_text())["phrases"]]

    @torch.inference_mode()
    def rows(self, prompts, place):
        """Row l is the input of block l, row L the last block's output: [prompts, L+1, hidden], in float64.

        `place(prompt)` is the token's index."""
        kept = []
        handle = self.blocks[-1].register_forward_hook(lambda _module, _inputs, output: kept.append(output))
        result = []
        for prompt in prompts:
            states = self.model.model(torch.tensor([prompt.ids]), output_hidden_states=True,
                                      use_cache=False).hidden_states
            last = kept.pop()[0] if isinstance(kept[-1], tuple) else kept.pop()
            result.append(torch.stack([state[0, place(prompt)] for state in (*states[:-1], last)]))
        handle.remove()
        return torch.stack(result).double()

    def replies(self, prompts, steering=None):
        """Greedy replies, in the order of the prompts."""
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].ids))
        texts = [""] * len(prompts)
        for begin in range(0, len(order), BATCH):
            batch = order[begin:begin + BATCH]
            for i, text in zip(batch, self._batch([prompts[i] for i in batch], steering)):
                texts[i] = text
        return texts

    @torch.inference_mode()
    def _batch(self, prompts, steering):
        length = max(len(prompt.ids) for prompt in prompts)
        padding = [length - len(prompt.ids) for prompt in prompts]
        ids = torch.tensor([[self.encoder.pad] * pad + prompt.ids for pad, prompt in zip(padding, prompts)])
        mask = torch.tensor([[0] * pad + [1] * len(prompt.ids) for pad, prompt in zip(padding, prompts)])
        handle = steering and self.blocks[steering.layer].register_forward_pre_hook(
            addition(steering, prompts, padding, length))
        output = self.model.generate(ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False)
        if handle:
            handle.remove()
        return [self.encoder.text(self._until_stop(row[length:].tolist())) for row in output]

    def _until_stop(self, ids):
        return ids[:ids.index(self.encoder.end)] if self.encoder.end in ids else ids

    def refused(self, texts):
        """By the 12 phrases of Arditi et al., anywhere in the lower-cased reply."""
        return [any(phrase in text.lower() for phrase in self._refusals) for text in texts]


def addition(steering, prompts, padding, length):
    """A hook that steers the pass over the prompts and leaves the new tokens alone."""
    where = torch.zeros(len(prompts), length, 1)
    for row, (prompt, pad) in enumerate(zip(prompts, padding)):
        begin, end = steering.scope(prompt)
        where[row, pad + begin:pad + end] = 1
    delta = where * steering.vector.float()

    def hook(_module, inputs):
        hidden = inputs[0]
        return (hidden + delta, *inputs[1:]) if hidden.shape[1] == length else None

    return hook
