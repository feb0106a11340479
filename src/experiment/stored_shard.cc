#include "stored_shard.h"

#include <algorithm>

#include "hrt/base/error.h"

namespace hrt {
namespace {

// What all shards of a run have in common.
Json common_identity(Json identity) {
  identity.at("config").erase("shard");
  for (const char* key : {"batch_size", "group_size"})
    identity.erase(key);  // by sizes of the shard's own prompts
  return identity;
}

// Throws Json::exception where a number that a merge adds up, or compares, is none.
void check_fields(const Json& chat_template, const Json& row_identity) {
  for (const char* count : StoredShard::kTemplateCounts) chat_template.at(count).get<std::int64_t>();
  if (row_identity.is_null()) return;
  for (const char* count : StoredShard::kIdentityCounts) row_identity.at(count).get<std::int64_t>();
  row_identity.at("worst_relative_difference").get<double>();
}

std::int64_t unknown_verdicts(const std::vector<Json>& replies) {
  return std::ranges::count_if(replies, [](const Json& line) { return line.at("verdict") == "unknown"; });
}

}  // namespace

StoredShard::StoredShard(const std::filesystem::path& path) : run(path, Command::kExtract) {
  const auto number = shard_of(run.config());
  if (!number) throw InputError("{}: no shard: it was run without --shard", path.string());
  shard = *number;
  if (run.set().specs.empty())
    throw InputError("{}: /config/positions: expected those that were captured",
                     run.file("manifest.json").string());
  int exit_code = 0;
  as_written(run.file("manifest.json"), [&] {
    const Json& manifest = run.manifest();
    exit_code = manifest.value("exit_code", 0);
    identity = common_identity(manifest.at("identity"));
    manifest.value("warnings", Json::array()).get_to(warnings);
    row_identity = manifest.value("row_identity", Json());
    check_fields(manifest.at("template"), row_identity);
  });
  if (exit_code != 0) {
    throw InputError("{}: this shard ended with exit code {}: its rows may not be its prompts' own",
                     path.string(), exit_code);
  }
  const std::vector<Json> lines = run.reply_lines();
  replies = static_cast<std::int64_t>(lines.size());
  unknown_replies = unknown_verdicts(lines);
}

}  // namespace hrt
