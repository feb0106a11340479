#include "pre_tokenizer.h"

#include <map>

#include "byte_level.h"
#include "metaspace.h"
#include "pattern.h"
#include "split.h"
#include "step_json.h"
#include "unicode_text.h"

namespace hrt {
namespace {

class Split : public PreTokenizer {
 public:
  Split(std::unique_ptr<Pattern> pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void apply(Pieces& pieces) const override {
    const std::vector<ByteSpan> matches = pattern_->find(pieces.text.text, pieces.pieces);
    pieces.pieces = split_pieces(pieces.pieces, matches, behavior_, invert_);
  }
  std::string_view name() const override { return "Split"; }

 private:
  std::unique_ptr<Pattern> pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class Digits : public PreTokenizer {
 public:
  explicit Digits(bool individual)
      : behavior_(individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous) {}

  void apply(Pieces& pieces) const override {
    const std::string& text = pieces.text.text;
    std::vector<ByteSpan> digits;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = at + char_length(text[at]);
      if (is_numeric(code_point_at(text, at))) digits.push_back({at, end});
      at = end;
    }
    pieces.pieces = split_pieces(pieces.pieces, digits, behavior_);
  }
  std::string_view name() const override { return "Digits"; }

 private:
  SplitBehavior behavior_;
};

// The value of `key` looked up in a table of spellings.
template <typename Value>
Value read_choice(const StepJson& step, const std::string& key, const std::map<std::string, Value>& choices,
                  const std::string& fallback) {
  const auto found = choices.find(step.fields.string(key, fallback));
  if (found != choices.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& choice : choices) names.push_back(choice.first);
  step.refuse_value(key, join(names, ", "));
}

std::unique_ptr<PreTokenizer> read_split(const StepJson& step) {
  static const std::map<std::string, SplitBehavior> kBehaviors = {
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous}};
  const SplitBehavior behavior = read_choice(step, "behavior", kBehaviors, "");
  return std::make_unique<Split>(read_pattern(step, "pattern"), behavior,
                                 step.fields.boolean("invert", false));
}

std::unique_ptr<PreTokenizer> read_metaspace(const StepJson& step) {
  static const std::map<std::string, PrependScheme> kSchemes = {
      {"always", PrependScheme::kAlways}, {"first", PrependScheme::kFirst}, {"never", PrependScheme::kNever}};
  // Files written before `prepend_scheme` existed say add_prefix_space.
  const std::string fallback = step.fields.boolean("add_prefix_space", true) ? "always" : "never";
  return metaspace_pre_tokenizer(step.fields.string("replacement"),
                                 read_choice(step, "prepend_scheme", kSchemes, fallback),
                                 step.fields.boolean("split", true));
}

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const StepJson& step) {
  const JsonObject& fields = step.fields;
  if (step.type == "Split") return read_split(step);
  if (step.type == "Digits") return std::make_unique<Digits>(fields.boolean("individual_digits", false));
  if (step.type == "Metaspace") return read_metaspace(step);
  if (step.type == "ByteLevel") {
    return byte_level_pre_tokenizer(fields.boolean("add_prefix_space", true),
                                    fields.boolean("use_regex", true));
  }
  step.refuse_type({"ByteLevel", "Digits", "Metaspace", "Split", "Sequence"});
}

}  // namespace

PreTokenizers read_pre_tokenizers(const JsonObject& file) {
  PreTokenizers result;
  for (const StepJson& step : read_steps(file, "pre_tokenizer", "pretokenizers")) {
    result.push_back(read_pre_tokenizer(step));
  }
  return result;
}

Pieces pre_tokenize(const PreTokenizers& steps, AlignedText text) {
  const std::size_t size = text.text.size();
  Pieces pieces{std::move(text), {}};
  if (size > 0) pieces.pieces.push_back({0, size});
  for (const auto& step : steps) step->apply(pieces);
  return pieces;
}

}  // namespace hrt
