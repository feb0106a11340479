#include "markdown.h"

#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

// Text that Markdown would take for markup is text.
std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : escape_for_terminal(text)) {
    if (std::string_view("\\`*_<>|[]#").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string row_text(const std::vector<std::string>& cells) {
  std::vector<std::string> escaped;
  for (const std::string& cell : cells) escaped.push_back(escape(cell));
  return "| " + join(escaped, " | ") + " |\n";
}

std::string text_of(const Paragraph& paragraph) {
  return (paragraph.warning ? "> " : "") + escape(paragraph.text) + "\n\n";
}

std::string text_of(const DataTable& table) {
  if (table.rows.empty()) return "";
  std::string text = table.caption.empty() ? "" : escape(table.caption) + "\n\n";
  text += row_text(table.columns) + "|";
  for (const bool left : text_columns(table)) text += left ? " --- |" : " ---: |";
  text += "\n";
  for (const auto& row : table.rows) text += row_text(row);
  return text + "\n";
}

std::string text_of(const TokenStrip& strip) {
  DataTable table{"", {"token", "part", "position"}};
  for (const TokenStrip::Token& token : strip.tokens) {
    if (!token.position.empty()) table.rows.push_back({"\"" + token.text + "\"", token.part, token.position});
  }
  return text_of(table);
}

std::string text_of(const Figure& figure) {
  return fmt::format("![{0}](figures/{1}.svg)\n\n*{0}.* {2}\n\n", escape(figure.title), figure.name,
                     escape(figure.caption));
}

std::string text_of(const Verbatim&) { return ""; }
std::string text_of(const std::shared_ptr<Collapsed>&) { return ""; }

}  // namespace

std::string markdown_page(const Document& document) {
  std::string page = fmt::format("# {}\n\n{}\n\n", escape(document.title), escape(document.lead));
  for (const Section& section : document.sections) {
    page += fmt::format("## {}\n\n", escape(section.title));
    if (!section.run.empty()) page += fmt::format("`{}`\n\n", section.run);
    for (const Block& block : section.blocks)
      page += std::visit([](const auto& content) { return text_of(content); }, block);
  }
  page.resize(page.find_last_not_of('\n') + 1);
  return page + "\n";
}

}  // namespace hrt
