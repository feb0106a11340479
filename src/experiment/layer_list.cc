#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"

namespace hrt {
namespace {

std::int64_t layer_number(std::string_view text, const std::string& whole) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    throw InputError("--layers {}: \"{}\" is no layer number", whole, text);
  }
  return value;
}

// "4", "4..12" or "4..12:2".
void add_layers(std::set<std::int64_t>& layers, const std::string& item, const std::string& whole,
                std::int64_t count) {
  const std::size_t dots = item.find("..");
  const std::int64_t first = layer_number(item.substr(0, dots), whole);
  std::int64_t last = first;
  std::int64_t step = 1;
  if (dots != std::string::npos) {
    const std::string rest = item.substr(dots + 2);
    const std::size_t colon = rest.find(':');
    last = layer_number(rest.substr(0, colon), whole);
    if (colon != std::string::npos) step = layer_number(rest.substr(colon + 1), whole);
  }
  if (last < first) {
    throw InputError("--layers {}: {} runs backwards, expected {}..{}", whole, item, last, first);
  }
  if (step == 0) throw InputError("--layers {}: {} has no step, expected at least 1", whole, item);
  if (last >= count) throw InputError("--layers {}: {} does not lie in 0..{}", whole, item, count - 1);
  for (std::int64_t layer = first; layer <= last; layer += std::min(step, count)) layers.insert(layer);
}

}  // namespace

std::vector<std::int64_t> resolve_layers(const Json& layers, std::int64_t count) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), std::int64_t{0});
  if (layers == "all") return result;
  std::vector<std::string> items;
  if (layers.is_string()) {
    items = split_list(layers.get<std::string>());
  } else {
    for (const Json& layer : layers) items.push_back(to_line(layer));
  }
  std::set<std::int64_t> chosen;
  for (const std::string& item : items) add_layers(chosen, item, join(items, ","), count);
  return {chosen.begin(), chosen.end()};
}

}  // namespace hrt
