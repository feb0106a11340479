#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "byte_reader.h"
#include "pickle_value.h"

namespace hrt::pickle {

// The stack machine that pickles are programs for: opcodes push values, and put those above the last mark
// into containers. Which opcode does what stands in read_pickle.cc. Throws Malformed.
class Machine {
 public:
  Machine(const ZipArchive& archive, std::string_view pickle, const std::string& folder)
      : archive_(archive), folder_(folder), code_(pickle), code_size_(pickle.size()) {}

  ByteReader& code() { return code_; }

  template <typename Content>
  void push(Content content) {
    check_room(pickle_.values.size());
    push_existing(&pickle_.values.emplace_back(Value{std::move(content)}));
  }
  void push_long(std::string_view two_complement);  // little-endian
  Items pop(std::size_t count);                     // bottom first
  Value* pop() { return pop(1).front(); }

  void mark();
  Items pop_to_mark();
  void append(const Items& items);     // to the list on top
  void set_items(const Items& items);  // keys and values by turns, of the dictionary on top

  void put(std::uint64_t index);  // the top into the memo
  void put() { put(memo_.size()); }
  void get(std::uint64_t index);

  void push_global(const Items& module_and_name);
  void push_global(std::string_view module, std::string_view name);
  void push_storage(const Value& id);
  void reduce(const Items& callable_and_arguments);
  void build(const Value& state);  // of the object on top

  Pickle finish();

 private:
  static void check_room(std::size_t values);
  void push_existing(Value* value);
  Value& top();

  const ZipArchive& archive_;
  const std::string& folder_;
  ByteReader code_;
  std::size_t code_size_;
  std::size_t decoded_ = 0;  // bytes that calls made
  Pickle pickle_;
  Items stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  Items memo_;
};

}  // namespace hrt::pickle
