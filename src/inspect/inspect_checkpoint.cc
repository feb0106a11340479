#include "hrt/inspect/inspect_checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "hrt/model/checkpoint.h"
#include "hrt/model/memory.h"
#include "hrt/tensor/safetensors.h"
#include "hrt/text/chat_template.h"
#include "hrt/text/tokenizer.h"
#include "hrt/text/tokenizer_files.h"
#include "spec_axes.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::kSilu:
      return "silu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kGeluTanh:
      return "gelu_tanh";
    case Activation::kRelu:
      return "relu";
  }
  return "";
}

// Null where no layer rotates.
Json rope_json(const DecoderSpec& spec) {
  const auto rotates = [](Rotation rotation) { return rotation != Rotation::kNone; };
  if (std::ranges::none_of(spec.rotation, rotates)) return nullptr;
  const RopeSpec& rope = spec.rope;
  Json json{{"theta", rope.theta}};
  const auto scaled = [&](const char* kind) {
    json["kind"] = kind;
    json["factor"] = rope.factor;
    if (rope.original_max_positions > 0) json["original_max_positions"] = rope.original_max_positions;
  };
  switch (rope.kind) {
    case RopeSpec::Kind::kDefault:
      json["kind"] = "default";
      break;
    case RopeSpec::Kind::kLinear:
      scaled("linear");
      break;
    case RopeSpec::Kind::kDynamic:
      scaled("dynamic");
      break;
    case RopeSpec::Kind::kYarn:
      scaled("yarn");
      json["beta_fast"] = rope.beta_fast;
      json["beta_slow"] = rope.beta_slow;
      break;
    case RopeSpec::Kind::kLlama3:
      scaled("llama3");
      json["low_freq_factor"] = rope.low_freq_factor;
      json["high_freq_factor"] = rope.high_freq_factor;
      break;
    case RopeSpec::Kind::kLongRope:
      scaled("longrope");
      break;
  }
  return json;
}

Json experts_json(const DecoderSpec& spec) {
  if (!spec.experts) return nullptr;
  const ExpertsSpec& experts = *spec.experts;
  return {{"count", experts.count},
          {"per_token", experts.per_token},
          {"intermediate", experts.intermediate},
          {"shared_intermediate", experts.shared_intermediate},
          {"weights_sum_to_one", experts.normalised},
          {"layers", std::ranges::count(experts.layers, true)},
          {"mxfp4", experts.files == ExpertsSpec::Files::kMxfp4}};
}

Json spec_json(const DecoderSpec& spec) {
  Json biases = Json::array();
  if (spec.qkv_bias) biases.push_back("qkv");
  if (spec.output_bias) biases.push_back("attention output");
  if (spec.mlp_bias) biases.push_back("mlp");
  return {{"layers", spec.layers},
          {"hidden", spec.hidden},
          {"intermediate", spec.intermediate},
          {"experts", experts_json(spec)},
          {"heads", spec.heads},
          {"kv_heads", spec.kv_heads},
          {"head_dim", spec.head_dim},
          {"vocabulary", spec.vocabulary},
          {"activation", spec.clamped_swiglu ? "clamped_swiglu" : activation_name(spec.activation)},
          {"norm_eps", spec.norm_eps},
          {"biases", biases},
          {"attention_sinks", spec.attention_sinks},
          {"tied_head", spec.tied_head},
          {"rope", rope_json(spec)},
          {"window", spec.window}};
}

Json axes_json(const Checkpoint& checkpoint) {
  Json axes = Json::array();
  for (const SpecAxis& axis : axes_unlike_llama(checkpoint.spec(), checkpoint.names()))
    axes.push_back({{"axis", axis.name}, {"value", axis.value}, {"text", axis.text}});
  return axes;
}

Json files_json(const WeightFiles& weights) {
  std::map<fs::path, std::int64_t> tensors;
  for (const TensorLayout& info : weights.tensors()) ++tensors[weights.file_of(info.name)];
  Json files = Json::array();
  for (const auto& [file, count] : tensors) {
    files.push_back({{"name", file.filename().string()}, {"bytes", fs::file_size(file)}, {"tensors", count}});
  }
  return files;
}

// transformers 5 builds the tokenizer of these classes itself, whatever tokenizer.json says.
bool is_rebuilt_by_transformers(const fs::path& folder) {
  const fs::path file = folder / "tokenizer_config.json";
  if (!fs::exists(folder / "tokenizer.json") || !fs::exists(file)) return false;
  const Json config = read_json(file);
  const std::string name = JsonObject(config, file.string()).string("tokenizer_class", "");
  return name == "LlamaTokenizer" || name == "LlamaTokenizerFast";
}

Json template_json(const fs::path& folder, const Tokenizer& tokenizer) {
  try {
    const TemplateChoice choice = choose_template(folder, tokenizer);
    return {{"name", choice.name}, {"reason", choice.reason}};
  } catch (const InputError& error) {
    return {{"name", nullptr}, {"reason", error.what()}};
  }
}

void add_text(Json& description, const fs::path& folder, const Tokenizer& tokenizer) {
  description["tokenizer"] = tokenizer.describe();
  if (is_rebuilt_by_transformers(folder)) {
    description["tokenizer_note"] =
        "tokenizer.json is followed as it stands; transformers 5 builds another pipeline for this tokenizer "
        "class";
  }
  description["template"] = template_json(folder, tokenizer);
}

// The checkpoint's stop tokens and those that end the template's turns, with their spelling where it is
// known.
Json stop_tokens_json(std::set<std::int64_t> ids, const Tokenizer* tokenizer, const Json& chat) {
  if (tokenizer != nullptr && chat.at("name").is_string()) {
    const ChatTemplate chosen = template_by_name(chat.at("name").get<std::string>());
    for (const std::string& marker : chosen.end_of_turn()) {
      if (const auto id = tokenizer->id_of(marker)) ids.insert(*id);
    }
  }
  Json stops = Json::array();
  for (const std::int64_t id : ids) {
    const auto piece = tokenizer != nullptr ? tokenizer->piece(id) : std::nullopt;
    stops.push_back({{"id", id}, {"token", piece ? Json(*piece) : Json()}});
  }
  return stops;
}

std::string sizes_text(const Json& d) {
  return fmt::format("{} layers, hidden {}, intermediate {} ({}), vocabulary {}", plain(d.at("layers")),
                     plain(d.at("hidden")), plain(d.at("intermediate")), plain(d.at("activation")),
                     grouped(d.at("vocabulary").get<std::int64_t>()));
}

std::string experts_text(const Json& experts, std::int64_t layers) {
  const auto shared = experts.at("shared_intermediate").get<std::int64_t>();
  return fmt::format("{} in {} of {} layers, {} a token, intermediate {}{}; their weights {}",
                     plain(experts.at("count")), plain(experts.at("layers")), layers,
                     plain(experts.at("per_token")), plain(experts.at("intermediate")),
                     shared > 0 ? fmt::format(", and a shared one of {}", shared) : "",
                     experts.at("weights_sum_to_one").get<bool>() ? "sum to 1" : "are not rescaled");
}

std::string attention_text(const Json& d) {
  const auto biases = d.at("biases").get<std::vector<std::string>>();
  return fmt::format("{} heads of {}, {} of keys and values; {}{}", plain(d.at("heads")),
                     plain(d.at("head_dim")), plain(d.at("kv_heads")),
                     biases.empty() ? "no biases" : "biases: " + join(biases, ", "),
                     d.at("attention_sinks").get<bool>() ? "; sinks" : "");
}

std::string rope_text(const Json& rope) {
  if (rope.is_null()) return "no RoPE";
  std::vector<std::string> parts;
  for (const auto& [key, value] : rope.items()) {
    if (key != "kind")
      parts.push_back(
          fmt::format("{} {}", key,
                      value.is_number_float() ? fmt::format("{:.12g}", value.get<double>()) : plain(value)));
  }
  return fmt::format("RoPE {}: {}", plain(rope.at("kind")), join(parts, ", "));
}

std::string window_text(const Json& windows) {
  const auto values = windows.get<std::vector<std::int64_t>>();
  const auto windowed = std::count_if(values.begin(), values.end(), [](std::int64_t w) { return w > 0; });
  if (windowed == 0) return "none: every layer sees all earlier tokens";
  const std::int64_t widest = *std::max_element(values.begin(), values.end());
  return fmt::format("{} tokens in {} of {} layers", widest, windowed, values.size());
}

std::string files_text(const Json& d) {
  std::uint64_t bytes = 0;
  std::size_t tensors = 0;
  for (const Json& file : d.at("files")) {
    bytes += file.at("bytes").get<std::uint64_t>();
    tensors += file.at("tensors").get<std::size_t>();
  }
  const std::size_t count = d.at("files").size();
  const std::string first = plain(d.at("files").front().at("name"));
  const std::string name = count == 1 ? first : fmt::format("{} pieces, {} ...", count, first);
  const Json& experts = d.at("experts");
  const bool mxfp4 = !experts.is_null() && experts.at("mxfp4").get<bool>();
  return fmt::format("{}{} in {}: {}, {}", plain(d.at("stored_dtype")), mxfp4 ? ", experts in MXFP4," : "",
                     name, counted(tensors, "tensor"), human_bytes(bytes));
}

std::string stops_text(const Json& stops) {
  std::vector<std::string> texts;
  for (const Json& stop : stops) {
    texts.push_back(plain(stop.at("id")));
    if (!stop.at("token").is_null()) texts.back() += " " + plain(stop.at("token"));
  }
  return texts.empty() ? "none" : join(texts, ", ");
}

std::string template_text(const Json& chat) {
  return chat.at("name").is_null() ? "none chosen: " + plain(chat.at("reason"))
                                   : fmt::format("{} - {}", plain(chat.at("name")), plain(chat.at("reason")));
}

void add_model_lines(Page& page, const Json& d) {
  page.add("model", fmt::format("{}, {} parameters ({})", plain(d.at("family")),
                                grouped(d.at("parameters").get<std::int64_t>()), plain(d.at("title"))));
  page.add("sizes", sizes_text(d));
  const Json& experts = d.at("experts");
  if (!experts.is_null()) page.add("experts", experts_text(experts, d.at("layers").get<std::int64_t>()));
  page.add("attention", attention_text(d));
  page.add("positions", fmt::format("up to {}; {}", grouped(d.at("max_tokens").get<std::int64_t>()),
                                    rope_text(d.at("rope"))));
  page.add("window", window_text(d.at("window")));
  page.add("head", d.at("tied_head").get<bool>() ? "tied to the embedding" : "of its own");
  std::string_view label = "unlike Llama";
  for (const Json& axis : d.at("unlike_llama")) {
    page.add(label, plain(axis.at("text")));
    label = "";
  }
  page.add("weights", files_text(d));
  if (d.contains("adapter")) page.add("adapter", adapter_line(d.at("adapter")));
  page.add("memory", fmt::format("{} in float32, {} in bfloat16 or float16",
                                 human_bytes(d.at("memory").at("float32").get<std::uint64_t>()),
                                 human_bytes(d.at("memory").at("bfloat16").get<std::uint64_t>())));
  page.add("stop tokens", stops_text(d.at("stop_tokens")));
}

void add_text_lines(Page& page, const Json& d) {
  if (d.at("tokenizer").is_null()) {
    page.add("tokenizer", "none: only prompts given as tokens can be run");
    return;
  }
  page.add("tokenizer", plain(d.at("tokenizer")));
  if (d.contains("tokenizer_note")) page.add("", plain(d.at("tokenizer_note")));
  page.add("template", template_text(d.at("template")));
}

}  // namespace

Json describe_checkpoint(const fs::path& folder, const std::optional<fs::path>& adapter) {
  const Checkpoint checkpoint(folder, {.adapter = adapter});
  const DecoderSpec& spec = checkpoint.spec();
  const Json& config = checkpoint.config();
  Json description{{"path", folder.string()},
                   {"family", spec.family},
                   {"title", family_of(JsonObject(config, folder.string())).title},
                   {"parameters", checkpoint.parameters()}};
  description.update(spec_json(spec));
  description["unlike_llama"] = axes_json(checkpoint);
  description["max_tokens"] = checkpoint.max_tokens();
  description["stored_dtype"] = safetensors_dtype(checkpoint.stored_dtype());
  description["files"] = files_json(checkpoint.weights());
  if (checkpoint.adapter()) description["adapter"] = checkpoint.adapter()->describe();
  description["memory"] = {{"float32", weight_bytes(spec, at::kFloat)},
                           {"bfloat16", weight_bytes(spec, at::kBFloat16)}};
  description["tokenizer"] = nullptr;
  description["template"] = {{"name", nullptr}, {"reason", "no tokenizer"}};
  std::unique_ptr<Tokenizer> tokenizer;
  if (has_tokenizer(folder)) {
    tokenizer = open_tokenizer(folder);
    add_text(description, folder, *tokenizer);
  }
  const auto& stops = checkpoint.stop_tokens();
  description["stop_tokens"] =
      stop_tokens_json({stops.begin(), stops.end()}, tokenizer.get(), description["template"]);
  description["unknown_config_keys"] = checkpoint.unknown_keys();
  description["unused_tensors"] = checkpoint.unused_tensors();
  description["warnings"] = checkpoint.warnings();
  description["fingerprint"] = checkpoint.fingerprint();
  return description;
}

Json describe_tokenizer_folder(const fs::path& folder) {
  Json description{{"path", folder.string()}, {"family", nullptr}};
  add_text(description, folder, *open_tokenizer(folder));
  return description;
}

std::string checkpoint_page(const Json& d) {
  Page page(plain(d.at("path")));
  if (d.at("family").is_null()) {
    add_text_lines(page, d);
    return page.text();
  }
  add_model_lines(page, d);
  add_text_lines(page, d);
  for (const Json& warning : d.at("warnings")) page.add("warning", plain(warning));
  page.add("fingerprint", plain(d.at("fingerprint")));
  return page.text();
}

Json describe_families() {
  Json list = Json::array();
  for (const Family& family : families()) {
    list.push_back({{"model_type", family.model_type}, {"title", family.title}});
  }
  return list;
}

}  // namespace hrt
