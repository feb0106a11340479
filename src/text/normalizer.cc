#include "normalizer.h"

#include "hrt/base/error.h"
#include "nfc.h"
#include "step_json.h"

namespace hrt {
namespace {

class Nfc : public Normalizer {
 public:
  AlignedText apply(AlignedText text) const override { return nfc(std::move(text)); }
  std::string_view name() const override { return "NFC"; }
};

// The prefix stands for the first character, as in the tokenizers library; empty text stays empty.
class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  AlignedText apply(AlignedText text) const override {
    if (text.text.empty()) return text;
    AlignedText result;
    result.append(prefix_, text.origin.front());
    result.append(text, {0, text.text.size()});
    return result;
  }
  std::string_view name() const override { return "Prepend"; }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  AlignedText apply(AlignedText text) const override {
    std::size_t match = text.text.find(pattern_);
    if (match == std::string::npos) return text;
    AlignedText result;
    result.reserve(text.text.size() * 2);
    std::size_t at = 0;
    for (; match != std::string::npos; match = text.text.find(pattern_, at)) {
      result.append(text, {at, match});
      at = match + pattern_.size();
      result.append(content_, text.origin[at - 1]);
    }
    result.append(text, {at, text.text.size()});
    return result;
  }
  std::string_view name() const override { return "Replace"; }

 private:
  std::string pattern_;
  std::string content_;
};

std::unique_ptr<Normalizer> read_replace(const StepJson& step) {
  const JsonObject pattern = step.fields.object("pattern");
  if (!pattern.has("String") || pattern.string("String").empty()) {
    step.refuse_value("pattern", "{\"String\": ...}");
  }
  return std::make_unique<Replace>(pattern.string("String"), step.fields.string("content"));
}

std::unique_ptr<Normalizer> read_normalizer(const StepJson& step) {
  if (step.type == "NFC") return std::make_unique<Nfc>();
  if (step.type == "Prepend") return std::make_unique<Prepend>(step.fields.string("prepend"));
  if (step.type == "Replace") return read_replace(step);
  step.refuse_type({"NFC", "Prepend", "Replace", "Sequence"});
}

}  // namespace

Normalizers read_normalizers(const JsonObject& file) {
  Normalizers result;
  for (const StepJson& step : read_steps(file, "normalizer", "normalizers")) {
    result.push_back(read_normalizer(step));
  }
  return result;
}

AlignedText normalize(const Normalizers& steps, AlignedText text) {
  for (const auto& step : steps) text = step->apply(std::move(text));
  return text;
}

}  // namespace hrt
