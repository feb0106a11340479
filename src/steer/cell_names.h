#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/steer/cells.h"

namespace hrt {

// What configs and results call the choices of an intervention.

inline constexpr std::array kScopes{
    std::pair{"instruction", Scope::kInstruction},
    std::pair{"post_instruction", Scope::kPostInstruction},
    std::pair{"t_inst", Scope::kTInst},
    std::pair{"prompt", Scope::kPrompt},
    std::pair{"all", Scope::kAll},
    std::pair{"before_question", Scope::kBeforeQuestion},
    std::pair{"user_before_question", Scope::kUserBeforeQuestion},
};

inline constexpr std::array kOps{std::pair{"add", Op::kAdd}, std::pair{"ablate", Op::kAblate},
                                 std::pair{"clamp", Op::kClamp}, std::pair{"affine", Op::kAffine}};
inline constexpr std::array kScales{std::pair{"raw", Scale::kRaw}, std::pair{"unit", Scale::kUnit},
                                    std::pair{"norm", Scale::kNorm}};
inline constexpr std::array kSites{std::pair{"block_input", Site::kBlockInput},
                                   std::pair{"attention_output", Site::kAttentionOutput},
                                   std::pair{"mlp_output", Site::kMlpOutput}};

// Throws InputError listing the names there are.
template <typename Table>
auto find_by_name(const Table& table, const std::string& name, std::string_view what) {
  std::vector<std::string> names;
  for (const auto& [known, value] : table) {
    if (name == known) return value;
    names.emplace_back(known);
  }
  throw InputError("unknown {} \"{}\"{} (one of {})", what, escape_for_terminal(name),
                   did_you_mean(name, names), join(names, ", "));
}

template <typename Table, typename Value>
std::string_view name_of(const Table& table, Value value) {
  return std::ranges::find(table, value, [](const auto& known) { return known.second; })->first;
}

}  // namespace hrt
