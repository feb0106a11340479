#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "figure.h"
#include "hrt/base/json.h"

namespace hrt {

// What a report says, before it is written as a page (html.h) or as text (markdown.h). All texts are plain:
// the writers escape them.

struct Paragraph {
  std::string text;
  bool warning = false;
};

struct DataTable {
  std::string caption;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows = {};
};

// Columns of names or sentences, which are set to the left; numbers stand to the right.
std::vector<bool> text_columns(const DataTable& table);

// A templated prompt, token by token, its positions marked.
struct TokenStrip {
  struct Token {
    std::string text;
    std::string part;      // of the prompt: template, instruction, ...
    std::string position;  // t_inst, ...; empty: none
  };
  std::vector<Token> tokens;
};

struct Verbatim {
  std::string text;
};

struct Collapsed;

using Block = std::variant<Paragraph, DataTable, TokenStrip, Verbatim, Figure, std::shared_ptr<Collapsed>>;

// Shown when asked for.
struct Collapsed {
  std::string title;
  std::vector<Block> blocks;
};

inline Block collapsed(std::string title, std::vector<Block> blocks) {
  return std::make_shared<Collapsed>(Collapsed{std::move(title), std::move(blocks)});
}

// One run's part of one topic; `title` says what was done, `run` on what.
struct Section {
  std::string title;
  std::string run;
  std::vector<Block> blocks = {};
};

// Sections of one title stand side by side.
struct Document {
  std::string title;
  std::string lead;
  std::vector<Section> sections = {};
};

}  // namespace hrt
