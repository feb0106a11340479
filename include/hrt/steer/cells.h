#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/model/hooks.h"
#include "hrt/model/steering.h"

namespace hrt {

// Which tokens an intervention changes.
enum class Scope {
  kInstruction,
  kPostInstruction,
  kTInst,
  kPrompt,
  kAll,                 // the prompt and the reply
  kBeforeQuestion,      // from token 0 to the question
  kUserBeforeQuestion,  // from the user's first character to the question
};
std::string_view scope_name(Scope scope);
// Throws InputError: an unknown name, or one that only `inversion` has.
Scope parse_scope(const std::string& name, bool inversion);
// Empty (begin == end) where the prompt has no such token.
TokenSpan tokens_of(Scope scope, const TemplatedPrompt& prompt);

enum class Op { kAdd, kAblate, kClamp, kAffine };
std::string_view op_name(Op op);
enum class Scale { kRaw, kUnit, kNorm };

// One change of the residual stream, in one or more layers at once.
struct Intervention {
  std::string direction;                // name, for the source of directions
  std::optional<std::uint64_t> random;  // seed: a random direction of the same norm in its place
  std::optional<std::int64_t> row;      // of the direction, for every layer; else row l in layer l
  Op op = Op::kAdd;
  Scale scale = Scale::kRaw;
  double coefficient = 1;
  std::string reference;  // affine: a centroid
  std::vector<std::int64_t> layers;
  std::vector<Site> sites;
  Scope scope = Scope::kInstruction;
};

// Only prompts whose score at t_inst, against the centroids of harmful and harmless prompts and averaged over
// `rows`, lies above (or below) the threshold.
struct Condition {
  std::vector<std::int64_t> rows;
  double threshold = 0;
  bool above = true;
};

// What is done to prompts, all at once. Without interventions it is the baseline.
struct Cell {
  std::string name;                         // "harmfulness add 1 instruction layer 8"
  std::string sweep;                        // name of its sweep; empty: the baseline
  std::vector<Intervention> interventions;  // the first is the swept one
  std::optional<Condition> when;
  std::vector<std::string> on;            // labels, roles, sets, categories of harmful prompts; empty: all
  std::optional<std::size_t> control_of;  // the cell whose random control it is

  bool is_baseline() const { return interventions.empty(); }
  // The layer that it has to itself, where its swept intervention has only one.
  std::optional<std::int64_t> layer() const;
};

// The cells of a resolved config, the baseline first, then sweep by sweep; a cell's controls follow it.
// Throws InputError "config: /sweeps/0/...".
//
// A direction "NAME:*" stands for one sweep for each of `categories`, in which a "*" of `on` is the category,
// too.
std::vector<Cell> make_cells(const Json& config, std::int64_t layers,
                             const std::vector<std::string>& categories = {});

// The first layer that a cell changes; not for the baseline.
std::int64_t first_layer(const Cell& cell);

// A cell as results.json describes it.
Json cell_to_json(const Cell& cell);
// Such a cell again, but for what is not in there: `on` and `control_of`.
Cell cell_from_json(const Json& json);

// Whether the cell is meant for this prompt, by its labels, roles and sets alone.
bool is_on(const Cell& cell, const PromptRecord& record);

}  // namespace hrt
