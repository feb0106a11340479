#include "checkpoint_folder.h"

#include <set>
#include <string>
#include <string_view>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/weight_files.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// What people point at instead of a Hugging Face checkpoint, by the end of a file's name, and what helps.
struct OtherFormat {
  std::string_view ending;
  std::string_view advice;
};
constexpr OtherFormat kOtherFormats[] = {
    {".gguf", "convert it with tools/gguf-to-hf"},
    {"adapter_config.json",
     "an adapter is not a model: give its base model as --model, and this folder as --adapter"},
    {".pth", "use the Hugging Face version of this model"},
    {".bin", "save the model again as safetensors"},
    {".pt", "save the model again as safetensors"},
};

// "; it holds X: ADVICE", or nothing.
std::string hint(const fs::path& folder) {
  std::set<std::string> names;  // sorted, so that the message is the same everywhere
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable))
    names.insert(entry.path().filename().string());
  for (const OtherFormat& format : kOtherFormats) {
    for (const std::string& name : names) {
      if (name.ends_with(format.ending)) {
        return fmt::format("; it holds {}: {}", escape_for_terminal(name), format.advice);
      }
    }
  }
  return {};
}

}  // namespace

fs::path config_file(const fs::path& folder) {
  std::error_code unreadable;  // counts as not there
  if (!fs::exists(folder, unreadable)) throw InputError("{}: no such folder", folder.string());
  if (!fs::is_directory(folder))
    throw InputError("{}: a file, expected a checkpoint folder", folder.string());
  if (fs::exists(folder / "config.json")) return folder / "config.json";
  throw InputError("{}: no config.json, so no Hugging Face checkpoint{}", folder.string(), hint(folder));
}

fs::path weights_file(const fs::path& folder) {
  if (const auto file = find_weights(folder)) return *file;
  throw InputError("{}: no weights (model.safetensors or pytorch_model.bin, whole or in pieces){}",
                   folder.string(), hint(folder));
}

}  // namespace hrt
