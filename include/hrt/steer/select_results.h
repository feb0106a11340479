#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hrt/analysis/direction_selection.h"
#include "hrt/base/json.h"

namespace hrt {

// Scores computed before.
struct ScoredCandidates {
  std::int64_t layers = 0;  // of the model
  std::vector<DirectionCandidate> candidates;
};

// Reads `layers` and `candidates` of a results.json of ours, or of a selection as Arditi et al. released it:
// scores may be null, absent, or Python's NaN, all of which are not a number. Throws InputError.
ScoredCandidates read_scores(const std::filesystem::path& file);

// What the rules make of scored candidates.
class SelectResults {
 public:
  // `late`: further candidates that were not scored, since their layers are late.
  SelectResults(ScoredCandidates scored, const SelectionRules& rules, std::int64_t late = 0);

  const std::vector<DirectionCandidate>& candidates() const { return scored_.candidates; }
  const std::vector<DirectionCandidate>& surviving() const { return selection_.surviving; }
  std::optional<DirectionCandidate> chosen() const { return selection_.chosen(); }
  // "of 150 candidates, 30 lie in layer 24 or later, ..."
  std::string removal() const;

  // `layers`, `chosen`, `candidates` and `surviving` are spelled as in the released files.
  Json to_json() const;
  std::string to_csv() const;
  // The best ten and what each rule removed, on stdout.
  void print() const;

 private:
  // The rule that removes it, as to_json spells it; empty: none does.
  std::string removed_by(const DirectionCandidate& candidate) const;

  ScoredCandidates scored_;
  SelectionRules rules_;
  DirectionSelection selection_;
};

}  // namespace hrt
