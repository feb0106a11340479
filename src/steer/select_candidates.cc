#include "select_candidates.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "hrt/analysis/directions.h"
#include "hrt/analysis/refusal_score.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

SafetensorsFile activations(const std::filesystem::path& run) {
  return SafetensorsFile(run / "activations.safetensors");
}

// [rows, hidden] float64, of the prompts with this label that count.
at::Tensor mean_of_label(const at::Tensor& rows, const PromptSet& set, const std::vector<bool>& counted,
                         Label label) {
  Centroid centroid;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    if (counted[i] && set.prompts[i].record.label == label) centroid.add(rows[static_cast<std::int64_t>(i)]);
  }
  return centroid.mean();
}

bool counts(Label label, double score) { return label == Label::kHarmful ? score > 0 : score < 0; }

}  // namespace

std::int64_t post_instruction_tokens(const PromptSet& set) {
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  for (const PreparedPrompt& prompt : set.prompts) {
    const std::int64_t tokens = std::ssize(prompt.prompt.ids) - 1 - *prompt.prompt.t_inst;
    if (tokens == 0) {
      throw InputError("{}: no token stands behind the instruction, so there are no candidates",
                       place_of(prompt.record));
    }
    fewest = std::min(fewest, tokens);
  }
  return fewest;
}

std::vector<std::string> candidate_positions(std::int64_t tokens) {
  std::vector<std::string> positions;
  for (std::int64_t position = -tokens; position < 0; ++position)
    positions.push_back(std::to_string(position));
  return positions;
}

std::vector<std::int64_t> refusal_tokens(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::set<std::int64_t> tokens;
  for (const std::string& text : texts) {
    bool found = false;
    for (const std::string& spelling : {text, " " + text}) {
      const Encoding encoding = tokenizer.encode(spelling);
      if (encoding.ids.empty()) continue;
      const std::int64_t first = encoding.ids.front();
      if (trim(tokenizer.decode({&first, 1}, false)).empty()) continue;
      tokens.insert(first);
      found = true;
    }
    if (!found)
      throw InputError("refusal token \"{}\" begins with no token of its own", escape_for_terminal(text));
  }
  if (tokens.empty()) throw InputError("no refusal tokens: give texts such as \"I\"");
  return {tokens.begin(), tokens.end()};
}

std::vector<bool> counted_prompts(const PromptSet& set, const std::vector<double>& scores, bool filtered) {
  std::vector<bool> counted(set.prompts.size(), true);
  std::size_t harmful = 0;
  std::size_t harmless = 0;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const Label label = set.prompts[i].record.label;
    if (filtered) counted[i] = counts(label, scores[i]);
    if (counted[i]) ++(label == Label::kHarmful ? harmful : harmless);
  }
  if (harmful == 0)
    throw CheckError(
        "the model refuses no harmful prompt (no refusal score above 0); \"filter\": false counts all");
  if (harmless == 0)
    throw CheckError(
        "the model refuses every harmless prompt (no refusal score below 0); \"filter\": false counts all");
  return counted;
}

std::vector<CandidateVector> make_candidates(const std::filesystem::path& run, const PromptRun& extraction,
                                             const std::vector<bool>& counted) {
  const SafetensorsFile file = activations(run);
  std::vector<CandidateVector> candidates;
  for (const PositionSpec& spec : extraction.set().specs) {
    const at::Tensor rows = file.tensor(spec.name);
    const at::Tensor difference = mean_of_label(rows, extraction.set(), counted, Label::kHarmful) -
                                  mean_of_label(rows, extraction.set(), counted, Label::kHarmless);
    for (std::size_t row = 0; row < extraction.work().rows.size(); ++row) {
      candidates.push_back({spec.offset, extraction.work().rows[row],
                            difference[static_cast<std::int64_t>(row)].to(at::kFloat)});
    }
  }
  std::ranges::stable_sort(candidates, {}, &CandidateVector::layer);
  return candidates;
}

std::vector<double> extraction_scores(const std::filesystem::path& run,
                                      const std::vector<std::int64_t>& refusal_tokens) {
  const at::Tensor logits = activations(run).tensor("logits");
  std::vector<double> scores;
  // One at a time, since it is done in float64.
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    scores.push_back(refusal_scores(logits.narrow(0, i, 1), refusal_tokens).front());
  }
  return scores;
}

}  // namespace hrt
