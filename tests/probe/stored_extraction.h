#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/experiment/config.h"
#include "hrt/tensor/safetensors.h"
#include "temporary_folder.h"

namespace hrt::testing {

// A prompt of a run that lies on disk.
struct StoredPrompt {
  std::string id;
  std::string label;
  std::string outcome;
  Json more = Json::object();  // further fields of its line
};

// A complete extraction as `hrt extract` leaves it, as far as probes read it, with one-token prompts.
// `tensors`: rows by position, [prompts, rows, hidden].
inline std::string store_extraction(const TemporaryFolder& folder, const std::string& name,
                                    const std::vector<StoredPrompt>& prompts,
                                    const std::vector<NamedTensor>& tensors,
                                    const std::string& model = "abc") {
  const std::int64_t rows = tensors.front().tensor.size(1);
  std::vector<std::string> positions;
  for (const NamedTensor& tensor : tensors) positions.push_back(tensor.name);
  const Json config =
      resolve_config(Command::kExtract, std::nullopt, {{"positions", positions, "--positions"}});
  const Json manifest{{"status", "complete"},
                      {"command", "extract"},
                      {"exit_code", 0},
                      {"identity", {{"model", model}}},
                      {"config", config},
                      {"model", {{"layers", rows - 1}}},
                      {"template", {{"name", "chatml"}}}};
  folder.write(name + "/manifest.json", manifest.dump());
  std::string lines;
  for (const StoredPrompt& prompt : prompts) {
    Json line{{"id", prompt.id},
              {"set", "s"},
              {"label", prompt.label},
              {"outcome", prompt.outcome},
              {"tokens", {5}},
              {"instruction", "do " + prompt.id},
              {"positions", Json::object()}};
    for (const std::string& position : positions)
      line["positions"][position] = {{"index", 0}, {"id", 5}, {"text", "x"}};
    line.update(prompt.more);
    lines += to_line(line) + "\n";
  }
  folder.write(name + "/prompts.jsonl", lines);
  write_safetensors(folder.path() / name / "activations.safetensors", tensors);
  return (folder.path() / name).string();
}

}  // namespace hrt::testing
