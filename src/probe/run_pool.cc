#include "run_pool.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/centroids.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

std::string request_of(const PromptRecord& record) {
  if (record.instruction) return *record.instruction;
  return record.messages.empty() ? "" : record.messages.back().content;
}

std::vector<std::string> names_of(const std::vector<PositionSpec>& specs) {
  std::vector<std::string> names;
  for (const PositionSpec& spec : specs) names.push_back(spec.name);
  return names;
}

}  // namespace

RunPool::Part::Part(const fs::path& path) : run(path, Command::kExtract) {}

RunPool::RunPool(const std::vector<fs::path>& runs) {
  runs_.reserve(runs.size());
  for (const fs::path& path : runs) {
    Part& part = runs_.emplace_back(path);
    if (runs_.size() == 1) {
      rows_ = part.run.rows();
      positions_ = names_of(part.run.set().specs);
    }
    check_fits(part);
    add_prompts(part);
  }
  if (prompts_.empty()) throw InputError("no run: give an extraction, RUN, or prompts in the config");
}

void RunPool::check_fits(const Part& part) const {
  const StoredRun& first = runs_.front().run;
  const auto refuse = [&](const char* what) {
    throw InputError("{}: {} than {}", part.run.path().string(), what, first.path().string());
  };
  if (part.run.model_fingerprint() != first.model_fingerprint()) refuse("made with another model");
  if (part.run.template_name() != first.template_name()) refuse("made with another template");
  if (part.run.rows() != rows_) refuse("holds other rows");
}

void RunPool::add_prompts(Part& part) {
  part.begin = prompts_.size();
  const PromptSet& set = part.run.set();
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const PromptRecord& record = set.prompts[i].record;
    const Json& line = part.run.prompt_lines()[i];
    prompts_.push_back(
        {record.id, record.label, stored_outcome(line.value("outcome", Json())), request_of(record), line});
  }
  std::erase_if(positions_, [&](const std::string& name) { return !set.position(name); });
}

std::size_t RunPool::run_of(std::size_t prompt) const {
  std::size_t number = 0;
  while (number + 1 < runs_.size() && runs_[number + 1].begin <= prompt) ++number;
  return number;
}

bool RunPool::has(std::size_t prompt, const std::string& position) const {
  const Part& part = runs_[run_of(prompt)];
  const auto index = part.run.set().position(position);
  return index && part.run.set().prompts[prompt - part.begin].positions[*index].has_value();
}

PositionRows RunPool::rows_at(const std::string& position, const std::vector<bool>& wanted,
                              SpanValue value) const {
  PositionRows result;
  std::vector<at::Tensor> rows;
  for (const Part& part : runs_) {
    const PromptSet& set = part.run.set();
    const auto index = set.position(position);
    if (!index) {
      throw InputError("{}: no rows at {} (positions there: {})", part.run.path().string(), position,
                       join(names_of(set.specs), ", "));
    }
    const StoredRows stored(part.run.activations(), set, rows_);
    stored.each(*index, [&](std::size_t prompt, const at::Tensor& tokens) {
      if (!wanted[part.begin + prompt]) return;
      result.prompts.push_back(part.begin + prompt);
      rows.push_back(value == SpanValue::kMaximum ? tokens.amax(0) : rows_of_prompt(tokens));
    });
  }
  const auto count = static_cast<std::int64_t>(rows_.size());
  result.rows = rows.empty() ? at::empty({0, count, 0}) : at::stack(rows);
  return result;
}

}  // namespace hrt
