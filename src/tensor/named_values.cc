#include "named_values.h"

#include <optional>

#include "hrt/base/strings.h"
#include "pickle_arguments.h"

namespace hrt::pickle {
namespace {

constexpr const char* kBareTensor = "tensor";
constexpr int kMaxDepth = 100;
// Values that are reached, and bytes of their names: containers may hold the same one many times, so that a
// short pickle can stand for any number of names.
constexpr std::size_t kMaxWork = 100'000'000;

std::optional<std::string> scalar_text(const Value& value) {
  if (const auto* boolean = std::get_if<bool>(&value.content)) return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value.content)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&value.content)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<Text>(&value.content)) return std::string(text->utf8);
  return std::nullopt;
}

class Walk {
 public:
  NamedValues result;

  void visit(const Value& value, int depth) {
    if (depth > kMaxDepth) throw Malformed("nested more than {} deep, or in a circle", kMaxDepth);
    if (const auto* tensor = std::get_if<Tensor>(&value.content)) {
      result.tensors.emplace_back(depth == 0 ? kBareTensor : path_, tensor);
    } else if (const auto* dict = std::get_if<Dict>(&value.content)) {
      visit_dict(*dict, depth);
    } else if (const auto* list = std::get_if<List>(&value.content)) {
      visit_items(list->items, depth);
    } else if (const auto* tuple = std::get_if<Tuple>(&value.content)) {
      visit_items(tuple->items, depth);
    }
  }

 private:
  void visit_dict(const Dict& dict, int depth) {
    for (const auto& [key, value] : dict.items) {
      const std::size_t outer = enter(key_text(*key), depth);
      if (auto text = scalar_text(*value)) {
        add_metadata(std::move(*text));
      } else {
        visit(*value, depth + 1);
      }
      path_.resize(outer);
    }
  }

  // Numbers in lists are data, not metadata.
  void visit_items(const Items& items, int depth) {
    spend(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (scalar_text(*items[i])) continue;
      const std::size_t outer = enter(fmt::format("{}", i), depth);
      visit(*items[i], depth + 1);
      path_.resize(outer);
    }
  }

  void add_metadata(std::string text) {
    spend(text.size());
    if (find_invalid_utf8(text) != std::string::npos) return;
    result.metadata.insert_or_assign(path_, std::move(text));
  }

  // (position, layer) is a key that people use.
  static std::string key_text(const Value& key) {
    if (auto text = scalar_text(key)) return *text;
    const auto* tuple = std::get_if<Tuple>(&key.content);
    if (tuple == nullptr) throw Malformed("a dictionary's key is no text, number or tuple of these");
    std::vector<std::string> parts;
    for (const Value* item : tuple->items) {
      auto text = scalar_text(*item);
      if (!text) throw Malformed("a dictionary's key is no text, number or tuple of these");
      parts.push_back(std::move(*text));
    }
    return "(" + join(parts, ",") + ")";
  }

  std::size_t enter(const std::string& name, int depth) {
    if (find_invalid_utf8(name) != std::string::npos) throw Malformed("a name that is not valid UTF-8");
    const std::size_t outer = path_.size();
    path_ += (depth == 0 ? "" : ".") + name;
    spend(1 + path_.size());
    return outer;
  }

  void spend(std::size_t work) {
    work_ += work;
    if (work_ > kMaxWork) throw Malformed("too many values and names (more than {} bytes)", kMaxWork);
  }

  std::string path_;
  std::size_t work_ = 0;
};

}  // namespace

NamedValues name_values(const Value& root) {
  Walk walk;
  walk.visit(root, 0);
  return std::move(walk.result);
}

}  // namespace hrt::pickle
