#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"
#include "hrt/tensor/tensor_file.h"

namespace hrt {

class AdapterConfig;
class AdapterTargets;
class Sha256;

// What a low-rank adapter adds to one linear map: scale * B A (Hu et al., 2106.09685, section 4.1).
struct LoraUpdate {
  at::Tensor a;  // [rank, in], float32
  at::Tensor b;  // [out, rank], float32, times the scale
  bool in_out = false;

  // Rows [begin, begin + count) of it, as the base's file holds the map: [out, in], or [in, out].
  at::Tensor rows(std::int64_t begin, std::int64_t count) const;
};

// A PEFT LoRA folder: adapter_config.json with adapter_model.safetensors or adapter_model.bin, understood but
// not loaded. Opening finds a place in the base model for every tensor. Immutable.
class Adapter {
 public:
  // For the base whose tensors are `names`. Throws InputError: another kind of adapter, something that hrt
  // does not merge (named), a tensor without a place, a wrong shape or rank.
  Adapter(const std::filesystem::path& folder, const Family& family, const DecoderSpec& spec,
          const WeightNames& names);

  // {path, base_model (as its config says), ranks, maps (how many it changes), parameters}
  Json describe() const;
  const std::string& base_model() const { return base_model_; }  // as its config says; may be empty
  // Modules that its config targets and its file has no maps of.
  const std::vector<std::string>& missing() const { return missing_; }

  // By the name of the base's tensor; nothing where the adapter leaves it alone. Throws InputError when its
  // numbers are not finite.
  std::optional<LoraUpdate> update(const std::string& tensor) const;
  // All that decides numbers.
  void add_to(Sha256& hash) const;
  // Throws RunError when the file changed since it was opened.
  void check_unchanged() const { file_.check_unchanged(); }

 private:
  struct Map {
    std::string a;  // names in the adapter's file
    std::string b;
    double scale = 0;
    bool in_out = false;  // see LoraUpdate
  };
  void add(const std::string& tensor, const AdapterTargets& targets, const AdapterConfig& config);
  std::vector<std::string> missing_of(const AdapterTargets& targets, const AdapterConfig& config) const;
  at::Tensor matrix(const std::string& name) const;

  std::filesystem::path folder_;
  TensorFile file_;
  std::string base_model_;
  std::map<std::string, Map> maps_;  // by the base's tensor
  std::vector<std::string> missing_;
  std::set<std::int64_t> ranks_;
  std::int64_t parameters_ = 0;
};

// What `describe` says, on a line.
std::string adapter_line(const Json& described);

}  // namespace hrt
