#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "hrt/base/error.h"

namespace hrt {

struct ExportOptions {
  std::string direction;      // PATH[:NAME]: a run directory or a tensor file
  std::filesystem::path out;  // FILE.gguf (llama.cpp's control vector), FILE.npy or FILE.safetensors
  std::optional<std::string> model_hint =
      {};  // gguf: the architecture; default: the family of the run's model
};

// `hrt steer export`: a direction for other tools; the file is read back and compared. Throws InputError: an
// unknown ending, an existing file, no such direction.
ExitCode run_export(const ExportOptions& options);

}  // namespace hrt
