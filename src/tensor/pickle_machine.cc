#include "pickle_machine.h"

#include "torch_objects.h"

namespace hrt::pickle {
namespace {

constexpr std::size_t kMaxValues = 5'000'000;
constexpr std::size_t kMaxMarks = 1000;

template <typename Container>
Container& as(Value& value, std::string_view what) {
  auto* found = std::get_if<Container>(&value.content);
  if (found == nullptr) throw Malformed("items for something that is no {}", what);
  return *found;
}

}  // namespace

void Machine::check_room(std::size_t values) {
  if (values >= kMaxValues) throw Malformed("more than {} values", kMaxValues);
}

void Machine::push_existing(Value* value) {
  check_room(stack_.size());
  stack_.push_back(value);
}

// Nobody counts beyond 64 bits.
void Machine::push_long(std::string_view two_complement) {
  if (two_complement.size() > sizeof(std::int64_t)) return push(Ignored{});
  const bool negative =
      !two_complement.empty() && (static_cast<unsigned char>(two_complement.back()) & 0x80) != 0;
  std::string padded(two_complement);
  padded.resize(sizeof(std::int64_t), negative ? '\xff' : '\0');
  push(ByteReader(padded).number<std::int64_t>());
}

Items Machine::pop(std::size_t count) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() - floor < count) throw Malformed("a value is missing");
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  Items items(first, stack_.end());
  stack_.erase(first, stack_.end());
  return items;
}

Value& Machine::top() {
  Value* value = pop();
  stack_.push_back(value);
  return *value;
}

void Machine::mark() {
  if (marks_.size() >= kMaxMarks) throw Malformed("nested more than {} deep", kMaxMarks);
  marks_.push_back(stack_.size());
}

Items Machine::pop_to_mark() {
  if (marks_.empty()) throw Malformed("a container ends that was not begun");
  Items items = pop(stack_.size() - marks_.back());
  marks_.pop_back();
  return items;
}

void Machine::append(const Items& items) {
  Items& list = as<List>(top(), "list").items;
  list.insert(list.end(), items.begin(), items.end());
}

void Machine::set_items(const Items& items) {
  if (items.size() % 2 != 0) throw Malformed("a key without a value");
  Dict& dict = as<Dict>(top(), "dictionary");
  for (std::size_t i = 0; i < items.size(); i += 2) dict.items.emplace_back(items[i], items[i + 1]);
}

// Picklers number what they store one after the other.
void Machine::put(std::uint64_t index) {
  if (index > memo_.size()) throw Malformed("memo entry {} comes after {}", index, memo_.size());
  Value* value = &top();
  if (index == memo_.size()) memo_.push_back(value);
  memo_[index] = value;
}

void Machine::get(std::uint64_t index) {
  if (index >= memo_.size()) throw Malformed("memo entry {} of {}", index, memo_.size());
  push_existing(memo_[index]);
}

void Machine::push_global(const Items& module_and_name) {
  const auto* module = std::get_if<Text>(&module_and_name[0]->content);
  const auto* name = std::get_if<Text>(&module_and_name[1]->content);
  if (module == nullptr || name == nullptr) throw Malformed("a name to import that is no text");
  push_global(module->utf8, name->utf8);
}

void Machine::push_global(std::string_view module, std::string_view name) {
  push(Global{&find_global(module, name)});
}

void Machine::push_storage(const Value& id) { push(find_storage(id, archive_, folder_)); }

// Bytes that are made out of text were spelled out in the pickle, so all of them together cannot be more than
// it: a text that is decoded again and again is an attack.
void Machine::reduce(const Items& callable_and_arguments) {
  Value made = call(*callable_and_arguments[0], *callable_and_arguments[1]);
  if (const auto* bytes = std::get_if<Bytes>(&made.content)) decoded_ += bytes->content.size();
  if (decoded_ > code_size_) throw Malformed("more bytes come out of the pickle than are in it");
  push(std::move(made.content));
}

void Machine::build(const Value& state) { pickle::build(top(), state); }

Pickle Machine::finish() {
  pickle_.root = pop();
  return std::move(pickle_);
}

}  // namespace hrt::pickle
