#pragma once

#include <optional>
#include <string>

#include "hrt/base/json.h"
#include "hrt/reproduce/measure.h"

namespace hrt {

// What an experiment's claim came to: a predicate on one measure, with a threshold that is a number or
// another measure of the same results.
struct ClaimResult {
  std::string name;
  std::string says;    // in one plain sentence
  std::string source;  // of the claim, and of its threshold
  std::string unit;    // "%": a share times 100; "points": a difference of shares, too
  Measured measured;
  std::string needs = {};          // "> 0.5"; empty: the threshold, another measure, is not there
  std::optional<bool> holds = {};  // nothing: there is nothing to measure, or no share can hold
  std::optional<bool> clear = {};  // holds, or not, over the whole interval; nothing: there is no interval
  std::string why = {};            // it can neither hold nor not: why

  Json to_json() const;
};

// `spec`: an entry of `claims` (docs/formats.md). It holds by the values alone; how sure that is, `clear`
// says.
ClaimResult check_claim(const Json& spec, const Json& results);

// Throws InputError.
void check_claim_spec(const JsonObject& spec);

// What a paper published, beside what was measured, both in the entry's unit ("%": a share times 100).
struct PublishedResult {
  enum class Fit {
    kWithin,         // the published value lies within our interval
    kOutside,        // it does not
    kNotMeasured,    // there is nothing to compare
    kNotComparable,  // it was not published for this model
  };

  std::string what;
  std::string unit;
  std::string source;
  Json values;  // by model: a number, or [lowest, highest]
  Measured measured;
  Fit fit = Fit::kNotComparable;

  bool comparable() const { return fit == Fit::kWithin || fit == Fit::kOutside; }
  Json to_json() const;
};

// `model`: the published model that this one is taken for; empty: none.
PublishedResult compare_published(const Json& spec, const Json& results, const std::string& model);
void check_published_spec(const JsonObject& spec);

// {"value", "low", "high", "n"}, `taken`, `of` and `picked` (in words) where several values became one, `why`
// where there is none.
Json measured_json(const Measured& measured);

}  // namespace hrt
