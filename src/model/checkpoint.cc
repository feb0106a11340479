#include "hrt/model/checkpoint.h"

#include <c10/util/accumulate.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "checkpoint_folder.h"
#include "checkpoint_warnings.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "weight_check.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxConfigBytes = 16'000'000;

void refuse_unknown_keys(const std::vector<std::string>& keys, const fs::path& file) {
  if (!keys.empty()) throw InputError("{}: keys that hrt does not know: {}", file.string(), list_names(keys));
}

void add_stop_tokens(const JsonObject& config, std::vector<std::int64_t>& stop_tokens) {
  const Json* value = config.find("eos_token_id");
  if (value == nullptr) return;
  const Json list = value->is_array() ? *value : Json::array({*value});
  for (const Json& token : list) {
    if (!token.is_number_integer()) {
      throw InputError("{} is {}, expected a token id or a list of them", config.where("eos_token_id"),
                       escape_for_terminal(to_line(*value)));
    }
    const auto id = token.get<std::int64_t>();
    if (std::ranges::find(stop_tokens, id) == stop_tokens.end()) stop_tokens.push_back(id);
  }
}

std::vector<std::int64_t> read_stop_tokens(const fs::path& folder, const JsonObject& config) {
  std::vector<std::int64_t> stop_tokens;
  const fs::path file = folder / "generation_config.json";
  if (fs::exists(file)) {
    const Json generation = read_json(file, kMaxConfigBytes);
    add_stop_tokens(JsonObject(generation, file.string()), stop_tokens);
  }
  add_stop_tokens(config, stop_tokens);
  return stop_tokens;
}

// With the family's first prefix that the files have; its first where they have none.
WeightNames stored_names(const WeightFiles& weights, const Family& family, const DecoderSpec& spec) {
  for (const WeightPrefix& prefix : family.prefixes) {
    WeightNames names = weight_names(family.names, spec, prefix);
    if (weights.find(names.embedding) != nullptr) return names;
  }
  return weight_names(family.names, spec, family.prefixes.front());
}

bool same_values(const WeightFiles& weights, const std::string& a, const std::string& b) {
  const at::Tensor left = weights.tensor(a);
  const at::Tensor right = weights.tensor(b);
  return left.dtype() == right.dtype() && left.sizes() == right.sizes() &&
         std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

// A tied model may store a head all the same: one unlike the embedding is what transformers uses, and then a
// warning is returned. An untied model without a head would get a random one from transformers.
std::string resolve_head(const WeightFiles& weights, const fs::path& file, DecoderSpec& spec,
                         WeightNames& names) {
  const bool stored = weights.find(names.head) != nullptr;
  if (!spec.tied_head && !stored) {
    throw InputError("{}: tensor {} is missing, and config.json does not tie the head to the embedding",
                     file.string(), names.head);
  }
  if (!spec.tied_head || weights.find(names.embedding) == nullptr) return {};
  if (stored && !same_values(weights, names.head, names.embedding)) {
    spec.tied_head = false;
    return fmt::format(
        "config.json ties the head, but {} differs from the embedding; the stored head is used", names.head);
  }
  names.head = names.embedding;
  return {};
}

struct Counts {
  std::int64_t parameters = 0;
  at::ScalarType dtype = at::kFloat;
};

Counts count_parameters(const WeightFiles& weights, const std::vector<ExpectedTensor>& tensors) {
  std::map<at::ScalarType, std::int64_t> by_dtype;
  Counts counts;
  for (const ExpectedTensor& tensor : tensors) {
    const std::int64_t count = tensor.parameters();
    if (tensor.kind == ExpectedTensor::Kind::kFloating) by_dtype[weights.find(tensor.name)->dtype] += count;
    counts.parameters += count;
  }
  counts.dtype =
      std::ranges::max_element(by_dtype, {}, [](const auto& entry) { return entry.second; })->first;
  return counts;
}

}  // namespace

Checkpoint::Checkpoint(const fs::path& folder, const Options& options) : folder_(folder) {
  const fs::path file = config_file(folder);
  config_ = read_json(file, kMaxConfigBytes);
  const JsonObject whole(config_, file.string());
  const Family& family = family_of(whole);
  unknown_keys_ = check_keys(family, whole);
  if (options.strict_config) refuse_unknown_keys(unknown_keys_, file);
  warn(unknown_keys_warning(unknown_keys_));
  spec_ = family.spec(decoder_config(whole));
  stop_tokens_ = read_stop_tokens(folder, whole);
  warn(stop_tokens_warning(stop_tokens_, spec_.vocabulary));
  open_weights(family);
  if (!options.adapter) return;
  adapter_.emplace(*options.adapter, family, spec_, names_);
  warn(missing_maps_warning(adapter_->missing()));
  warn(base_model_warning(adapter_->base_model(), folder_, config_));
}

void Checkpoint::warn(const std::string& line) {
  if (!line.empty()) warnings_.push_back(line);
}

void Checkpoint::open_weights(const Family& family) {
  const fs::path file = weights_file(folder_);
  weights_.emplace(folder_);
  names_ = stored_names(*weights_, family, spec_);
  const std::string stored_head = names_.head;
  warn(resolve_head(*weights_, file, spec_, names_));
  const std::vector<ExpectedTensor> expected = expected_tensors(spec_, names_);
  check_weights(*weights_, expected, file);
  const Counts counts = count_parameters(*weights_, expected);
  parameters_ = counts.parameters;
  stored_dtype_ = counts.dtype;
  unused_tensors_ = extra_tensors(*weights_, expected, family.buffers);
  std::erase(unused_tensors_, stored_head);  // of a tied model: it equals the embedding
  warn(unused_tensors_warning(unused_tensors_, file));
}

std::int64_t Checkpoint::max_tokens() const {
  if (spec_.rope.kind != RopeSpec::Kind::kDynamic) return spec_.max_positions;
  return static_cast<std::int64_t>(static_cast<double>(spec_.max_positions) *
                                   std::max(spec_.rope.factor, 1.0));
}

}  // namespace hrt
