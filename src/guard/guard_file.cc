#include "hrt/guard/guard_file.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/activation_file.h"
#include "hrt/experiment/config_keys.h"
#include "hrt/experiment/versions.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "hrt-guard";
constexpr std::int64_t kVersion = 1;

template <typename Item>
std::vector<Item> list_of(const JsonObject& object, const char* key, bool (*is_item)(const Json&),
                          const char* expected) {
  const Json* list = object.find(key);
  if (list == nullptr || !list->is_array() || !std::ranges::all_of(*list, is_item))
    throw InputError("{}: expected a list of {}", object.where(key), expected);
  return list->get<std::vector<Item>>();
}

std::vector<double> numbers_of(const JsonObject& object, const char* key) {
  return list_of<double>(object, key, [](const Json& item) { return item.is_number(); }, "numbers");
}

PlattCalibration platt_of(const JsonObject& object) {
  check_known_keys(object, {"kind", "slope", "intercept"});
  return {object.number("slope"), object.number("intercept")};
}

IsotonicCalibration isotonic_of(const JsonObject& object) {
  check_known_keys(object, {"kind", "scores", "probabilities"});
  IsotonicCalibration isotonic{numbers_of(object, "scores"), numbers_of(object, "probabilities")};
  const auto& [scores, probabilities] = isotonic;
  const bool valid = !scores.empty() && scores.size() == probabilities.size() &&
                     std::ranges::adjacent_find(scores, std::ranges::greater_equal{}) == scores.end() &&
                     std::ranges::is_sorted(probabilities) && probabilities.front() >= 0 &&
                     probabilities.back() <= 1;
  if (!valid)
    throw InputError("{}: expected ascending scores and as many probabilities in 0..1 that do not fall",
                     object.where("scores"));
  return isotonic;
}

Calibration calibration_of(const JsonObject& object) {
  const std::string kind = object.string("kind");
  if (kind == "platt") return platt_of(object);
  if (kind == "isotonic") return isotonic_of(object);
  if (kind != "none")
    throw InputError("{}: expected none, platt or isotonic, found \"{}\"", object.where("kind"),
                     escape_for_terminal(kind));
  check_known_keys(object, {"kind"});
  return {};
}

Json content_of(const Guard& guard) {
  return {{"version", kVersion},
          {"hrt", versions().at("hrt")},
          {"rule",
           "harmful where Delta_harmful, the mean over the rows of s[l] at the position, is above the "
           "threshold"},
          {"position", kGuardPosition},
          {"threshold", guard.threshold},
          {"calibration", calibration_json(guard.calibration)},
          {"chosen", guard.chosen},
          {"model",
           {{"fingerprint", guard.model},
            {"full_hash", guard.full_hash},
            {"hidden", guard.hidden()},
            {"dtype", guard.dtype}}},
          {"text", guard.text},
          {"counts", {{"harmful", guard.harmful_count}, {"harmless", guard.harmless_count}}},
          {"training", guard.training},
          {"provenance", guard.provenance}};
}

class GuardReader {
 public:
  explicit GuardReader(const fs::path& path) : path_(path.string()), file_(path) {
    const auto found = file_.metadata().find(kFormat);
    if (found == file_.metadata().end())
      throw InputError("{}: no guard file: its metadata have no {} (`hrt guard fit` writes one)", path_,
                       kFormat);
    content_ = parse_json(found->second, path_ + ": metadata " + kFormat);
  }

  Guard read() const {
    const JsonObject content(content_, path_);
    if (content.integer("version") != kVersion)
      throw InputError("{}: a guard file of version {}, expected {}", path_, content.integer("version"),
                       kVersion);
    if (content.string("position") != kGuardPosition)
      throw InputError("{}: expected {}", content.where("position"), kGuardPosition);
    check_known_keys(content, {"version", "hrt", "rule", "position", "threshold", "calibration", "chosen",
                               "model", "text", "counts", "training", "provenance"});
    Guard guard;
    guard.harmful = centroid("harmful");
    guard.harmless = centroid("harmless");
    if (guard.harmful.sizes() != guard.harmless.sizes())
      throw InputError("{}: harmful and harmless have different shapes", path_);
    guard.rows = rows(guard.harmful.size(0));
    guard.threshold = content.number("threshold");
    guard.calibration = calibration_of(content.object("calibration"));
    guard.chosen = content.object("chosen").raw();
    guard.text = text(content.object("text"));
    guard.provenance = content.object("provenance").raw();
    guard.training = list_of<std::string>(
        content, "training", [](const Json& item) { return item.is_string(); }, "hashes");
    read_counts(content.object("counts"), guard);
    read_model(content.object("model"), guard);
    return guard;
  }

 private:
  static void read_counts(const JsonObject& counts, Guard& guard) {
    check_known_keys(counts, {"harmful", "harmless"});
    guard.harmful_count = counts.integer("harmful");
    guard.harmless_count = counts.integer("harmless");
  }

  static void read_model(const JsonObject& model, Guard& guard) {
    check_known_keys(model, {"fingerprint", "full_hash", "hidden", "dtype"});
    guard.model = model.string("fingerprint");
    guard.full_hash = model.boolean("full_hash", false);
    guard.dtype = model.string("dtype");
    if (model.integer("hidden") != guard.hidden())
      throw InputError("{}: {}, but the centroids are {} wide", model.where("hidden"),
                       model.integer("hidden"), guard.hidden());
  }

  at::Tensor centroid(const std::string& name) const {
    const at::Tensor values = file_.tensor(name);
    if (values.scalar_type() != at::kFloat || values.dim() != 2 || values.numel() == 0)
      throw InputError("{}: {} must be [rows, hidden] in F32", path_, name);
    if (!values.isfinite().all().item<bool>()) throw InputError("{}: {} holds NaN or infinity", path_, name);
    return values;
  }

  std::vector<std::int64_t> rows(std::int64_t count) const {
    const auto found = file_.metadata().find("rows");
    const Json list =
        parse_json(found == file_.metadata().end() ? "null" : found->second, path_ + ": metadata rows");
    const auto is_row = [](const Json& item) { return item.is_number_integer() && item >= 0; };
    const bool valid =
        list.is_array() && std::cmp_equal(list.size(), count) && std::ranges::all_of(list, is_row);
    if (!valid) throw InputError("{}: metadata rows: expected {} row numbers", path_, count);
    const auto rows = list.get<std::vector<std::int64_t>>();
    if (std::ranges::adjacent_find(rows, std::ranges::greater_equal{}) != rows.end())
      throw InputError("{}: metadata rows: expected ascending numbers", path_);
    return rows;
  }

  Json text(const JsonObject& object) const {
    Json keys = object.raw();
    keys.erase("template_content");
    check_config(keys, Command::kExtract, path_ + ": metadata hrt-guard: /text");
    object.string("template");
    for (const char* key : kTextKeys) {
      if (!object.raw().contains(key)) throw InputError("{}: missing", object.where(key));
    }
    return object.raw();
  }

  std::string path_;
  SafetensorsFile file_;
  Json content_;
};

}  // namespace

Json calibration_json(const Calibration& calibration) {
  if (const auto* platt = std::get_if<PlattCalibration>(&calibration))
    return {{"kind", "platt"}, {"slope", platt->slope}, {"intercept", platt->intercept}};
  if (const auto* isotonic = std::get_if<IsotonicCalibration>(&calibration))
    return {{"kind", "isotonic"}, {"scores", isotonic->scores}, {"probabilities", isotonic->probabilities}};
  return {{"kind", "none"}};
}

void write_guard(const fs::path& file, const Guard& guard) {
  Metadata metadata = row_metadata(guard.rows);
  metadata[kFormat] = to_line(content_of(guard));
  write_safetensors(file, {{"harmful", guard.harmful}, {"harmless", guard.harmless}}, metadata);
}

bool is_guard(const Metadata& metadata) { return metadata.contains(kFormat); }

bool holds_guard(const fs::path& file) {
  try {
    return is_guard(SafetensorsFile(file).metadata());
  } catch (const InputError&) {
    return false;
  }
}

Guard read_guard(const fs::path& file) { return GuardReader(file).read(); }

}  // namespace hrt
