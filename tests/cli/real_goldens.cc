#include "real_goldens.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "hrt/base/hash.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kGoldens = HRT_SOURCE_DIR "/tests/cli/goldens";
constexpr double kRowTolerance = 2e-5;
constexpr double kUndecidedGap = 5e-3;  // of the two best logits: rounding may decide there

std::vector<Json> lines_of(const fs::path& file) {
  std::vector<Json> lines;
  for (const std::string& line : split(trim(read_text(file)), '\n')) lines.push_back(Json::parse(line));
  return lines;
}

// The texts stand in the fetched files; the goldens name them by id.
std::map<std::string, std::string> fetched_texts() {
  std::map<std::string, std::string> texts;
  for (const fs::path& file :
       {cache_dir() / "prompts/harmless_pairs.jsonl", cache_dir() / "prompts/edgy.jsonl",
        fs::path(HRT_SOURCE_DIR) / "data/prompts/cannot_do.jsonl"}) {
    for (const Json& line : lines_of(file)) texts[line.at("id")] = line.at("instruction");
  }
  return texts;
}

}  // namespace

RealGoldens::RealGoldens(std::string model)
    : name_(std::move(model)), lines_(lines_of(kGoldens / (name_ + ".jsonl"))) {}

fs::path RealGoldens::model() const { return cache_dir() / name_; }

bool RealGoldens::is_fetched() const {
  return fs::exists(model() / "model.safetensors") && fs::exists(cache_dir() / "prompts/edgy.jsonl");
}

std::string RealGoldens::prompts() const {
  const std::map<std::string, std::string> texts = fetched_texts();
  std::string prompts;
  for (const Json& golden : lines_) {
    std::vector<std::string> parts;
    for (const std::string id : golden.value("of", Json::array({golden.at("id")})))
      parts.push_back(texts.at(id));
    prompts += to_line({{"id", golden.at("id")}, {"instruction", join(parts, "\n")}}) + "\n";
  }
  return prompts;
}

void RealGoldens::run_hrt_over(const std::string& command, const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{
      command,       "--model", model().string(), "--prompts", folder_.write("prompts.jsonl", prompts()),
      "--dtype",     "float32", "--device",       "cpu",       "--out",
      run().string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProcessResult result = run_hrt(arguments);
  ASSERT_EQ(result.code, 0) << result.err;
}

void RealGoldens::expect_tokens_positions_and_rows() const {
  const std::vector<Json> prompts = lines_of(run() / "prompts.jsonl");
  ASSERT_EQ(prompts.size(), lines_.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    ASSERT_EQ(prompts[i].at("id"), lines_[i].at("id"));
    EXPECT_EQ(sha256_of(to_line(prompts[i].at("tokens"))), lines_[i].at("tokens_sha256"))
        << prompts[i].at("id");
    for (const auto& [name, golden] : lines_[i].at("positions").items()) {
      Json expected = golden;
      expected["part"] = name == "t_inst" ? "instruction" : "post_instruction";
      EXPECT_EQ(prompts[i].at("positions").at(name), expected) << prompts[i].at("id");
    }
  }
  expect_rows();
}

void RealGoldens::expect_rows() const {
  std::map<std::string, std::int64_t> place;
  for (std::size_t i = 0; i < lines_.size(); ++i) place[lines_[i].at("id")] = static_cast<std::int64_t>(i);
  const SafetensorsFile activations(run() / "activations.safetensors");
  const SafetensorsFile golden(kGoldens / (name_ + ".safetensors"));
  const Json rows = Json::parse(golden.metadata().at("rows"));
  const Json ids = Json::parse(golden.metadata().at("prompts"));
  for (const TensorInfo& position : golden.tensors()) {
    const at::Tensor expected = golden.tensor(position.name);  // [prompts, rows, hidden]
    const at::Tensor found = activations.tensor(position.name);
    for (std::int64_t i = 0; i < expected.size(0); ++i) {
      for (std::int64_t r = 0; r < expected.size(1); ++r) {
        const at::Tensor reference = expected[i][r];
        const std::string id = ids.at(static_cast<std::size_t>(i));
        const std::int64_t row = rows.at(static_cast<std::size_t>(r));
        EXPECT_LE((found[place.at(id)][row] - reference).norm().item<double>(),
                  kRowTolerance * reference.norm().item<double>())
            << id << " " << position.name << " row " << row;
      }
    }
  }
}

void RealGoldens::expect_replies() const {
  const std::vector<Json> replies = lines_of(run() / "replies.jsonl");
  ASSERT_EQ(replies.size(), lines_.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto found = replies[i].at("tokens").get<std::vector<std::int64_t>>();
    const auto reply = lines_[i].at("reply").get<std::vector<std::int64_t>>();
    if (found == reply) {
      EXPECT_EQ(replies[i].at("stop"), lines_[i].at("stop"));
      continue;
    }
    const auto parted =
        std::mismatch(found.begin(), found.end(), reply.begin(), reply.end()).first - found.begin();
    EXPECT_LE(lines_[i].at("gaps").at(static_cast<std::size_t>(parted)).get<double>(), kUndecidedGap)
        << replies[i].at("id") << " parts at token " << parted;
  }
}

}  // namespace hrt::testing
