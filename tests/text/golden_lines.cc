#include "golden_lines.h"

#include <array>
#include <fstream>

#include "hrt/base/json.h"

namespace hrt {
namespace {

template <typename Span>
std::vector<std::array<std::size_t, 2>> pairs_of(const std::vector<Span>& spans) {
  std::vector<std::array<std::size_t, 2>> result;
  for (const Span& span : spans) result.push_back({span.begin, span.end});
  return result;
}

void expect_golden(const Tokenizer& tokenizer, const Json& golden) {
  const auto text = golden.at("text").get<std::string>();
  const Encoding encoding = tokenizer.encode(text, {.add_special = golden.at("add_special").get<bool>()});
  EXPECT_EQ(Json(encoding.ids), golden.at("ids"));
  if (golden.contains("offsets")) {
    EXPECT_EQ(Json(pairs_of(encoding.spans)), golden.at("byte_offsets"));
    EXPECT_EQ(Json(pairs_of(code_point_spans(text, encoding.spans))), golden.at("offsets"));
  }
  const auto ids = golden.at("ids").get<std::vector<std::int64_t>>();
  EXPECT_EQ(tokenizer.decode(ids, false), golden.at("decoded").get<std::string>());
  EXPECT_EQ(tokenizer.decode(ids, true), golden.at("decoded_skip_special").get<std::string>());
}

}  // namespace

void expect_goldens(const Tokenizer& tokenizer, const std::filesystem::path& goldens,
                    const std::set<std::string>& skipped) {
  std::ifstream file(goldens);
  ASSERT_TRUE(file) << goldens;
  std::string line;
  for (std::int64_t number = 1; std::getline(file, line); ++number) {
    const Json golden = parse_json(line, goldens.string(), number);
    if (skipped.contains(golden.at("text").get<std::string>())) continue;
    SCOPED_TRACE(goldens.filename().string() + ":" + std::to_string(number));
    expect_golden(tokenizer, golden);
  }
}

}  // namespace hrt
