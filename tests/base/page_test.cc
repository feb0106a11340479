#include "hrt/base/page.h"

#include <gmock/gmock.h>

#include "terminal_page.h"

namespace hrt {
namespace {

using test::fits_the_terminal;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Page, WrapsWithAHangingIndent) {
  Page page("title\x1b[31m");
  page.add("label", std::string(60, 'a') + " " + std::string(30, 'b'));
  EXPECT_EQ(page.text(), "title\\x1b[31m\n\n  label        " + std::string(60, 'a') + "\n" +
                             std::string(15, ' ') + std::string(30, 'b') + "\n");
}

TEST(Table, CutsWhatDoesNotFit) {
  Table table({{"n", Table::Align::kRight}, {"short", Table::Align::kLeft, 5}, {"text"}});
  table.add({"1", "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", std::string(200, 'x')});
  table.add({"10", "\n", "y"});
  const std::string text = table.text();
  fits_the_terminal(text);
  EXPECT_THAT(text,
              AllOf(HasSubstr("   n  short  text\n"), HasSubstr("   1  \u00e9\u00e9\u00e9\u00e9\u2026  xxx"),
                    HasSubstr("xx\u2026\n"), HasSubstr("  10  \\n     y\n")));
}

TEST(Table, WideCharactersKeepColumnsInLine) {
  Table table({{"a", Table::Align::kLeft, 6}, {"b"}});
  table.add({"\u6f22\u5b57", "x"});
  table.add({"\u6f22\u5b57\u6f22\u5b57", "x"});
  table.add({"\u200b", "x"});
  EXPECT_EQ(table.text(), "  a       b\n  \u6f22\u5b57    x\n  \u6f22\u5b57\u2026   x\n  \\u200b  x\n");
}

TEST(Grouped, PutsCommasBetweenThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-100), "-100");
}

}  // namespace
}  // namespace hrt
