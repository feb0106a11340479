#include "post_processor.h"

#include "hrt/base/error.h"
#include "step_json.h"

namespace hrt {
namespace {

std::vector<TokenId> ids_of_special(const StepJson& step, const std::string& name) {
  const JsonObject token = step.fields.object("special_tokens").object(name);
  const Json* ids = token.find("ids");
  std::vector<TokenId> result;
  for (const Json& id : ids == nullptr ? Json::array() : *ids) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > Vocabulary::kMaxId) {
      throw InputError("{} must be a list of token ids", token.where("ids"));
    }
    result.push_back(id.get<TokenId>());
  }
  return result;
}

void read_template(const StepJson& step, PostProcessor& result) {
  const Json* single = step.fields.find("single");
  if (single == nullptr || !single->is_array())
    throw InputError("{} must be an array", step.fields.where("single"));
  PostProcessor around;
  bool text_seen = false;
  for (std::size_t i = 0; i < single->size(); ++i) {
    const JsonObject item((*single)[i], step.fields.origin(), fmt::format("{}/single/{}", step.pointer, i));
    if (item.has("Sequence") && !text_seen) {
      text_seen = true;
      continue;
    }
    std::vector<TokenId>& side = text_seen ? around.after : around.before;
    const std::vector<TokenId> ids = ids_of_special(step, item.object("SpecialToken").string("id"));
    side.insert(side.end(), ids.begin(), ids.end());
  }
  if (!text_seen) throw InputError("{}: the text itself is missing", step.fields.where("single"));
  // Steps in a row go around what the ones before them made.
  result.before.insert(result.before.begin(), around.before.begin(), around.before.end());
  result.after.insert(result.after.end(), around.after.begin(), around.after.end());
}

}  // namespace

PostProcessor read_post_processor(const JsonObject& file) {
  PostProcessor result;
  for (const StepJson& step : read_steps(file, "post_processor", "processors")) {
    if (step.type == "TemplateProcessing") {
      read_template(step, result);
    } else if (step.type != "ByteLevel") {
      step.refuse_type({"ByteLevel", "TemplateProcessing", "Sequence"});
    }
  }
  return result;
}

}  // namespace hrt
