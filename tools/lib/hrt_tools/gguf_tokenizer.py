"""tokenizer.json and tokenizer_config.json of a byte-level BPE, out of GGUF metadata.

What GGUF leaves out, the pre-tokenizer above all, follows from the name in tokenizer.ggml.pre. For `smollm` the two
files are, byte for byte, those of the release."""
import json

from .command import Failure
from .gguf_llama import token_id

CONTROL, USER_DEFINED = 3, 4  # token types of GGUF
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
LLAMA3_REGEX = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")
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
}


def files(file):
    """Name -> content of the two files."""
    model, pre = file.get("tokenizer.ggml.model", str), file.get("tokenizer.ggml.pre", str, "")
    if model != "gpt2":
        raise Failure(f"{file.path}: tokenizer.ggml.model is {model!r}, only 'gpt2' is supported")
    if pre not in PRE:
        raise Failure(f"{file.path}: tokenizer.ggml.pre is {pre!r}, supported: {', '.join(PRE)}")
    tokens = file.get("tokenizer.ggml.tokens", list)
    kinds = file.get("tokenizer.ggml.token_type", list)
    if len(kinds) != len(tokens):
        raise Failure(f"{file.path}: {len(tokens)} tokens, but {len(kinds)} token types")
    added = [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": kind == CONTROL}
             for i, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)]
    return {"tokenizer.json": dump(tokenizer(file, tokens, added, PRE[pre])),
            "tokenizer_config.json": dump(settings(file, tokens, added, PRE[pre])) + "\n"}


def dump(value):
    return json.dumps(value, ensure_ascii=False, indent=2)


def tokenizer(file, tokens, added, pre):
    outside = set() if pre["special_in_vocabulary"] else {token["id"] for token in added}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre["split"]},
        "post_processor": post_processor(file, tokens, pre),
        "decoder": {**BYTE_LEVEL, "add_prefix_space": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": pre["ignore_merges"],
                  "vocab": {token: i for i, token in enumerate(tokens) if i not in outside},
                  "merges": file.get("tokenizer.ggml.merges", list)},
    }


def post_processor(file, tokens, pre):
    """The one that writes the BOS; None where there is none."""
    if not file.get("tokenizer.ggml.add_bos_token", bool, pre["bos"]):
        return None
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


def settings(file, tokens, added, pre):
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
        "model_max_length": file.get("llama.context_length", int),
        "pad_token": named["pad"],
        "tokenizer_class": pre["class"],
        "unk_token": named["unk"],
        "vocab_size": len(tokens),
    }
    return {key: value for key, value in config.items() if value is not None}
