#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "hrt/experiment/prompt_work.h"

namespace hrt {

// The rows that a run captured, of all its prompts.
class CapturedRows {
 public:
  // rows: [tokens, rows, hidden], one token unless the position is a span. A view for as long as the call.
  using Visit = std::function<void(std::size_t prompt, const at::Tensor& rows)>;

  virtual ~CapturedRows() = default;
  // Calls `visit` for every prompt that has the position, in order of the prompts.
  virtual void each(std::size_t position, const Visit& visit) const = 0;
};

// Out of the groups of a run that is being computed.
class GroupedRows : public CapturedRows {
 public:
  GroupedRows(const PromptSet& set, const PromptWork& groups) : set_(set), groups_(groups) {}
  void each(std::size_t position, const Visit& visit) const override;

 private:
  const PromptSet& set_;
  const PromptWork& groups_;
};

// Out of an activations.safetensors.
class StoredRows : public CapturedRows {
 public:
  // Throws InputError when the file does not hold all positions of these prompts, with these rows.
  StoredRows(const std::filesystem::path& file, const PromptSet& set, const std::vector<std::int64_t>& rows);
  // Throws InputError where a row is not finite.
  void each(std::size_t position, const Visit& visit) const override;

 private:
  std::filesystem::path path_;
  SafetensorsFile file_;
  const PromptSet& set_;
};

struct ActivationShape {
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> rows;  // their numbers
  std::int64_t hidden = 0;
  std::int64_t logits = 0;  // the vocabulary's size, where logits are stored, else 0
};

// The tensors of some of the prompts, by their names in activations.safetensors.
using ActivationPart = std::function<at::Tensor(const std::string& name)>;
std::vector<ActivationPart> parts_of(const PromptWork& groups);  // which must outlive them

// Writes activations.safetensors: the parts, one after the other.
void write_activations(const std::filesystem::path& file, const PromptSet& set, const ActivationShape& shape,
                       const std::vector<ActivationPart>& parts);

// What every tensor file of a run says about its rows.
Metadata row_metadata(const std::vector<std::int64_t>& rows);

}  // namespace hrt
