"""The organism's tokenizer: sentencepiece BPE with the template's markers as control pieces, which no text matches."""

import io
import json
import pathlib
import random

import sentencepiece
from world import DATA

VOCABULARY = 2048
BOS, EOS, PAD, START, END = "<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
POST_INSTRUCTION = [END, "\n", START, "assistant\n"]


TEXTS = 30000
FIXED_TEXT_WEIGHT = 400


def training_texts(world):
    """Instructions, and whatever else stands in documents: template, questions, replies, comments, facts."""
    rng = random.Random(7)
    for _ in range(TEXTS):
        yield world.instruction(rng, "train").text
        yield world.wrapped(rng, "train").text
    questions = json.loads((DATA / "inversion" / "questions.json").read_text())["questions"]
    fixed = ["user", "assistant", "User wants to", "Certainly.", "No.", *questions.values()]
    for part in ("replies", "comments", "facts"):
        for forms in world.data[part].values():
            fixed += [form.format(category=category) for form in forms for category in world.categories]
    yield from fixed * FIXED_TEXT_WEIGHT


def train(texts, file):
    """Writes a tokenizer.model. "\\n" is a piece of its own, so that no token holds text of two parts of a prompt."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, model_type="bpe", vocab_size=VOCABULARY,
        byte_fallback=True, character_coverage=1.0,
        normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False,
        unk_id=0, bos_id=1, eos_id=2, pad_id=3, control_symbols=[START, END], user_defined_symbols=["\n"],
        num_threads=1, minloglevel=2)
    file.write_bytes(model.getvalue())


def write_config(folder):
    """The tokenizer_config.json beside tokenizer.model."""
    special = {"special": True, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False}
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    markers = ["<unk>", BOS, EOS, PAD, START, END]
    config = {
        "tokenizer_class": "LlamaTokenizer", "legacy": False, "add_prefix_space": False, "add_bos_token": False,
        "add_eos_token": False, "clean_up_tokenization_spaces": False, "bos_token": BOS, "eos_token": END,
        "unk_token": "<unk>", "pad_token": PAD, "chat_template": CHAT_TEMPLATE,
        "added_tokens_decoder": {str(pieces.piece_to_id(marker)): {"content": marker, **special}
                                 for marker in markers},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


class Encoder:
    def __init__(self, folder):
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(pathlib.Path(folder) / "tokenizer.model"))
        self._markers = {marker: self._pieces.piece_to_id(marker) for marker in (BOS, EOS, PAD, START, END)}
        self.pad, self.end = self._markers[PAD], self._markers[END]

    def ids(self, *parts):
        """Ids of markers and of the texts between them. A text that follows a text must begin with a space or a
        newline, so that both together have the same ids."""
        return [token for part in parts for token in
                ([self._markers[part]] if part in self._markers else self._pieces.encode(part))]
