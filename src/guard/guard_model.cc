#include "guard_model.h"

#include <algorithm>

#include "guard_runs.h"
#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/experiment/open_checkpoint.h"
#include "hrt/experiment/reply_positions.h"
#include "hrt/model/device.h"
#include "hrt/text/tokenizer_files.h"

namespace hrt {
namespace {

// The guard's own counts; another one that is asked for is a mistake.
void check_asked_template(const Guard& guard, const std::string& asked) {
  if (asked == "auto") return;
  const bool file = is_template_file(asked);
  check_template(guard, file ? std::filesystem::path(asked).stem().string() : asked,
                 file ? read_json(asked) : Json(), "--template");
}

}  // namespace

GuardModel::GuardModel(const Guard& guard, const Json& config)
    : guard_(guard),
      checkpoint_(open_checkpoint(config)),
      device_(parse_device(config.at("device").get<std::string>())),
      dtype_(parse_dtype(config.at("dtype").get<std::string>(), device_)) {
  const std::string where = checkpoint_.folder().string();
  check_model(guard, checkpoint_.spec().hidden, checkpoint_.fingerprint(guard.full_hash), where);
  check_asked_template(guard, config.at("template"));
  if (guard.rows.back() > checkpoint_.spec().layers)
    throw InputError("{}: the guard uses row {}, the model's last one is {}", where, guard.rows.back(),
                     checkpoint_.spec().layers);
  for (const std::string& warning : checkpoint_.warnings()) spdlog::warn("warning: {}", warning);
  if (dtype_name(dtype_) != guard.dtype)
    spdlog::warn("warning: the guard was fitted to rows in {}, these are in {}", guard.dtype,
                 dtype_name(dtype_));
  // Prompts that come as tokens need no tokenizer.
  text_ = open_text(guard.text, checkpoint_.folder(), has_tokenizer(checkpoint_.folder()));
}

Decoder GuardModel::load() const {
  LoadOptions options;
  options.device = device_;
  options.dtype = dtype_;
  return Decoder(checkpoint_, options);
}

GuardPrompt GuardModel::prepare(const PromptRecord& record) const {
  const auto refuse = [&](const std::string& what) { throw InputError("{}: {}", place_of(record), what); };
  if (record.tokens.empty() && text_.tokenizer == nullptr)
    refuse("the model has no tokenizer: prompts must come as tokens");
  TemplatedPrompt prompt = template_record(record, text_);
  const std::int64_t vocabulary = checkpoint_.spec().vocabulary;
  if (!prompt.t_inst) refuse("the instruction is empty");
  if (prompt.straddle && guard_.text.at("straddle") != "keep")
    refuse("a token lies on both sides of the instruction's edge");
  if (std::cmp_greater(prompt.ids.size(), checkpoint_.max_tokens()))
    refuse(fmt::format("longer than the model's {} tokens", checkpoint_.max_tokens()));
  auto reply = given_reply(record, text_);
  const auto outside = [&](std::int64_t id) { return id < 0 || id >= vocabulary; };
  if (std::ranges::any_of(prompt.ids, outside) || (reply && std::ranges::any_of(*reply, outside)))
    refuse(fmt::format("a token id outside the vocabulary of {}", vocabulary));
  return {{std::move(prompt.ids), *prompt.t_inst}, prompt.instruction->begin, std::move(reply)};
}

void GuardModel::check_length(const GuardPrompt& prompt, std::int64_t new_tokens,
                              const PromptRecord& record) const {
  const std::int64_t tokens = std::ssize(prompt.tokens.tokens) + new_tokens;
  if (tokens <= checkpoint_.max_tokens()) return;
  throw InputError("{}: {} tokens with the reply, more than the model's {}", place_of(record), tokens,
                   checkpoint_.max_tokens());
}

}  // namespace hrt
