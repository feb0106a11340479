#include "hrt/experiment/shard.h"

#include <charconv>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::int64_t kMostShards = 1'000'000;

std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const std::vector<std::string> parts = split(text, '/');
  const auto index = number_of(parts.front());
  const auto count = parts.size() == 2 ? number_of(parts.back()) : std::nullopt;
  const bool good = index && count && *count >= 1 && *count <= kMostShards && *index >= 0 && *index < *count;
  if (!good)
    throw InputError(
        "--shard: expected I/N, the number of the shard, from 0, and how many there are; found \"{}\"",
        escape_for_terminal(text));
  return {*index, *count};
}

std::optional<Shard> shard_of(const Json& config) {
  const Json shard = config.value("shard", Json());
  return shard.is_string() ? std::optional(parse_shard(shard.get<std::string>())) : std::nullopt;
}

}  // namespace hrt
