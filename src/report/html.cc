#include "html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "hrt/base/file.h"
#include "hrt/base/strings.h"
#include "html_style.h"
#include "palette.h"

namespace hrt {
namespace {

std::string escape_markup(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// Text of others: what is invisible or turns the writing direction is made visible, markup is text.
std::string escape(std::string_view text) { return escape_markup(escape_for_terminal(text)); }

std::string escape_lines(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  for (std::string& line : lines) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    line = line.substr(0, indent) + escape(line.substr(indent));
  }
  return join(lines, "\n");
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

struct Variable {
  std::string colour;
  const char* name;
};

// "rgb( 27,  30,  36)" and "rgb(27,30,36)", the two ways in which gnuplot writes a colour.
std::array<std::string, 2> svg_colours(const std::string& hex) {
  const auto part = [&](std::size_t at) { return std::stoi(hex.substr(at, 2), nullptr, 16); };
  return {fmt::format("rgb({:3}, {:3}, {:3})", part(1), part(3), part(5)),
          fmt::format("rgb({},{},{})", part(1), part(3), part(5))};
}

// A drawn figure as part of the page: colours by the page's variables, names of its own.
std::string inline_svg(std::string svg, const Figure& figure) {
  static const std::vector<Variable> kVariables{
      {hex(Colour::kInk), "ink"},
      {hex(Colour::kGrey), "grey"},
      {hex(Colour::kVermillion), "vermillion"},
      {hex(Colour::kOrange), "orange"},
      {hex(Colour::kBlue), "blue"},
      {hex(Colour::kSky), "sky"},
      {hex(Colour::kGreen), "green"},
      {hex(Colour::kPurple), "purple"},
      {"#e4e6ea", "grid"},
  };
  svg.erase(0, svg.find("<svg"));
  for (const Variable& variable : kVariables) {
    for (const std::string& colour : svg_colours(variable.colour))
      replace_all(svg, colour, fmt::format("var(--{})", variable.name));
  }
  const std::string own = escape_markup(figure.name) + "-";
  replace_all(svg, "id=\"", "id=\"" + own);
  replace_all(svg, "id='", "id='" + own);
  replace_all(svg, "href='#", "href='#" + own);
  replace_all(svg, "url(#", "url(#" + own);
  replace_all(svg, "fill=\"#ffffff\"/>", "fill=\"none\"/>");  // the page's own paper
  replace_all(svg, "<title>Gnuplot</title>", "<title>" + escape(figure.title) + "</title>");
  replace_all(svg, "<desc>Produced by GNUPLOT", "<desc>Drawn by gnuplot");
  return svg;
}

// Sentences in cells: on a narrow screen its rows become paragraphs.
bool is_prose(const DataTable& table) {
  const std::vector<bool> texts = text_columns(table);
  return std::ranges::count(texts, true) > 2;
}

class Writer {
 public:
  explicit Writer(const std::filesystem::path& figures) : figures_(figures) {}

  void write(const std::vector<Block>& blocks) {
    text_ += "<div class=\"blocks\">\n";
    for (const Block& block : blocks) std::visit([&](const auto& content) { add(content); }, block);
    text_ += "</div>\n";
  }

  std::string take() { return std::move(text_); }

 private:
  template <typename... Values>
  void put(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }

  void add(const Paragraph& paragraph) {
    put("<p class=\"wide{}\">{}</p>\n", paragraph.warning ? " warning" : "", escape(paragraph.text));
  }

  void add(const DataTable& table) {
    if (table.rows.empty()) return;
    put("<div class=\"table{}{}\"><table>", table.columns.size() > 3 ? " wide" : "",
        is_prose(table) ? " prose" : "");
    if (!table.caption.empty()) put("<caption>{}</caption>", escape(table.caption));
    const std::vector<bool> texts = text_columns(table);
    const bool headed =
        std::ranges::any_of(table.columns, [](const std::string& name) { return !name.empty(); });
    if (headed) {
      text_ += "<thead><tr>";
      for (std::size_t c = 0; c < table.columns.size(); ++c)
        put("<th{}>{}</th>", texts[c] ? " class=\"text\"" : "", escape(table.columns[c]));
      text_ += "</tr></thead>";
    }
    text_ += "<tbody>\n";
    for (const auto& row : table.rows) {
      text_ += "<tr>";
      for (std::size_t c = 0; c < row.size(); ++c)
        put("<td{} data-column=\"{}\">{}</td>", c < texts.size() && texts[c] ? " class=\"text\"" : "",
            c < table.columns.size() ? escape(table.columns[c]) : "", escape(row[c]));
      text_ += "</tr>\n";
    }
    text_ += "</tbody></table></div>\n";
  }

  void add(const TokenStrip& strip) {
    text_ += "<div class=\"tokens wide\">";
    for (const TokenStrip::Token& token : strip.tokens) {
      put("<span class=\"{}{}\" title=\"{}\"", escape(token.part), token.position.empty() ? "" : " marked",
          escape(token.part));
      if (!token.position.empty()) put(" data-position=\"{}\"", escape(token.position));
      put(">{}</span>", escape(token.text));
    }
    text_ += "</div>\n";
  }

  void add(const Verbatim& verbatim) { put("<pre class=\"wide\">{}</pre>\n", escape_lines(verbatim.text)); }

  void add(const Figure& figure) {
    text_ += "<figure>";
    const std::filesystem::path file = figures_ / (figure.name + ".svg");
    if (std::filesystem::exists(file)) text_ += inline_svg(read_file(file), figure);
    put("<figcaption><b>{}.</b> {}</figcaption></figure>\n", escape(figure.title), escape(figure.caption));
  }

  void add(const std::shared_ptr<Collapsed>& hidden) {
    put("<details class=\"wide\"><summary>{}</summary>\n", escape(hidden->title));
    write(hidden->blocks);
    text_ += "</details>\n";
  }

  const std::filesystem::path& figures_;
  std::string text_;
};

std::vector<std::string> titles_of(const Document& document) {
  std::vector<std::string> titles;
  for (const Section& section : document.sections) {
    if (std::ranges::find(titles, section.title) == titles.end()) titles.push_back(section.title);
  }
  return titles;
}

}  // namespace

std::string html_page(const Document& document, const std::filesystem::path& figures) {
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<p class=\"lead\">{2}</p>\n",
      escape(document.title), kHtmlStyle, escape(document.lead));
  const std::vector<std::string> titles = titles_of(document);
  if (titles.size() > 2) {
    page += "<nav>";
    for (std::size_t i = 0; i < titles.size(); ++i)
      page += fmt::format("<a href=\"#s{}\">{}</a>", i, escape(titles[i].substr(0, titles[i].find(':'))));
    page += "</nav>\n";
  }
  for (std::size_t i = 0; i < titles.size(); ++i) {
    page += fmt::format("<section id=\"s{}\"><h2>{}</h2>\n<div class=\"runs\">\n", i, escape(titles[i]));
    for (const Section& section : document.sections) {
      if (section.title != titles[i]) continue;
      page += fmt::format("<article><h3>{}</h3>\n", escape(section.run));
      Writer writer(figures);
      writer.write(section.blocks);
      page += writer.take() + "</article>\n";
    }
    page += "</div></section>\n";
  }
  return page + "</body>\n</html>\n";
}

}  // namespace hrt
