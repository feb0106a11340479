// What every reader must refuse, in one line that names the file and the place: what all formats of text
// share, and what is wrong in one of them only.
#include <gmock/gmock.h>

#include <filesystem>
#include <limits>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "targets.h"
#include "tensor/pt_bytes.h"
#include "tensor/safetensors_bytes.h"

namespace hrt::fuzz {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct BadInput {
  std::string reader;
  std::string name;
  std::string bytes;
  std::string message;  // part of what is said
};
using BadInputs = std::vector<BadInput>;

std::string repeated(const std::string& text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

std::string seed(const std::string& reader, const std::string& name) {
  return read_file(std::filesystem::path(HRT_SOURCE_DIR "/tests/fuzz/corpus") / reader / name);
}

// A good input with one value replaced.
std::string changed(const std::string& reader, const std::string& name, const std::string& pointer,
                    const Json& value) {
  Json json = Json::parse(seed(reader, name));
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

// ---- Every file of JSON

struct JsonReader {
  const char* reader;
  std::string before;  // bytes that choose the kind of file
};

BadInputs broken_json() {
  const std::vector<JsonReader> readers{{"weight_index", ""},
                                        {"tokenizer_json", ""},
                                        {"tokenizer_config", ""},
                                        {"merges", ""},
                                        {"model_config", ""},
                                        {"adapter_config", ""},
                                        {"chat_template", ""},
                                        {"prompts", "\1"},
                                        {"judge", ""},
                                        {"question", ""},
                                        {"experiment_config", std::string(1, '\0')},
                                        {"catalog", ""},
                                        {"run_directory", ""}};
  const BadInputs kinds{{"", "empty", "", "unexpected end of input"},
                        {"", "cut", R"({"a": [1, 2)", "not valid JSON"},
                        {"", "text", "hello", "not valid JSON"},
                        {"", "single quotes", "{'a': 1}", "not valid JSON"},
                        {"", "a comment", "{\"a\": 1} // one", "not valid JSON"},
                        {"", "two values", "{} {}", "not valid JSON"},
                        {"", "not a number", R"({"a": NaN})", "not valid JSON"},
                        {"", "number beyond doubles", R"({"a": 1e999})", "number overflow"},
                        {"", "duplicate keys", R"({"a": 1, "a": 2})", "duplicate key \"a\""},
                        {"", "nested 10^5 deep", repeated("[", 100'000), "128 levels"},
                        {"", "broken UTF-8", "{\"a\": \"\xc3\x28\"}", "UTF-8"},
                        {"", "half a surrogate pair", R"({"a": "\ud800"})", "not valid JSON"},
                        {"", "another type", "7", ""}};
  BadInputs inputs;
  for (const JsonReader& reader : readers)
    for (const BadInput& kind : kinds)
      inputs.push_back({reader.reader, kind.name, reader.before + kind.bytes, kind.message});
  return inputs;
}

// ---- Numbers of config.json

BadInputs bad_numbers() {
  const std::vector<std::pair<std::string, Json>> values{{"a text", "32"},
                                                         {"negative", -4},
                                                         {"10^18", 1'000'000'000'000'000'000},
                                                         {"10^30", 1e30},
                                                         {"a list", Json::array({32})},
                                                         {"true", true}};
  BadInputs inputs;
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                          "intermediate_size", "vocab_size", "max_position_embeddings", "head_dim"})
    for (const auto& [name, value] : values)
      inputs.push_back({"model_config", std::string(key) + " is " + name,
                        changed("model_config", "llama-gqa-tied", "/" + std::string(key), value), key});
  for (const char* pointer : {"/rms_norm_eps", "/rope_parameters/rope_theta"})
    for (const Json& value : {Json("1e-5"), Json(-1.0), Json(Json::array())})
      inputs.push_back({"model_config", pointer + (" is " + value.dump()),
                        changed("model_config", "llama-gqa-tied", pointer, value), pointer});
  return inputs;
}

// ---- Tensors

std::string header_of_size(std::uint64_t size) { return little_endian(size) + "{}"; }

std::string one(const std::string& dtype_and_shape, const std::string& offsets, std::size_t data) {
  return safetensors_bytes(R"({"a":{)" + dtype_and_shape + R"(,"data_offsets":)" + offsets + "}}", data);
}

std::string two(const std::string& first, const std::string& second, std::size_t data) {
  const std::string entry = R"({"dtype":"U8","shape":[2],"data_offsets":)";
  return safetensors_bytes(R"({"a":)" + entry + first + R"(},"b":)" + entry + second + "}}", data);
}

std::string pickled(const std::string& body) {
  return pt_bytes(ops::kStart + body + ops::kStop, {std::string(8, '\0')});
}

std::string zip_with(const std::function<void(ZipPart&)>& change) {
  ZipPart part{"x/data.pkl", "N."};
  change(part);
  return zip_bytes({part});
}

BadInputs bad_tensors() {
  using namespace ops;
  const std::string memo = "q" + std::string(1, '\0');
  return {
      {"safetensors", "empty", "", "0 bytes are no safetensors file"},
      {"safetensors", "header of 2^63", header_of_size(std::uint64_t{1} << 63),
       "header of 9223372036854775808 bytes"},
      {"safetensors", "header past the end", header_of_size(3), "header of 3 bytes in a file of 10"},
      {"safetensors", "broken UTF-8", safetensors_bytes("{\"\xff\": 1}", 0), "not valid UTF-8"},
      {"safetensors", "overflowing shape",
       one(R"("dtype":"F32","shape":[4611686018427387904,4])", "[0,0]", 0), "does not fit"},
      {"safetensors", "shape of texts", one(R"("dtype":"F32","shape":["2"])", "[0,8]", 8), "/a/shape"},
      {"safetensors", "truncated", one(R"("dtype":"F32","shape":[2])", "[0,8]", 7), "truncated?"},
      {"safetensors", "overlap", two("[0,2]", "[1,3]", 3), "overlap"},
      {"safetensors", "hole", two("[0,2]", "[3,5]", 5), "a hole"},
      {"weight_index", "leads out", R"({"weight_map": {"a": "../x"}})", "expected a file in the same folder"},
      {"weight_index", "absolute", R"({"weight_map": {"a": "/etc/passwd"}})",
       "expected a file in the same folder"},
      {"weight_index", "absent piece", R"({"weight_map": {"a": "x.safetensors"}})",
       "names x.safetensors, which is not"},
      {"weight_index", "absent tensor", R"({"weight_map": {"b": "model-00001-of-00002.safetensors"}})",
       "says that b is in"},
      {"weight_index", "map of numbers", R"({"weight_map": {"a": 1}})", "/weight_map/a"},
      {"weight_index", "empty map", R"({"weight_map": {}})", "/weight_map is empty"},
      {"pt", "empty", "", "not a file of torch.save"},
      {"pt", "bare pickle", "\x80\x02N.", "a bare pickle"},
      {"pt", "wrong CRC", zip_with([](ZipPart& p) { p.crc ^= 1; }), "member x/data.pkl is damaged"},
      {"pt", "larger than it says", zip_with([](ZipPart& p) { p.size = p.stored = 1; }), "x/data.pkl"},
      {"pt", "smaller than it says", zip_with([](ZipPart& p) { p.size = p.stored = 99; }), "do not fit"},
      {"pt", "compressed", zip_with([](ZipPart& p) { p.method = 8; }), "it is compressed"},
      {"pt", "GLOBAL and REDUCE", pickled(global("os", "system") + tuple(text("ls")) + kReduce),
       "would call os.system"},
      {"pt", "INST", pickled("(" + text("ls") + "ios\nsystem\n"), "would call os.system"},
      {"pt", "NEWOBJ", pickled(global("numpy", "ndarray") + kEmptyTuple + "\x81"), "would make an object"},
      {"pt", "deep nesting", pickled(repeated("(", 1'000'000)), "x/data.pkl"},
      {"pt", "deep tuples", pickled(kEmptyTuple + repeated("\x85", 1'000'000)), "nested more than"},
      {"pt", "huge memo", pickled("Nr\xff\xff\xff\xff"), "memo"},
      {"pt", "memo that is not there", pickled("h\x07"), "memo"},
      {"pt", "a value in a circle", pickled("]" + memo + "h" + std::string(1, '\0') + "a"), "circle"},
      {"pt", "storage that is absent", pickled(storage("FloatStorage", "1", 2)), "not in the archive"},
      {"pt", "view past its storage", pickled(tensor(storage("FloatStorage", "0", 2), 1, {2}, {1})),
       "does not fit a storage of 2 elements"},
      {"pt", "overflowing view",
       pickled(tensor(storage("FloatStorage", "0", 2), 0, {std::numeric_limits<std::int64_t>::max()}, {2})),
       "does not fit"},
  };
}

// ---- Tokenizers

std::string bpe(const std::string& pointer, const Json& value) {
  return changed("tokenizer_json", "byte_level", pointer, value);
}

Json split_by(const std::string& regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

std::string vocabulary_and_merges(const std::string& vocabulary, const std::string& merges) {
  return vocabulary + std::string(1, '\0') + merges;
}

BadInputs bad_tokenizers() {
  const std::string vocabulary = R"({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3})";
  return {
      {"tokenizer_json", "merges of absent pieces", bpe("/model/merges/0", "qq zz"), "/model/merges/0"},
      {"tokenizer_json", "merge of three", bpe("/model/merges/0", "a b c"), "/model/merges/0"},
      {"tokenizer_json", "merges of numbers", bpe("/model/merges/0", 7), "/model/merges/0"},
      {"tokenizer_json", "negative id", bpe("/model/vocab/!", -1), "/model/vocab/!"},
      {"tokenizer_json", "id of 10^18", bpe("/model/vocab/!", 1'000'000'000'000'000'000), "/model/vocab/!"},
      {"tokenizer_json", "id that is a text", bpe("/model/vocab/!", "0"), "/model/vocab/!"},
      {"tokenizer_json", "unknown model", bpe("/model/type", "WordPiece"), "/model/type"},
      {"tokenizer_json", "unknown step", bpe("/pre_tokenizer", {{"type", "Metro"}}), "/pre_tokenizer/type"},
      {"tokenizer_json", "broken regex", bpe("/pre_tokenizer", split_by("(a")),
       "/pre_tokenizer/pattern/Regex"},
      {"tokenizer_json", "cyclic regex", bpe("/pre_tokenizer", split_by("(?<a>\\k<b>)(?<b>\\k<a>)")),
       "/pre_tokenizer/pattern/Regex"},
      {"tokenizer_json", "regex that explodes", bpe("/pre_tokenizer", split_by("(\\P{Z}+|.)*(.+)*!!!$")),
       "/pre_tokenizer/pattern/Regex"},
      {"tokenizer_json", "enormous regex", bpe("/pre_tokenizer", split_by(repeated("(a|b)?", 1'000'000))),
       "/pre_tokenizer/pattern/Regex"},
      {"tokenizer_config", "special token that is absent", R"({"bos_token": 7})", "/bos_token"},
      {"tokenizer_config", "template that is a number", R"({"chat_template": 7})", "/chat_template"},
      {"tokenizer_model", "empty", "", "not a sentencepiece model"},
      {"tokenizer_model", "text", "no model", "not a sentencepiece model"},
      {"tokenizer_model", "cut", seed("tokenizer_model", "bpe").substr(0, 500), "not a sentencepiece model"},
      {"merges", "piece that is absent", vocabulary_and_merges(vocabulary, "a b\na c\n"), "merges.txt:2"},
      {"merges", "one piece", vocabulary_and_merges(vocabulary, "#version: 0.2\nab\n"), "merges.txt:2"},
      {"merges", "broken UTF-8", vocabulary_and_merges(vocabulary, "a \xff\n"), "merges.txt:1"},
      {"merges", "negative id", vocabulary_and_merges(R"({"a": -1})", ""), "vocab.json"},
      {"merges", "id twice", vocabulary_and_merges(R"({"a": 0, "b": 0})", ""), "vocab.json"},
  };
}

// ---- Prompts, verdicts, and files of hrt's own

std::string jsonl(const std::string& lines) { return std::string(1, '\0') + lines; }
std::string csv(const std::string& lines) { return "\2" + lines; }
std::string txt(const std::string& lines) { return "\3" + lines; }

std::string run(const std::string& manifest, const std::string& prompts, const std::string& replies) {
  return manifest + std::string(1, '\0') + prompts + std::string(1, '\0') + replies;
}

std::string good_manifest() {
  const std::string bytes = seed("run_directory", "extract");
  return bytes.substr(0, bytes.find('\0'));
}

BadInputs bad_records() {
  const std::string good = "{\"instruction\": \"x\"}\n";
  return {
      {"prompts", "jsonl, empty", jsonl(""), "no prompts in it"},
      {"prompts", "jsonl, duplicate key", jsonl(good + R"({"instruction": "x", "instruction": "y"})"), ":2:"},
      {"prompts", "jsonl, broken UTF-8", jsonl(good + "{\"instruction\": \"\xff\"}"), ":2: not UTF-8"},
      {"prompts", "jsonl, a list", jsonl(good + "[]"), ":2: expected a JSON object"},
      {"prompts", "jsonl, cut", jsonl(good + R"({"instruction": "x)"), ":2:"},
      {"prompts", "jsonl, unknown label", jsonl(R"({"instruction": "x", "label": "bad"})"), "/label"},
      {"prompts", "jsonl, id twice",
       jsonl(R"({"id":"a","instruction":"x"})"
             "\n"
             R"({"id":"a","instruction":"y"})"),
       ":2: id \"a\" stands already"},
      {"prompts", "jsonl, negative token", jsonl(R"({"tokens": [-1]})"), "/tokens"},
      {"prompts", "jsonl, token of 10^18", jsonl(R"({"tokens": [1000000000000000000]})"), "/tokens"},
      {"prompts", "csv, empty", csv(""), "no prompts in it"},
      {"prompts", "csv, open quote", csv("a,instruction\n1,\"x\n2,y\n"), "in quotes that never end"},
      {"prompts", "csv, stray quote", csv("a,instruction\n1,5\" disk\n"), ":2: broken csv: a stray quote"},
      {"prompts", "csv, too many cells", csv("instruction\nx,y\n"), ":2: expected 1 columns"},
      {"prompts", "csv, column twice", csv("instruction,instruction\nx,y\n"), ":1: column"},
      {"prompts", "csv, broken UTF-8", csv("instruction\n\xff\n"), ":2: not UTF-8"},
      {"prompts", "csv, semicolons", csv("a;instruction\n1;x\n"),
       ":1: the columns are separated by semicolons"},
      {"prompts", "txt, empty", txt(""), "no prompts in it"},
      {"prompts", "txt, broken UTF-8", txt("a\n\xf0\x28\x8c\x28\n"), ":2: not UTF-8"},
      {"verdicts", "empty", "", "no verdicts in it"},
      {"verdicts", "cut", R"({"id": "a", "verdict": "ref)", "v.jsonl:1"},
      {"verdicts", "unknown verdict", R"({"id": "a", "verdict": "maybe"})", "/verdict"},
      {"verdicts", "duplicate key", R"({"id": "a", "id": "b", "verdict": "refused"})", "duplicate key"},
      {"verdicts", "broken UTF-8", "{\"id\": \"\xff\"}", "UTF-8"},
      {"verdicts", "no id", R"({"verdict": "refused"})", "/id"},
      {"judge", "unknown key", R"({"phrase": []})", "phrase"},
      {"question", "unknown key", R"({"framing": 1})", "framing"},
      {"chat_template", "unknown key", R"({"usr": {}})", "usr"},
      {"catalog", "roles of numbers", R"({"name": "x", "roles": {"harmful_train": 7}})",
       "/roles/harmful_train"},
      {"catalog", "unknown key", R"({"name": "x", "rolls": {}})", "rolls"},
      {"experiment_config", "unknown key", jsonl(R"({"layer": "all"})"), "layer"},
      {"experiment_config", "text for a number", jsonl(R"({"max_new_tokens": "24"})"), "/max_new_tokens"},
      {"experiment_config", "negative", jsonl(R"({"max_new_tokens": -1})"), "/max_new_tokens"},
      {"experiment_config", "10^18", jsonl(R"({"max_new_tokens": 1000000000000000000})"), "/max_new_tokens"},
      {"run_directory", "not complete", run(R"({"status": "running"})", "", ""), "manifest.json"},
      {"run_directory", "of another command", run(R"({"status": "complete", "command": "dance"})", "", ""),
       "manifest.json"},
      {"run_directory", "no prompts", run(good_manifest(), "", ""), "prompts.jsonl"},
      {"run_directory", "prompts of numbers", run(good_manifest(), "7\n", ""), "prompts.jsonl:1"},
      {"run_directory", "prompts of broken UTF-8", run(good_manifest(), "{\"id\": \"\xff\"}\n", ""),
       "prompts.jsonl:1"},
  };
}

BadInputs all_inputs() {
  BadInputs inputs;
  for (BadInputs (*part)() : {broken_json, bad_numbers, bad_tensors, bad_tokenizers, bad_records})
    for (BadInput& input : part()) inputs.push_back(std::move(input));
  return inputs;
}

class BadInputsOf : public ::testing::TestWithParam<Target> {};

TEST_P(BadInputsOf, AreRefusedInOneLine) {
  std::size_t inputs = 0;
  for (const BadInput& input : all_inputs()) {
    if (input.reader != GetParam().name) continue;
    ++inputs;
    const Refusal refusal = GetParam().run(input.bytes);
    if (!refusal) {
      ADD_FAILURE() << input.name << " was read";
      continue;
    }
    EXPECT_THAT(*refusal, AllOf(HasSubstr("/hrt-fuzz-"), HasSubstr(input.message), Not(HasSubstr("\n"))))
        << input.name;
    EXPECT_LT(refusal->size(), 600U) << input.name;
  }
  EXPECT_GT(inputs, 0U);
}

INSTANTIATE_TEST_SUITE_P(Readers, BadInputsOf, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace hrt::fuzz
