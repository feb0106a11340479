#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "golden.h"
#include "hrt/base/json.h"
#include "hrt/model/engine.h"
#include "hrt/model/steering.h"

namespace hrt {
namespace {

using test::TinyModel;
using test::worst_difference;

// Of each vector's norm; see docs: the tolerance that the project promises against transformers.
constexpr double kTolerance = 2e-5;

const std::map<std::string, Site> kSites = {{"block_input", Site::kBlockInput},
                                            {"attention_output", Site::kAttentionOutput},
                                            {"mlp_output", Site::kMlpOutput}};
const std::map<std::string, Edit::Kind> kKinds = {{"add", Edit::Kind::kAdd},
                                                  {"add_share", Edit::Kind::kAddShare},
                                                  {"set_component", Edit::Kind::kSetComponent}};

struct SpanEdit {
  Edit edit;
  TokenSpan span;
};

// One prompt with one case's edits, and what transformers makes of it, see
// tools/dev/make_steering_goldens.py.
struct SteeredGolden {
  std::string name;
  std::size_t prompt = 0;
  Job job;
  std::vector<SpanEdit> edits;
  std::size_t first_edit = 0;  // counted over all cases
  at::Tensor rows;             // [job.capture, L+1, hidden]
  at::Tensor logits;           // [vocabulary]
  std::vector<std::int64_t> reply;
};

std::vector<std::int64_t> to_vector(const at::Tensor& tensor) {
  const auto* data = tensor.const_data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

class GoldenReader {
 public:
  explicit GoldenReader(const std::filesystem::path& folder)
      : description_(read_json(folder / "steering.json")), file_(folder / "steering.safetensors") {}

  std::vector<SteeredGolden> read() const {
    std::vector<SteeredGolden> goldens;
    for (std::size_t prompt = 0; prompt < description_.at("instructions").size(); ++prompt) {
      std::int64_t number = 0;
      std::size_t edits_before = 0;
      for (const auto& [name, edits] : description_.at("cases").items()) {
        goldens.push_back(read_case(name, prompt, number++));
        for (const Json& edit : edits) goldens.back().edits.push_back(read_edit(edit, goldens.back()));
        goldens.back().first_edit = edits_before;
        edits_before += edits.size();
      }
    }
    return goldens;
  }

 private:
  SteeredGolden read_case(const std::string& name, std::size_t prompt, std::int64_t number) const {
    const auto tensor = [&](const char* key) {
      return file_.tensor(fmt::format("prompt.{}.{}", prompt, key));
    };
    const std::vector<std::int64_t> reply = to_vector(tensor("replies")[number]);
    return {.name = name,
            .prompt = prompt,
            .job = {.tokens = to_vector(tensor("tokens")),
                    .capture = to_vector(tensor("index")),
                    .max_new_tokens = static_cast<std::int64_t>(reply.size())},
            .edits = {},
            .rows = tensor("rows")[number],
            .logits = tensor("logits")[number],
            .reply = reply};
  }

  SpanEdit read_edit(const Json& edit, const SteeredGolden& golden) const {
    const HookPoint point{edit.at("layer"), kSites.at(edit.at("site"))};
    const at::Tensor vector = file_.tensor("vectors")[edit.at("vector").get<std::int64_t>()];
    const std::string scope = edit.at("scope");
    TokenSpan span{0, TokenSpan::kToTheEnd};
    if (scope == "prompt") span.end = static_cast<std::int64_t>(golden.job.tokens.size());
    if (scope == "instruction") {
      const Json& instruction = description_.at("instructions").at(golden.prompt);
      span = {instruction.at(0), instruction.at(1)};
    }
    return {{point, kKinds.at(edit.at("kind")), vector, edit.at("amount")}, span};
  }

  Json description_;
  SafetensorsFile file_;
};

class SteeringParity : public testing::TestWithParam<std::string> {
 protected:
  // Runs `stems`, then all goldens `copies` times, and compares these.
  void replay(const std::vector<Job>& stems, std::int64_t copies) {
    std::vector<Job> jobs = stems;
    Steering steering = steering_of_all();
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      for (const SteeredGolden& golden : goldens_) {
        for (std::size_t i = 0; i < golden.edits.size(); ++i) {
          steering.assign(static_cast<std::int64_t>(jobs.size()), golden.first_edit + i,
                          golden.edits[i].span);
        }
        jobs.push_back(golden.job);
        if (!stems.empty()) jobs.back().branch = branch(golden);
      }
    }
    const Hook hook = steering.hook();
    const std::vector<JobResult> results = run_jobs(model_.decoder, jobs, options_, {}, {&hook, 1});
    for (std::size_t i = stems.size(); i < jobs.size(); ++i) {
      expect_equal(results[i], goldens_[(i - stems.size()) % goldens_.size()]);
    }
    expect_tallies(steering, copies);
  }

  // The edits of all cases, those of a case once for all prompts.
  Steering steering_of_all() const {
    std::vector<Edit> edits;
    for (const SteeredGolden& golden : goldens_) {
      if (golden.prompt > 0) continue;
      for (const SpanEdit& edit : golden.edits) edits.push_back(edit.edit);
    }
    return {std::move(edits), model_.decoder.spec().hidden};
  }

  // One stem a prompt, which has the prompt's number.
  std::vector<Job> stems() const {
    std::vector<Job> jobs;
    for (const SteeredGolden& golden : goldens_) {
      if (golden.prompt == jobs.size()) jobs.push_back(golden.job);
    }
    return jobs;
  }

  // From where the first edit is on.
  Branch branch(const SteeredGolden& golden) const {
    const auto family = std::ranges::find(goldens_, golden.name, &SteeredGolden::name) - goldens_.begin();
    Branch branch{.stem = golden.prompt,
                  .layer = golden.edits.front().edit.point.layer,
                  .token = golden.edits.front().span.begin,
                  .family = family};
    for (const auto& [edit, span] : golden.edits) {
      branch.layer = std::min(branch.layer, edit.point.layer);
      branch.token = std::min(branch.token, span.begin);
    }
    return branch;
  }

  static void expect_equal(const JobResult& result, const SteeredGolden& golden) {
    SCOPED_TRACE(fmt::format("{}, prompt {}", golden.name, golden.prompt));
    EXPECT_LE(worst_difference(result.rows, golden.rows), kTolerance);
    EXPECT_LE(worst_difference(result.logits, golden.logits), kTolerance);
    EXPECT_EQ(result.reply, golden.reply);
  }

  void expect_tallies(const Steering& steering, std::int64_t copies) const {
    std::vector<std::int64_t> expected(steering.tallies().size(), 0);
    for (const SteeredGolden& golden : goldens_) {
      for (std::size_t i = 0; i < golden.edits.size(); ++i) {
        expected[golden.first_edit + i] += copies * touched(golden, golden.edits[i]);
      }
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(steering.tallies()[i].tokens, expected[i]) << "edit " << i;
    }
  }

  // Tokens that an edit changes: its span, but the last token of a reply never passes the decoder, and what
  // the last block adds is computed for those tokens alone that are captured or choose the next one.
  std::int64_t touched(const SteeredGolden& golden, const SpanEdit& edit) const {
    const HookPoint& point = edit.edit.point;
    const bool narrowed = point.layer + 1 == model_.decoder.spec().layers && point.site != Site::kBlockInput;
    const auto last = static_cast<std::int64_t>(golden.job.tokens.size()) - 1;
    const std::int64_t end = std::min(edit.span.end, last + static_cast<std::int64_t>(golden.reply.size()));
    std::int64_t count = 0;
    for (std::int64_t token = edit.span.begin; token < end; ++token) {
      count += !narrowed || token >= last || std::ranges::binary_search(golden.job.capture, token);
    }
    return count;
  }

  TinyModel model_{GetParam()};
  EngineOptions options_ = model_.everything();
  std::vector<SteeredGolden> goldens_ = GoldenReader(test::goldens_folder() / GetParam()).read();
};

TEST_P(SteeringParity, AloneEachIsWhatTransformersGives) {
  options_.batch_size = 1;
  options_.share_prefix = false;
  replay({}, 1);
}

TEST_P(SteeringParity, AsBranchesInOneBatchAllAreWhatTransformersGives) {
  options_.batch_size = 64;
  replay(stems(), 3);
}

INSTANTIATE_TEST_SUITE_P(Tiny, SteeringParity,
                         testing::Values("llama-gqa-tied", "mistral-window", "qwen2-window", "gemma2-hub",
                                         "gpt-neox-hub"),
                         [](const testing::TestParamInfo<std::string>& variant) {
                           std::string name = variant.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace hrt
