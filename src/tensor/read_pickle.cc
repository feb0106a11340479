#include "read_pickle.h"

#include <algorithm>
#include <array>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "pickle_arguments.h"
#include "pickle_machine.h"
#include "torch_objects.h"

namespace hrt::pickle {
namespace {

constexpr int kMaxProtocol = 5;

template <typename Number>
std::int64_t integer(Machine& m) {
  return std::int64_t{m.code().number<Number>()};
}

// A text or bytes behind their length.
template <typename Length>
std::string_view counted(Machine& m) {
  return m.code().take(m.code().number<Length>());
}

void check_protocol(Machine& m) {
  const auto protocol = integer<std::uint8_t>(m);
  if (protocol > kMaxProtocol) throw Malformed("protocol {} is not known", protocol);
}

std::string_view signed_counted(Machine& m) {
  const auto length = m.code().number<std::int32_t>();
  if (length < 0) throw Malformed("a length of {}", length);
  return m.code().take(static_cast<std::uint64_t>(length));
}

double big_endian_double(Machine& m) {
  const std::string_view bytes = m.code().take(sizeof(double));
  return ByteReader(std::string(bytes.rbegin(), bytes.rend())).number<double>();
}

void push_global(Machine& m) {
  const std::string_view module = m.code().line();
  m.push_global(module, m.code().line());
}

// What follows makes objects in ways that neither torch nor numpy uses.
void refuse_instance(Machine& m) {
  const std::string_view module = m.code().line();
  throw Malformed("the pickle would call {}.{}", shown(module), shown(m.code().line()));
}

void refuse_object(const Items& class_and_arguments) {
  const auto* made =
      class_and_arguments.empty() ? nullptr : std::get_if<Global>(&class_and_arguments.front()->content);
  throw Malformed("the pickle would make an object of {}", made ? made->known->name : "no class");
}

struct Opcode {
  unsigned char code;
  void (*run)(Machine&);
};

// As pickletools names them. What is not here is refused.
constexpr Opcode kOpcodes[] = {
    {0x80, check_protocol},                                                             // PROTO
    {0x95, [](Machine& m) { m.code().take(sizeof(std::uint64_t)); }},                   // FRAME
    {'N', [](Machine& m) { m.push(None{}); }},                                          // NONE
    {0x88, [](Machine& m) { m.push(true); }},                                           // NEWTRUE
    {0x89, [](Machine& m) { m.push(false); }},                                          // NEWFALSE
    {'J', [](Machine& m) { m.push(integer<std::int32_t>(m)); }},                        // BININT
    {'K', [](Machine& m) { m.push(integer<std::uint8_t>(m)); }},                        // BININT1
    {'M', [](Machine& m) { m.push(integer<std::uint16_t>(m)); }},                       // BININT2
    {0x8a, [](Machine& m) { m.push_long(counted<std::uint8_t>(m)); }},                  // LONG1
    {0x8b, [](Machine& m) { m.push_long(signed_counted(m)); }},                         // LONG4
    {'G', [](Machine& m) { m.push(big_endian_double(m)); }},                            // BINFLOAT
    {'X', [](Machine& m) { m.push(Text{counted<std::uint32_t>(m)}); }},                 // BINUNICODE
    {0x8c, [](Machine& m) { m.push(Text{counted<std::uint8_t>(m)}); }},                 // SHORT_BINUNICODE
    {0x8d, [](Machine& m) { m.push(Text{counted<std::uint64_t>(m)}); }},                // BINUNICODE8
    {'B', [](Machine& m) { m.push(Bytes{std::string(counted<std::uint32_t>(m))}); }},   // BINBYTES
    {'C', [](Machine& m) { m.push(Bytes{std::string(counted<std::uint8_t>(m))}); }},    // SHORT_BINBYTES
    {0x8e, [](Machine& m) { m.push(Bytes{std::string(counted<std::uint64_t>(m))}); }},  // BINBYTES8
    {'q', [](Machine& m) { m.put(m.code().number<std::uint8_t>()); }},                  // BINPUT
    {'r', [](Machine& m) { m.put(m.code().number<std::uint32_t>()); }},                 // LONG_BINPUT
    {0x94, [](Machine& m) { m.put(); }},                                                // MEMOIZE
    {'h', [](Machine& m) { m.get(m.code().number<std::uint8_t>()); }},                  // BINGET
    {'j', [](Machine& m) { m.get(m.code().number<std::uint32_t>()); }},                 // LONG_BINGET
    {'(', [](Machine& m) { m.mark(); }},                                                // MARK
    {'0', [](Machine& m) { m.pop(); }},                                                 // POP
    {'1', [](Machine& m) { m.pop_to_mark(); }},                                         // POP_MARK
    {']', [](Machine& m) { m.push(List{}); }},                                          // EMPTY_LIST
    {'a', [](Machine& m) { m.append(m.pop(1)); }},                                      // APPEND
    {'e', [](Machine& m) { m.append(m.pop_to_mark()); }},                               // APPENDS
    {'}', [](Machine& m) { m.push(Dict{}); }},                                          // EMPTY_DICT
    {'s', [](Machine& m) { m.set_items(m.pop(2)); }},                                   // SETITEM
    {'u', [](Machine& m) { m.set_items(m.pop_to_mark()); }},                            // SETITEMS
    {')', [](Machine& m) { m.push(Tuple{}); }},                                         // EMPTY_TUPLE
    {0x85, [](Machine& m) { m.push(Tuple{m.pop(1)}); }},                                // TUPLE1
    {0x86, [](Machine& m) { m.push(Tuple{m.pop(2)}); }},                                // TUPLE2
    {0x87, [](Machine& m) { m.push(Tuple{m.pop(3)}); }},                                // TUPLE3
    {'t', [](Machine& m) { m.push(Tuple{m.pop_to_mark()}); }},                          // TUPLE
    {'c', push_global},                                                                 // GLOBAL
    {0x93, [](Machine& m) { m.push_global(m.pop(2)); }},                                // STACK_GLOBAL
    {'Q', [](Machine& m) { m.push_storage(*m.pop()); }},                                // BINPERSID
    {'R', [](Machine& m) { m.reduce(m.pop(2)); }},                                      // REDUCE
    {'b', [](Machine& m) { m.build(*m.pop()); }},                                       // BUILD
    {'i', refuse_instance},                                                             // INST
    {'o', [](Machine& m) { refuse_object(m.pop_to_mark()); }},                          // OBJ
    {0x81, [](Machine& m) { refuse_object(m.pop(2)); }},                                // NEWOBJ
    {0x92, [](Machine& m) { refuse_object(m.pop(3)); }},                                // NEWOBJ_EX
};

constexpr unsigned char kStop = '.';

using Handlers = std::array<void (*)(Machine&), 256>;

constexpr Handlers kHandlers = [] {
  Handlers handlers{};
  for (const Opcode& opcode : kOpcodes) handlers[opcode.code] = opcode.run;
  return handlers;
}();

// `position` follows the opcode that is run, for messages.
void run(Machine& machine, std::size_t& position) {
  while (true) {
    position = machine.code().position();
    const auto code = machine.code().number<unsigned char>();
    if (code == kStop) return;
    if (kHandlers[code] == nullptr) throw Malformed("opcode {:#04x} is not read", code);
    kHandlers[code](machine);
  }
}

}  // namespace

Pickle read_pickle(const ZipArchive& archive, const ZipArchive::Member& member, const std::string& folder) {
  Machine machine(archive, archive.content(member), folder);
  std::size_t position = 0;
  try {
    run(machine, position);
    return machine.finish();
  } catch (const Malformed& error) {
    throw InputError("{}: {}, byte {}: {}", archive.file().path().string(), escape_for_terminal(member.name),
                     position, error.what());
  }
}

}  // namespace hrt::pickle
