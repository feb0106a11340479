#!/usr/bin/env python3
"""Trains a small tokenizer of each structure that hrt reads and writes goldens: make_tokenizers.py OUT

OUT/NAME/tokenizer.json (or tokenizer.model) and goldens.jsonl, by the original libraries (tokenizers,
sentencepiece, transformers). OUT is tests/text/data/tokenizers in this repository. Development only."""

import io
import json
import pathlib
import sys

import sentencepiece
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import GPT2Tokenizer, LlamaTokenizer

TRAINING = (pathlib.Path(__file__).parents[2] / "LICENSE").read_text().splitlines() + [
    "Don't stop: it's what we've said, they'll see; I'm sure you'd agree.",
    "In 1969, 2 people walked for 2 h 31 min; 12345 + 678 = 13023.",
    "crème brûlée à la carte, naïve façade, señor, Ångström, Übergröße",
    "你好，世界！ これはテストです。 Привет, мир! नमस्ते",
    "a_b || <c>; for (int i = 0; i < 10; ++i) {\n\treturn x[i];\n}\n\n\n    indented\n        more",
] * 8

TEXTS = [
    "",
    " ",
    "  ",
    "a",
    " a",
    "Hello, world!",
    "  two leading and trailing  ",
    "Don't they'll I'M YOU'RE",
    "12345 67 8 ½ ²３",
    "a\n\n\nb \n c\r\n\r\nd",
    "\t\tx\t",
    "x" + " " * 40 + "y",
    "\n" * 35 + "z",
    "crème brûlée",
    "cre\u0300me bru\u0302le\u0301e",
    "\u212b \u0958 \u1100\u1161\u11a8 q\u0307\u0323",
    "你好，世界！こんにちは",
    "नमस्ते दुनिया",
    "😀👩‍👩‍👧 🏽x",
    "\x00\x01\u200d\x13!\x13!",
    "\u00a0a\u2028b\u0085c\u3000",
    "▁ a▁b",
    "<0x41><0x0A>",
    "Łódź żółć",
    "<s>x</s> <s>",
    "<|im_start|>user\nHi<|im_end|>\n",
    "a<|im_start|>  b <|im_end|>c",
    "word words keyword word! (word)",
    "  <left>  <right>  <both>  x",
    "NORM norm Norm",
    "<br><b>bold</b>",
    "The copyright notice applies to the Work.",
    "this License does not grant permission",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ＡＢＣ １２３",
    "e\u0301<|im_start|>\u0301e",
]

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
CHAT = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SENTENCEPIECE = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def special(tokens):
    return [AddedToken(token, special=True, normalized=False) for token in tokens]


def byte_level(
    pre_tokenizer,
    normalizer=None,
    post_processor=None,
    added=(),
    alphabet=True,
    ignore_merges=False,
    first=(),
):
    """Byte-level BPE; without `alphabet` the bytes that the training text lacks are missing."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizer, decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(
        TRAINING,
        trainers.BpeTrainer(
            vocab_size=500,
            show_progress=False,
            special_tokens=list(first),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if alphabet else [],
        ),
    )
    tokenizer.add_tokens(list(added))
    if post_processor:
        tokenizer.post_processor = post_processor(tokenizer)
    return tokenizer


def bos(tokenizer, token):
    return processors.TemplateProcessing(
        single=f"{token} $A",
        pair=f"{token} $A {token} $B",
        special_tokens=[(token, tokenizer.token_to_id(token))],
    )


def sentencepiece_style(
    normalizer=None, pre_tokenizer=None, strip=True, byte_fallback=True, added=(), decoder=None
):
    """BPE over characters with spaces as "▁", bytes for the characters that are unknown."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=byte_fallback))
    spaces = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizer or spaces
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        "▁", "merged_with_next"
    )  # else whole lines would become tokens
    first = SENTENCEPIECE + (BYTES if byte_fallback else [])
    tokenizer.train_from_iterator(
        TRAINING,
        trainers.BpeTrainer(
            vocab_size=600 if byte_fallback else 340,
            limit_alphabet=70,
            show_progress=False,
            special_tokens=first,
        ),
    )
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][: len(SENTENCEPIECE)]  # the bytes are ordinary pieces
    if (
        normalizer is None
        and pre_tokenizer is not None
        and not isinstance(pre_tokenizer, pre_tokenizers.Split)
    ):
        state["normalizer"] = None
    state["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(state))
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()] + (
        [decoders.Strip(" ", 1, 0)] if strip else []
    )
    tokenizer.decoder = decoder or decoders.Sequence(steps)
    tokenizer.add_tokens(list(added))
    tokenizer.post_processor = bos(tokenizer, "<s>")
    return tokenizer


def split(pattern, behavior="isolated"):
    return pre_tokenizers.Split(Regex(pattern), behavior)


def json_tokenizers():
    byte_step = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    gpt2_step = pre_tokenizers.ByteLevel(add_prefix_space=False)
    sequence = pre_tokenizers.Sequence
    post = lambda tokenizer: processors.ByteLevel(trim_offsets=False)
    flags = [
        AddedToken("<left>", lstrip=True, normalized=False),
        AddedToken("<right>", rstrip=True, normalized=False),
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
        AddedToken("word", single_word=True, normalized=False),
        AddedToken("NORM", normalized=True),
        AddedToken("<br>", normalized=False),
    ]
    runs = [AddedToken(char * n, normalized=False) for char in "\n▁" for n in range(2, 32)] + [
        AddedToken(tag, normalized=False) for tag in ("<b>", "</b>")
    ]
    yield "llama3", byte_level(
        sequence([split(LLAMA3), byte_step]),
        added=special(["<|begin|>"] + CHAT),
        ignore_merges=True,
        post_processor=lambda t: processors.Sequence(
            [processors.ByteLevel(trim_offsets=False), bos(t, "<|begin|>")]
        ),
    )
    yield "qwen2", byte_level(sequence([split(QWEN2), byte_step]), normalizers.NFC(), post, special(CHAT))
    yield "smollm2", byte_level(
        sequence([pre_tokenizers.Digits(individual_digits=True), gpt2_step]),
        alphabet=False,
        first=special(CHAT),
    )
    yield "splits", byte_level(
        sequence(
            [
                split(r"\p{N}{1,3}"),
                split("[一-龥぀-ゟ゠-ヿ]+"),
                split(
                    r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
                ),
                byte_step,
            ]
        ),
        normalizers.Sequence([]),
        post,
        special(CHAT) + flags,
    )
    yield "behaviors", byte_level(
        sequence(
            [
                split(r"\n", "removed"),
                split("-", "contiguous"),
                split(r"[,!]", "merged_with_previous"),
                split(r"\(", "merged_with_next"),
                byte_step,
            ]
        )
    )
    yield "prefix-space", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), added=flags)
    yield "llama2", sentencepiece_style(
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    )
    yield "llama2-metaspace", sentencepiece_style(
        pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    )
    yield "metaspace-always", sentencepiece_style(
        pre_tokenizer=pre_tokenizers.Metaspace(), decoder=decoders.Metaspace(), byte_fallback=False
    )
    yield "gemma", sentencepiece_style(
        pre_tokenizer=pre_tokenizers.Split(" ", "merged_with_previous"), strip=False, added=runs
    )


def golden(text, add_special, ids, byte_spans, decoded, decoded_skip_special):
    points = lambda byte: len(text.encode()[:byte].decode())
    return {
        "text": text,
        "add_special": add_special,
        "ids": ids,
        "offsets": [[points(begin), points(end)] for begin, end in byte_spans],
        "byte_offsets": [list(span) for span in byte_spans],
        "decoded": decoded,
        "decoded_skip_special": decoded_skip_special,
    }


def json_goldens(tokenizer, texts=TEXTS):
    for i, text in enumerate(texts):
        encoding = tokenizer.encode(text, add_special_tokens=i % 2 == 0)
        spans = [(len(text[:begin].encode()), len(text[:end].encode())) for begin, end in encoding.offsets]
        yield golden(
            text,
            i % 2 == 0,
            encoding.ids,
            spans,
            tokenizer.decode(encoding.ids, skip_special_tokens=False),
            tokenizer.decode(encoding.ids),
        )


def train_model(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING), model_writer=model, minloglevel=2, **options
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()), model.getvalue()


def model_goldens(processor):
    for i, text in enumerate(TEXTS):
        pieces = processor.encode(text, return_type="proto").pieces
        before = [processor.bos_id()] if i % 2 == 0 else []
        ids = before + [piece.id for piece in pieces]
        spans = [(0, 0)] * len(before) + [(piece.begin, piece.end) for piece in pieces]
        yield golden(text, i % 2 == 0, ids, spans, processor.decode(ids), processor.decode(ids))


CHAT_CONFIG = {
    "tokenizer_class": "LlamaTokenizer",
    "add_bos_token": True,
    "bos_token": "<s>",
    "eos_token": "<|im_end|>",
    "unk_token": "<unk>",
    "legacy": False,
    "add_prefix_space": False,
    "added_tokens_decoder": {
        str(i): {
            "content": token,
            "special": True,
            "normalized": False,
            "lstrip": False,
            "rstrip": False,
            "single_word": False,
        }
        for i, token in enumerate(["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"])
    },
}


def chat_goldens(folder):
    """A model with user-defined markers and a config, as transformers reads it: ids and text only."""
    tokenizer = LlamaTokenizer.from_pretrained(folder)
    for i, text in enumerate(TEXTS):
        ids = tokenizer(text, add_special_tokens=i % 2 == 0).input_ids
        yield {
            "text": text,
            "add_special": i % 2 == 0,
            "ids": ids,
            "decoded": tokenizer.decode(ids),
            "decoded_skip_special": tokenizer.decode(ids, skip_special_tokens=True),
        }


def make_merges_folder(folder):
    """vocab.json and merges.txt without tokenizer.json, as GPT-2 was published; read by transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_level(
        pre_tokenizers.ByteLevel(add_prefix_space=False), first=["<|endoftext|>", "<pad>"]
    )
    model = json.loads(tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]) + "\n")
    merges = ["#version: 0.2"] + [" ".join(merge) for merge in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(merges) + "\n")
    config = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False, "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    texts = TEXTS + ["a<|endoftext|> b<pad>"]
    write_lines(folder / "goldens.jsonl", json_goldens(GPT2Tokenizer.from_pretrained(folder)._tokenizer, texts))


def write_lines(file, lines):
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def main(out):
    for name, tokenizer in json_tokenizers():
        (out / name).mkdir(parents=True, exist_ok=True)
        state = json.loads(tokenizer.to_str())
        if name == "llama3":  # the older spelling of merges
            state["model"]["merges"] = [" ".join(merge) for merge in state["model"]["merges"]]
        (out / name / "tokenizer.json").write_text(
            json.dumps(state, ensure_ascii=False, separators=(",", ":")) + "\n"
        )
        write_lines(out / name / "goldens.jsonl", json_goldens(tokenizer))
    make_merges_folder(out / "merges")
    common = {
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "character_coverage": 0.98,
    }
    models_to_train = {
        "sentencepiece-bpe": dict(model_type="bpe", vocab_size=500, **common),
        "sentencepiece-unigram": dict(model_type="unigram", vocab_size=200),
        "sentencepiece-chat": dict(
            model_type="bpe",
            vocab_size=500,
            add_dummy_prefix=False,
            user_defined_symbols=["<|im_start|>", "<|im_end|>", "\n"],
            **common,
        ),
    }
    for name, options in models_to_train.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        processor, model = train_model(**options)
        (out / name / "tokenizer.model").write_bytes(model)
        if name == "sentencepiece-chat":
            (out / name / "tokenizer_config.json").write_text(json.dumps(CHAT_CONFIG, indent=1) + "\n")
            write_lines(out / name / "goldens.jsonl", chat_goldens(out / name))
        else:
            write_lines(out / name / "goldens.jsonl", model_goldens(processor))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(pathlib.Path(sys.argv[1]))
