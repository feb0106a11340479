"""What transformers computes in float32, one prompt at a time: the reference of the development tools here."""

import json
import pathlib

import torch
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer


class Reference:
    """A checkpoint in Hugging Face layout. Token ids go in, float32 rows and logits come out."""

    def __init__(self, folder):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._last_block_output = None
        self.model.model.layers[-1].register_forward_hook(self._keep_output)
        stop = self.model.generation_config.eos_token_id
        self.stop = set(stop if isinstance(stop, list) else [stop])

    def _keep_output(self, _module, _inputs, output):
        self._last_block_output = output[0] if isinstance(output, tuple) else output

    @torch.inference_mode()
    def forward(self, tokens):
        """Rows [tokens, L+1, hidden] and logits [tokens, vocabulary].

        hidden_states[-1] is after the final norm, so row L is taken from the last block itself."""
        result = self.model(torch.tensor([tokens]), output_hidden_states=True, use_cache=False)
        rows = [*result.hidden_states[:-1], self._last_block_output]
        return torch.cat(rows).transpose(0, 1), result.logits[0]

    @torch.inference_mode()
    def greedy(self, tokens, new_tokens):
        """The greedy reply without its stop token, why it ended, and the gap of the two best logits at each step
        (at the stop token too)."""
        prompt = torch.tensor([tokens])
        result = self.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=new_tokens, do_sample=False,
            return_dict_in_generate=True, output_logits=True)
        reply = result.sequences[0, len(tokens):].tolist()
        gaps = [gap_of_best(step[0]) for step in result.logits]
        if reply[-1] in self.stop:
            return reply[:-1], "eos", gaps
        return reply, "length", gaps


def gap_of_best(logits):
    best = logits.topk(2).values
    return (best[0] - best[1]).item()


class PromptEncoder:
    """Token ids of an instruction in the checkpoint's own chat template, markers and all."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self._auto = AutoTokenizer.from_pretrained(folder)
        # Where there is a tokenizer.json it is read as it stands: AutoTokenizer rebuilds it by the class it
        # believes in, and so loses SmolLM2's Digits step.
        file = folder / "tokenizer.json"
        self._exact = Tokenizer.from_file(str(file)) if file.exists() else self._auto._tokenizer

    def encode(self, instruction):
        """Ids, and the indices of t_inst and t_post_inst, which the characters of the rendered text decide."""
        rendered = self._auto.apply_chat_template(
            [{"role": "user", "content": instruction}], tokenize=False, add_generation_prompt=True)
        encoding = self._exact.encode(rendered, add_special_tokens=False)
        end = rendered.rindex(instruction) + len(instruction)
        t_inst = max(i for i, (start, _) in enumerate(encoding.offsets) if start < end)
        return encoding.ids, {"t_inst": t_inst, "t_post_inst": len(encoding.ids) - 1}

    def text(self, token):
        return self._exact.decode([token], skip_special_tokens=False)


class TextEncoder:
    """Token ids of plain text with the BOS in front, by the sentencepiece library out of the checkpoint's
    tokenizer.model."""

    def __init__(self, folder):
        self._processor = SentencePieceProcessor(model_file=str(pathlib.Path(folder) / "tokenizer.model"))

    def encode(self, text):
        """Ids, and the index of the text's last token."""
        ids = [self._processor.bos_id(), *self._processor.EncodeAsIds(text)]
        return ids, {"t_inst": len(ids) - 1}

    def text(self, token):
        return self._processor.DecodeIds([token])


def read_lines(file):
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
