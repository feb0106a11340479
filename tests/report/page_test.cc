#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "html.h"
#include "markdown.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using testing::HasSubstr;
using testing::Not;

Document document_of(std::vector<Block> blocks) {
  return {"A run", "on the organism", {{"Beliefs", "runs/a", std::move(blocks)}}};
}

std::string page_of(std::vector<Block> blocks) {
  return html_page(document_of(std::move(blocks)), "/nowhere");
}

TEST(HtmlPage, MakesMarkupAndEscapeSequencesOfOthersHarmless) {
  const std::string evil = "<script>alert('x')</script>\x1b[2J\u202e";
  const std::string page = page_of({Paragraph{evil}, DataTable{evil, {"a"}, {{evil}}},
                                    TokenStrip{{{evil, "instruction", "t_inst"}}}, Verbatim{evil},
                                    collapsed(evil, {Paragraph{evil}})});
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("\u202e")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
}

TEST(HtmlPage, NeedsNothingFromElsewhere) {
  const std::string page = page_of({Paragraph{"text"}});
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
}

TEST(HtmlPage, TakesInFiguresInItsOwnColoursAndNames) {
  const TemporaryFolder folder;
  folder.write(
      "fig3.svg",
      "<?xml version=\"1.0\"?>\n<svg><title>Gnuplot</title><path id='gpPt0'/><use xlink:href='#gpPt0' "
      "stroke='rgb(  0, 114, 178)'/></svg>");
  const std::string page = html_page(
      document_of({Figure{.name = "fig3", .title = "Two beliefs", .caption = "n = 5"}}), folder.path());
  EXPECT_THAT(page, HasSubstr("<svg><title>Two beliefs</title>"));
  EXPECT_THAT(page, HasSubstr("id='fig3-gpPt0'"));
  EXPECT_THAT(page, HasSubstr("href='#fig3-gpPt0' stroke='var(--blue)'"));
}

TEST(HtmlPage, KeepsTheCaptionOfAFigureThatWasNotDrawn) {
  EXPECT_THAT(page_of({Figure{.name = "gone", .title = "Lost", .caption = "n = 5"}}),
              HasSubstr("<b>Lost.</b> n = 5"));
}

TEST(HtmlPage, SetsSectionsOfOneTitleSideBySide) {
  Document document = document_of({});
  document.sections.push_back({"Beliefs", "runs/b", {}});
  const std::string page = html_page(document, "/nowhere");
  EXPECT_EQ(page.find("<h2>Beliefs"), page.rfind("<h2>Beliefs"));
  EXPECT_LT(page.find("runs/a"), page.find("runs/b"));
}

TEST(MarkdownPage, EscapesWhatMarkdownWouldTakeForMarkup) {
  const std::string page =
      markdown_page(document_of({Paragraph{"a_b *c* <img>"}, DataTable{"", {"x", "y"}, {{"a|b", "1"}}}}));
  EXPECT_THAT(page, HasSubstr("a\\_b \\*c\\* \\<img\\>"));
  EXPECT_THAT(page, HasSubstr("| a\\|b | 1 |"));
}

TEST(MarkdownPage, LeavesOutWhatIsShownOnlyWhenAskedFor) {
  EXPECT_THAT(markdown_page(document_of({collapsed("Replies", {Paragraph{"a reply"}})})),
              Not(HasSubstr("a reply")));
}

}  // namespace
}  // namespace hrt
