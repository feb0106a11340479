#include "targets.h"

#include <ATen/core/Tensor.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "hrt/base/error.h"
#include "hrt/data/inversion.h"
#include "hrt/data/judge.h"
#include "hrt/data/prompt_file.h"
#include "hrt/data/verdict_file.h"
#include "hrt/experiment/catalog.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/stored_run.h"
#include "hrt/model/checkpoint.h"
#include "hrt/model/families.h"
#include "hrt/tensor/pt_file.h"
#include "hrt/tensor/safetensors.h"
#include "hrt/tensor/weight_files.h"
#include "hrt/text/chat_template.h"
#include "hrt/text/tokenizer.h"

namespace hrt::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kText = "Hello, wörld!  It's 2026:\n\tdon't <s>[INST] 𝒳 12345</s>";

// A folder in memory, of this process and for as long as it lives.
struct MemoryFolder {
  fs::path path = fs::path("/dev/shm") / ("hrt-fuzz-" + std::to_string(getpid()));

  MemoryFolder() { fs::create_directories(path); }
  ~MemoryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

const fs::path& folder() {
  static const MemoryFolder memory;
  return memory.path;
}

fs::path file_with(const std::string& name, std::string_view bytes) {
  const fs::path path = folder() / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

template <typename Read>
Refusal refusal_of(Read read) {
  try {
    read();
    return std::nullopt;
  } catch (const InputError& error) {
    return error.what();
  }
}

// Bytes that say first what the rest is.
struct Chosen {
  std::size_t choice = 0;
  std::string_view rest;
};
Chosen choose(std::string_view bytes, std::size_t choices) {
  if (bytes.empty()) return {};
  return {static_cast<unsigned char>(bytes.front()) % choices, bytes.substr(1)};
}

// Touches every byte.
void use(const at::Tensor& tensor) {
  const at::Tensor bytes = tensor.reshape(-1).contiguous().view(at::kByte);
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  std::size_t sum = 0;
  for (std::int64_t i = 0; i < bytes.numel(); ++i) sum += data[i];
  [[maybe_unused]] static volatile std::size_t sink;
  sink = sum;
}

template <typename File>
void use_tensors(const File& file) {
  for (const auto& info : file.tensors()) {
    const at::Tensor tensor = file.tensor(info.name);
    // Strides of 0 make much of little; only what is stored is read.
    if (tensor.numel() > 0 && tensor.numel() < 100'000) use(tensor);
  }
}

Refusal safetensors(std::string_view bytes) {
  return refusal_of([&] { use_tensors(SafetensorsFile(file_with("a.safetensors", bytes))); });
}

// Beside the index a piece that is whole.
Refusal weight_index(std::string_view bytes) {
  static const bool written = [] {
    const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    const std::uint64_t size = header.size();
    file_with("weights/model-00001-of-00002.safetensors",
              std::string(reinterpret_cast<const char*>(&size), 8) + header + std::string(8, '\0'));
    return true;
  }();
  static_cast<void>(written);
  file_with("weights/model.safetensors.index.json", bytes);
  return refusal_of([] { use_tensors(WeightFiles(folder() / "weights")); });
}

Refusal pt(std::string_view bytes) {
  return refusal_of([&] { use_tensors(PtFile(file_with("a.pt", bytes))); });
}

Refusal use_tokenizer(const fs::path& path) {
  return refusal_of([&] {
    const auto tokenizer = open_tokenizer(path);
    const Encoding encoding = tokenizer->encode(kText, {.add_special = true});
    tokenizer->decode(encoding.ids, false);
    tokenizer->describe();
  });
}
Refusal tokenizer_json(std::string_view bytes) { return use_tokenizer(file_with("tokenizer.json", bytes)); }
Refusal tokenizer_model(std::string_view bytes) { return use_tokenizer(file_with("tokenizer.model", bytes)); }

// "vocab.json", a zero byte, "merges.txt".
Refusal merges(std::string_view bytes) {
  const std::size_t cut = std::min(bytes.find('\0'), bytes.size());
  file_with("merges/vocab.json", bytes.substr(0, cut));
  file_with("merges/merges.txt", bytes.substr(std::min(cut + 1, bytes.size())));
  return use_tokenizer(folder() / "merges");
}

Refusal model_config(std::string_view bytes) {
  return refusal_of([&] {
    const fs::path file = file_with("config.json", bytes);
    const Json config = read_json(file);
    const JsonObject whole(config, file.string());
    const Family& family = family_of(whole);
    check_keys(family, whole);
    const DecoderSpec spec = family.spec(decoder_config(whole));
    if (spec.layers < 1000) weight_names(family.names, spec, family.prefixes.front());
  });
}

// Beside the config the tensors of a good adapter.
Refusal adapter_config(std::string_view bytes) {
  static const bool written = [] {
    fs::create_directories(folder() / "adapter");
    fs::copy_file(HRT_SOURCE_DIR "/tests/model/adapters/list/adapter_model.safetensors",
                  folder() / "adapter/adapter_model.safetensors", fs::copy_options::overwrite_existing);
    return true;
  }();
  static_cast<void>(written);
  file_with("adapter/adapter_config.json", bytes);
  return refusal_of([] {
    Checkpoint(HRT_SOURCE_DIR "/tests/model/goldens/llama-gqa-tied", {.adapter = folder() / "adapter"});
  });
}

Refusal chat_template(std::string_view bytes) {
  return refusal_of([&] {
    const fs::path file = file_with("template.json", bytes);
    const ChatTemplate chat = read_template(file);
    chat.render({{"user", "Hi"}, {"assistant", "<think>x</think> Yes"}, {"user", "{a} {%"}}, {});
  });
}

Refusal tokenizer_config(std::string_view bytes) {
  static const bool written = [] {
    fs::create_directories(folder() / "model");
    fs::copy_file(HRT_SOURCE_DIR "/tests/text/data/tokenizers/smollm2/tokenizer.json",
                  folder() / "model/tokenizer.json", fs::copy_options::overwrite_existing);
    return true;
  }();
  static_cast<void>(written);
  file_with("model/tokenizer_config.json", bytes);
  if (Refusal refusal = use_tokenizer(folder() / "model")) return refusal;
  return refusal_of([] {
    const auto tokenizer = open_tokenizer(folder() / "model");
    choose_template(folder() / "model", *tokenizer);
  });
}

Refusal prompts(std::string_view bytes) {
  constexpr std::array kEndings{".jsonl", ".json", ".csv", ".txt"};
  const auto [choice, rest] = choose(bytes, kEndings.size());
  return refusal_of([&, c = choice, text = rest] {
    read_prompts(PromptSource{.file = file_with(std::string("p") + kEndings[c], text)});
  });
}

Refusal verdicts(std::string_view bytes) {
  return refusal_of([&] { const VerdictFile file(file_with("v.jsonl", bytes)); });
}

Refusal judge(std::string_view bytes) {
  return refusal_of([&] {
    Judge::load(file_with("judge.json", bytes).string(), HRT_SOURCE_DIR "/data").judge("I cannot help.");
  });
}

Refusal question(std::string_view bytes) {
  return refusal_of([&] {
    Inversion::load(file_with("question.json", bytes).string(), HRT_SOURCE_DIR "/data")
        .read("No, it is not.");
  });
}

Refusal experiment_config(std::string_view bytes) {
  constexpr std::array kCommands{Command::kExtract, Command::kSteer, Command::kSelect, Command::kProbe,
                                 Command::kGuardEval};
  const auto [choice, rest] = choose(bytes, kCommands.size());
  return refusal_of([&, c = choice, text = rest] {
    resolve_config(kCommands[c], file_with("config/experiment.json", text), {});
  });
}

Refusal catalog(std::string_view bytes) {
  return refusal_of([&] {
    const Catalog read(file_with("catalog.json", bytes), std::nullopt);
    read.sources("harmful_train");
    read.missed();
    read.model();
  });
}

// "manifest.json", a zero byte, "prompts.jsonl", a zero byte, "replies.jsonl".
Refusal run_directory(std::string_view bytes) {
  for (const char* name : {"run/manifest.json", "run/prompts.jsonl", "run/replies.jsonl"}) {
    const std::size_t cut = std::min(bytes.find('\0'), bytes.size());
    file_with(name, bytes.substr(0, cut));
    bytes = bytes.substr(std::min(cut + 1, bytes.size()));
  }
  return refusal_of([] {
    const StoredRun run(folder() / "run", Command::kExtract);
    run.rows();
    run.template_name();
    run.model_fingerprint();
    run.reply_lines();
  });
}

constexpr std::array kTargets{
    Target{"safetensors", safetensors},
    Target{"weight_index", weight_index},
    Target{"pt", pt},
    Target{"tokenizer_json", tokenizer_json},
    Target{"tokenizer_model", tokenizer_model},
    Target{"tokenizer_config", tokenizer_config},
    Target{"merges", merges},
    Target{"model_config", model_config},
    Target{"adapter_config", adapter_config},
    Target{"chat_template", chat_template},
    Target{"prompts", prompts},
    Target{"verdicts", verdicts},
    Target{"judge", judge},
    Target{"question", question},
    Target{"experiment_config", experiment_config},
    Target{"catalog", catalog},
    Target{"run_directory", run_directory},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

}  // namespace hrt::fuzz
