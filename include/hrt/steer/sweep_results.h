#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/analysis/auroc.h"
#include "hrt/analysis/mean.h"
#include "hrt/analysis/paired_outcomes.h"
#include "hrt/analysis/proportion.h"
#include "hrt/base/json.h"
#include "hrt/data/inversion.h"
#include "hrt/data/judge.h"
#include "hrt/steer/cells.h"
#include "hrt/steer/sweep_plan.h"
#include "hrt/steer/sweep_work.h"

namespace hrt {

// What one prompt in one cell came to.
struct SweepOutcome {
  SweepItem item;
  Verdict verdict = {};                        // of the whole reply
  std::map<std::int64_t, Outcome> after = {};  // of its first 32, 64, ... tokens
  bool empty = false;                          // a reply without text
  bool looping = false;                        // that ends in a loop
  Answer text_answer = Answer::kOther;         // inversion: by the reply's text
  Answer token_answer = Answer::kOther;        // and by its first token
  std::array<double, 2> answer_mass = {};      // probability of yes and no as the first token
  std::optional<double> kl = {};               // harmless prompts: from the unsteered model, first new token
};

// One cell on one set of prompts (a role of the catalog, or a file).
struct CellResult {
  std::size_t cell = 0;
  std::string set = {};
  std::string label = {};
  std::int64_t n = 0;
  // Replies: refused, accepted, unknown. Inversion, by text: yes, no, other.
  std::map<std::string, std::int64_t> counts = {};
  std::map<std::string, std::int64_t> first_token = {};  // inversion, by first token: yes, no, other
  std::int64_t empty = 0;
  std::int64_t looping = 0;
  Proportion rate = {};                           // refused of judged; inversion: no of all
  std::map<std::int64_t, Proportion> after = {};  // refusal rates of the first 32, 64, ... tokens
  PairedOutcomes paired = {};                     // baseline, then this cell: refused (no)
  std::optional<Mean> margin = {};                // inversion: probability of yes minus no
  std::optional<Mean> kl = {};
};

// Random controls of a cell: those with the lowest and the highest rate, and all their replies together.
struct ControlBand {
  Proportion lowest;
  Proportion highest;
  Proportion pooled;
  std::int64_t replies = 0;  // with those that no verdict was made of
  std::int64_t empty = 0;
  std::int64_t looping = 0;

  double low() const { return *lowest.rate(); }
  double high() const { return *highest.rate(); }
};

// Whether the unsteered answers tell harmful from harmless prompts; where they do not, steering them shows
// nothing.
struct Separation {
  std::optional<Auroc> by_answer;  // yes 1, other 1/2, no 0
  std::optional<Auroc> by_margin;
  bool applies = false;
  std::string reason;

  // They were asked of harmful and harmless prompts, and do not tell these apart.
  bool fails() const { return by_answer && !applies; }
};
// Of the outcomes of the baseline.
Separation separation_of(const std::vector<SweepOutcome>& outcomes, const std::vector<Cell>& cells,
                         const PromptSet& set);

class SweepResults {
 public:
  SweepResults(const std::vector<Cell>& cells, const PromptSet& set, std::vector<SweepOutcome> outcomes,
               std::map<std::size_t, CellReceipt> receipts, bool inversion);

  const std::vector<CellResult>& results() const { return results_; }
  const CellResult* find(std::size_t cell, const std::string& set) const;
  // Nothing for a cell without controls on this set.
  std::optional<ControlBand> band(std::size_t cell, const std::string& set) const;
  const CellReceipt& receipt(std::size_t cell) const { return receipts_.at(cell); }
  const std::optional<Separation>& separation() const { return separation_; }  // inversion
  // Rates mean something: replies always, inversion where the model answers.
  bool has_rates() const { return !separation_ || separation_->applies; }
  // Steered cells that were not computed, since steering them would show nothing.
  std::size_t left_out() const;
  // Steered cells that changed no token, although no condition kept them from it.
  std::vector<std::size_t> untouched() const;

  Json to_json() const;
  std::string to_csv() const;

 private:
  Json cell_json(const CellResult& result) const;

  const std::vector<Cell>& cells_;
  bool inversion_;
  std::map<std::size_t, CellReceipt> receipts_;
  std::vector<CellResult> results_;  // by cell, then set in order of the prompts
  std::optional<Separation> separation_;
};

// Prints a table for each sweep: one line a cell and set, with its interval, control band and side effects.
void print_sweep(const SweepResults& results, const std::vector<Cell>& cells);

}  // namespace hrt
