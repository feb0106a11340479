import importlib.util
import json
import shutil
import struct
import sys
import tempfile
import unittest
from pathlib import Path

import support
import tiny_gguf
from hrt_tools import folders, python_env


def gguf_is_there():
    return bool(importlib.util.find_spec("gguf")) or (folders.cache() / "venv" / f".has-{python_env.GGUF}").exists()


def read_safetensors(path):
    """Name -> (dtype, shape, flat values)."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        raw = data[8 + size + start:8 + size + end]
        if entry["dtype"] == "BF16":  # the upper half of a float32
            raw = b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw), 2))
        found[name] = entry["dtype"], entry["shape"], struct.unpack(f"<{len(raw) // 4}f", raw)
    return found


@unittest.skipUnless(gguf_is_there(), "the gguf package is not there (tools/fetch brings it)")
class GgufToHf(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.parent = Path(temporary.name)
        self.file, self.out = self.parent / "tiny.gguf", self.parent / "out" / "tiny"
        self.metadata, self.weights = tiny_gguf.metadata(), tiny_gguf.weights()
        self.tensors = tiny_gguf.tensors(self.weights)

    def convert(self, *arguments):
        tiny_gguf.write(self.file, self.metadata, self.tensors)
        return self.convert_file(*arguments)

    def convert_file(self, *arguments):
        return support.run(sys.executable, support.ROOT / "tools" / "gguf-to-hf", self.file, self.out, *arguments)

    def json(self, name):
        return json.loads((self.out / name).read_text())

    def assert_refused(self, *words):
        support.assert_one_line(self, self.convert(), str(self.file), *words)
        self.assert_nothing_left()

    def assert_nothing_left(self):
        self.assertFalse(self.out.exists())
        self.assertEqual(list(self.out.parent.glob(".*")), [])

    def write_model(self, architecture, metadata, vocabulary=len(tiny_gguf.TOKENS)):
        shutil.rmtree(self.out, ignore_errors=True)
        self.metadata, self.weights = metadata, tiny_gguf.weights(architecture, vocabulary)
        self.tensors = tiny_gguf.tensors(self.weights, architecture)
        done = self.convert("--dtype", "float32")
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_weights_are_back(self, same):
        found = read_safetensors(self.out / "model.safetensors")
        self.assertEqual(set(found), set(self.weights))
        for name, rows in self.weights.items():
            dtype, shape, values = found[name]
            self.assertEqual((dtype, shape), ("F32", [len(rows), len(rows[0])] if len(rows) > 1 else [len(rows[0])]), name)
            exact = [value for row in rows for value in row]
            self.assertTrue(all(map(same, values, exact)) and len(values) == len(exact), name)

    def test_weights_come_back_in_transformers_order(self):
        self.write_model("llama", self.metadata)
        self.assert_weights_are_back(lambda found, exact: found == exact)

    def test_other_architectures_come_back_under_transformers_names(self):
        for architecture in ("qwen2", "qwen3"):
            with self.subTest(architecture):
                self.write_model(architecture, tiny_gguf.metadata(architecture) | {"tokenizer.ggml.pre": "qwen2"})
                self.assert_weights_are_back(lambda found, exact: found == exact)
                self.assertEqual(self.json("config.json")["model_type"], architecture)
                self.assertEqual(self.json("tokenizer.json")["normalizer"], {"type": "NFC"})
                self.assertIn(r"|\p{N}|", self.json("tokenizer.json")["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"])

    def test_gemma3(self):
        self.write_model("gemma3", tiny_gguf.metadata("gemma3") | tiny_gguf.sentencepiece_metadata(),
                         len(tiny_gguf.SENTENCEPIECE))
        self.assert_weights_are_back(lambda found, exact: abs(found - exact) < 2 ** -22)  # 1 was added in float32
        config = self.json("config.json")
        self.assertEqual((config["model_type"], config["sliding_window"], config["query_pre_attn_scalar"]),
                         ("gemma3_text", 9, tiny_gguf.HEAD))
        self.assertEqual(config["layer_types"], ["sliding_attention"] * tiny_gguf.BLOCKS)
        self.assertEqual(config["rope_parameters"]["sliding_attention"]["rope_theta"], 10000.0)
        self.assertEqual(config["rope_parameters"]["full_attention"]["rope_theta"], 100000.0)

    def test_sentencepiece(self):
        self.write_model("gemma3", tiny_gguf.metadata("gemma3") | tiny_gguf.sentencepiece_metadata(),
                         len(tiny_gguf.SENTENCEPIECE))
        model = (self.out / "tokenizer.model").read_bytes()
        # Fields of sentencepiece_model.proto: pieces = 1 {piece = 1, score = 2, type = 3}, normalizer_spec = 3.
        self.assertTrue(model.startswith(b"\x0a\x0e" + b"\x0a\x05<pad>" + b"\x15" + struct.pack("<f", -1000) + b"\x18\x03"))
        self.assertIn(b"\x0a\x05<unk>" + b"\x15" + struct.pack("<f", -1000) + b"\x18\x02", model)
        self.assertIn(b"\x0a\x06" + "\u2581\u2581".encode() + b"\x15" + struct.pack("<f", -1000) + b"\x18\x04", model)
        self.assertTrue(model.endswith(b"\x1a\x10" + b"\x0a\x08identity" + b"\x18\x00" + b"\x20\x00" + b"\x28\x01"))
        config = self.json("tokenizer_config.json")
        self.assertEqual(sorted(config["added_tokens_decoder"]), ["0", "1", "2", "3"])
        self.assertEqual((config["add_bos_token"], config["add_prefix_space"], config["tokenizer_class"]),
                         (True, False, "GemmaTokenizer"))

    def test_bfloat16_rounds_to_nearest(self):
        self.assertEqual(self.convert().returncode, 0)
        found = read_safetensors(self.out / "model.safetensors")
        for name, rows in self.weights.items():
            dtype, _, values = found[name]
            self.assertEqual(dtype, "BF16")
            for value, exact in zip(values, (value for row in rows for value in row), strict=True):
                self.assertLessEqual(abs(value - exact), abs(exact) * 2 ** -8, name)

    def test_config_in_the_spelling_of_transformers_5(self):
        self.assertEqual(self.convert().returncode, 0)
        config = self.json("config.json")
        self.assertEqual(config["rope_parameters"], {"rope_type": "default", "rope_theta": 100000.0})
        self.assertEqual(config["rms_norm_eps"], 1e-5)
        self.assertEqual((config["num_key_value_heads"], config["head_dim"]), (tiny_gguf.KV_HEADS, tiny_gguf.HEAD))
        self.assertEqual((config["tie_word_embeddings"], config["dtype"]), (True, "bfloat16"))
        self.assertEqual(self.json("generation_config.json"), {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2})

    def test_an_untied_head_is_kept(self):
        self.tensors["output.weight"] = self.tensors["token_embd.weight"]
        self.assertEqual(self.convert().returncode, 0)
        self.assertFalse(self.json("config.json")["tie_word_embeddings"])
        self.assertIn("lm_head.weight", read_safetensors(self.out / "model.safetensors"))

    def test_tokenizer_smollm(self):
        self.assertEqual(self.convert().returncode, 0)
        tokenizer = self.json("tokenizer.json")
        self.assertEqual(tokenizer["model"]["vocab"], {token: i for i, token in enumerate(tiny_gguf.TOKENS)})
        self.assertEqual(tokenizer["model"]["merges"], ["a b", "ab c"])
        self.assertEqual([token["content"] for token in tokenizer["added_tokens"]], tiny_gguf.TOKENS[:3])
        self.assertEqual(tokenizer["pre_tokenizer"]["pretokenizers"][0]["type"], "Digits")
        self.assertIsNone(tokenizer["post_processor"])
        self.assertEqual(self.json("tokenizer_config.json")["chat_template"], "{{ messages }}")

    def test_tokenizer_llama_bpe(self):
        self.metadata["tokenizer.ggml.pre"] = "llama-bpe"
        self.assertEqual(self.convert().returncode, 0)
        tokenizer = self.json("tokenizer.json")
        self.assertTrue(tokenizer["model"]["ignore_merges"])
        self.assertNotIn("<|im_start|>", tokenizer["model"]["vocab"])
        self.assertEqual(tokenizer["post_processor"]["processors"][1]["single"][0]["SpecialToken"]["id"], "<|im_start|>")
        self.assertIn(r"\p{N}{1,3}", tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"])

    def test_other_metadata_is_refused_by_name(self):
        for key, value in (("general.architecture", "mamba"), ("tokenizer.ggml.model", "bert"),
                           ("tokenizer.ggml.pre", "deepseek-llm"), ("llama.rope.scaling.type", "yarn"),
                           ("llama.expert_count", 8), ("tokenizer.ggml.bos_token_id", 99),
                           ("llama.rope.dimension_count", 4), ("llama.block_count", "two")):
            with self.subTest(key):
                self.metadata = tiny_gguf.metadata() | {key: value}
                self.assert_refused(key, str(value))

    def test_other_tensors_are_refused_by_name(self):
        for name in ("rope_freqs.weight", "blk.0.attn_q.bias", "blk.2.attn_q.weight", "blk.0.ffn_gate_exps.weight"):
            with self.subTest(name):
                self.tensors = tiny_gguf.tensors(self.weights) | {name: [[0.0] * 4]}
                self.assert_refused(name)

    def test_missing_or_misshapen_tensors(self):
        with self.subTest("missing"):
            del self.tensors["blk.1.ffn_up.weight"]
            self.assert_refused("blk.1.ffn_up.weight is missing")
        with self.subTest("shape"):
            self.tensors = tiny_gguf.tensors(self.weights)
            self.tensors["blk.1.ffn_up.weight"].pop()
            self.assert_refused("blk.1.ffn_up.weight", "(31, 24)", "(32, 24)")
        with self.subTest("more blocks than tensors"):
            self.metadata["llama.block_count"] = 2_000_000_000
            self.assert_refused("too few")

    def test_values_that_are_not_finite(self):
        self.tensors["blk.0.attn_v.weight"][1][2] = float("nan")
        self.assert_refused("blk.0.attn_v.weight", "not finite")

    def test_broken_files(self):
        tiny_gguf.write(self.file, self.metadata, self.tensors)
        whole = self.file.read_bytes()
        for content in (b"", b"GGUF", whole[:600], whole[:-64], b"PK" + whole[2:]):
            with self.subTest(length=len(content)):
                self.file.write_bytes(content)
                support.assert_one_line(self, self.convert_file(), str(self.file))
                self.assert_nothing_left()

    def test_absent_file_and_present_folder(self):
        support.assert_one_line(self, self.convert_file(), str(self.file))
        self.out.mkdir(parents=True)
        support.assert_one_line(self, self.convert(), str(self.out), "exists")
        self.assertEqual(list(self.out.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
