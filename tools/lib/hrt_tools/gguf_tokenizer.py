"""The tokenizer's files out of GGUF metadata: tokenizer.json of a byte-level BPE (`gpt2`) or tokenizer.model of a
sentencepiece vocabulary (`llama`), and tokenizer_config.json.

What GGUF leaves out of a byte-level BPE, the pre-tokenizer above all, follows from the name in tokenizer.ggml.pre. For
`smollm` the two files are, byte for byte, those of the release."""
import json

from . import gguf_sentencepiece
from .command import Failure
from .gguf_model import architecture, token_id

CONTROL, USER_DEFINED = 3, 4  # token types of GGUF
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
LLAMA3_REGEX = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2_REGEX = LLAMA3_REGEX.replace(r"\p{N}{1,3}", r"\p{N}")
PLAIN = {**BYTE_LEVEL, "trim_offsets": False, "use_regex": False}
PRE = {
    "smollm": {
        "split": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
        "ignore_merges": False, "bos": False, "special_in_vocabulary": True, "class": "GPT2Tokenizer",
    },
    "llama-bpe": {
        "split": [{"type": "Split", "pattern": {"Regex": LLAMA3_REGEX}, "behavior": "Isolated", "invert": False},
                  {**BYTE_LEVEL, "use_regex": False}],
        "ignore_merges": True, "bos": True, "special_in_vocabulary": False, "class": "PreTrainedTokenizerFast",
    },
    "qwen2": {
        "normalizer": {"type": "NFC"},
        "split": [{"type": "Split", "pattern": {"Regex": QWEN2_REGEX}, "behavior": "Isolated", "invert": False}, PLAIN],
        "ignore_merges": False, "bos": False, "post_processor": PLAIN, "decoder": PLAIN, "special_in_vocabulary": False,
        "class": "Qwen2Tokenizer",
    },
}


def files(file):
    """Name -> content of the files."""
    model, pre = file.get("tokenizer.ggml.model", str), file.get("tokenizer.ggml.pre", str, "")
    if model not in ("gpt2", "llama"):
        raise Failure(f"{file.path}: tokenizer.ggml.model is {model!r}, supported: gpt2, llama")
    if model == "gpt2" and pre not in PRE:
        raise Failure(f"{file.path}: tokenizer.ggml.pre is {pre!r}, supported: {', '.join(PRE)}")
    tokens = file.get("tokenizer.ggml.tokens", list)
    kinds = file.get("tokenizer.ggml.token_type", list)
    if len(kinds) != len(tokens):
        raise Failure(f"{file.path}: {len(tokens)} tokens, but {len(kinds)} token types")
    added = [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": kind == CONTROL}
             for i, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)]
    if model == "llama":
        special = [token for token in added if token["special"]]  # the library finds the others by itself
        config = settings(file, tokens, special, architecture(file)[1].tokenizer_class) | sentencepiece_settings(file)
        return {"tokenizer.model": gguf_sentencepiece.model(file, tokens, kinds),
                "tokenizer_config.json": dump(config) + "\n"}
    return {"tokenizer.json": dump(tokenizer(file, tokens, added, PRE[pre])),
            "tokenizer_config.json": dump(settings(file, tokens, added, PRE[pre]["class"])) + "\n"}


def sentencepiece_settings(file):
    """What stands around a text; only the text's beginning gets the dummy prefix (`legacy`: what stands behind a special
    token, too)."""
    return {"add_bos_token": file.get("tokenizer.ggml.add_bos_token", bool, True),
            "add_eos_token": file.get("tokenizer.ggml.add_eos_token", bool, False),
            "add_prefix_space": file.get("tokenizer.ggml.add_space_prefix", bool, True), "legacy": False}


def dump(value):
    return json.dumps(value, ensure_ascii=False, indent=2)


def tokenizer(file, tokens, added, pre):
    outside = set() if pre["special_in_vocabulary"] else {token["id"] for token in added}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": pre.get("normalizer"),
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre["split"]},
        "post_processor": post_processor(file, tokens, pre),
        "decoder": pre.get("decoder", {**BYTE_LEVEL, "add_prefix_space": True}),
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": pre["ignore_merges"],
                  "vocab": {token: i for i, token in enumerate(tokens) if i not in outside},
                  "merges": file.get("tokenizer.ggml.merges", list)},
    }


def post_processor(file, tokens, pre):
    """The one that writes the BOS; the kind's own where none is written."""
    if not file.get("tokenizer.ggml.add_bos_token", bool, pre["bos"]):
        return pre.get("post_processor")
    number = token_id(file, "bos")
    if number is None:
        raise Failure(f"{file.path}: a BOS is to be added, but tokenizer.ggml.bos_token_id is missing")
    bos = tokens[number]

    def special(kind):
        return {"SpecialToken": {"id": bos, "type_id": kind}}

    def sequence(name, kind):
        return {"Sequence": {"id": name, "type_id": kind}}
    template = {"type": "TemplateProcessing", "single": [special(0), sequence("A", 0)],
                "pair": [special(0), sequence("A", 0), special(1), sequence("B", 1)],
                "special_tokens": {bos: {"id": bos, "ids": [number], "tokens": [bos]}}}
    byte_level = {**BYTE_LEVEL, "add_prefix_space": True, "trim_offsets": False}
    return {"type": "Sequence", "processors": [byte_level, template]}


def settings(file, tokens, added, tokenizer_class):
    named = {name: tokens[token_id(file, key)] if token_id(file, key) is not None else None
             for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))}
    order = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    config = {
        "add_prefix_space": file.get("tokenizer.ggml.add_space_prefix", bool, False),
        "added_tokens_decoder": {str(token["id"]): {key: token[key] for key in order} for token in added},
        "additional_special_tokens": [named[name] for name in ("bos", "eos") if named[name] is not None],
        "bos_token": named["bos"],
        "chat_template": file.metadata.get("tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "eos_token": named["eos"],
        "model_max_length": file.get(f"{architecture(file)[0]}.context_length", int),
        "pad_token": named["pad"],
        "tokenizer_class": tokenizer_class,
        "unk_token": named["unk"],
        "vocab_size": len(tokens),
    }
    return {key: value for key, value in config.items() if value is not None}
