#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder.h"
#include "hrt/model/engine.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {

class ReplyStream;

// A reply of the model.
struct Reply {
  std::vector<std::int64_t> tokens;  // without the stop token
  StopReason stop = StopReason::kNone;
  double first_margin = 0;  // best minus second-best logit at its first token
};

// Replies as tensors of a group's file: their tokens one after the other, where each begins, how it ended,
// and its margin. A job without a reply has stop "none".
void add_replies(std::vector<NamedTensor>& tensors, const std::vector<JobResult>& results);

// One computed group, read back from its file.
class GroupResult {
 public:
  explicit GroupResult(const std::filesystem::path& file) : file_(file) {}

  at::Tensor tensor(const std::string& name) const { return file_.tensor(name); }
  std::vector<std::optional<Reply>> replies() const;  // by job

 private:
  SafetensorsFile file_;
};

// Work that is computed, saved and resumed group by group: one file a group, in RunDirectory::work().
class GroupedWork {
 public:
  explicit GroupedWork(std::filesystem::path folder) : folder_(std::move(folder)) {}
  virtual ~GroupedWork() = default;

  virtual std::size_t group_count() const = 0;
  // Asked before each group: false ends the work in front of it.
  virtual bool goes_on(std::size_t /*group*/) { return true; }
  // Lines of replies.jsonl of a group that is done.
  virtual std::vector<Json> reply_lines(std::size_t group) const = 0;

  bool is_done(std::size_t group) const;
  GroupResult result(std::size_t group) const { return GroupResult(file_of(group)); }

  // Computes the groups that are not on disk yet. All replies, those of earlier groups too, go to `stream`.
  // Throws Interrupted after the current group when a signal asks for it.
  void run(const Decoder& decoder, ReplyStream& stream, EngineStats& stats);

 protected:
  struct Size {
    std::int64_t items = 0;   // what progress counts
    std::int64_t tokens = 0;  // computed at most
  };
  struct Events {
    std::function<void(std::int64_t tokens)> tokens;  // that were computed
    std::function<void()> item;
    std::function<void(const Json& line)> reply;
  };
  virtual Size size_of(std::size_t group) const = 0;
  virtual std::string unit() const = 0;  // "prompts"
  virtual std::vector<NamedTensor> compute(const Decoder& decoder, std::size_t group, const Events& events,
                                           EngineStats& stats) = 0;

 private:
  std::filesystem::path file_of(std::size_t group) const;
  void drop_broken() const;

  std::filesystem::path folder_;
};

}  // namespace hrt
